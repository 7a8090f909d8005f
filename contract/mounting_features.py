"""Features of a window that tell how a sensor is turned, and what each of the 24 turns makes of them.

First the strength of motion, which no turn changes; then the direction of gravity, and how motion is shared among the
axes: covariances of acceleration and angular rate with themselves and with each other. Gravity alone cannot see a turn
about itself; the axes about which a walking body turns, and towards which it then accelerates, can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .channels import SENSORS, sensors_of
from .constants import STANDARD_GRAVITY
from .mounting import MOUNTINGS, Mounting
from .mounting_reference import FEATURES

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_ALL_PAIRS = tuple((first, second) for first in range(3) for second in range(3))
# g^2 and (rad/s)^2: below a sensor's noise, so that a window at rest divides by no zero.
_LEAST_ACC, _LEAST_GYRO = 1e-6, 1e-4


def mounting_sensors(channels: Sequence[str]) -> tuple[str, ...] | None:
    """The sensors that the features of a model's windows are of; None if it has no accelerometer."""
    sensors = tuple(name for name in sensors_of(channels) if name != "mag")
    return sensors if sensors in FEATURES else None


def mounting_features(samples: NDArray[np.float32], channels: Sequence[str]) -> NDArray[np.float64]:
    """Features ``[window, feature]`` of windows.

    Args:
        samples: ``[window, window_length, channel]`` in m/s^2 and rad/s.
        channels: their names, with those of an accelerometer.

    >>> channels = ("acc_x", "acc_y", "acc_z")
    >>> mounting_features(np.full((1, 50, 3), [0, 0, 9.8], np.float32), channels)[0, 1:4].tolist()
    [0.0, 0.0, 1.0]
    """
    sensors = mounting_sensors(channels)
    assert sensors is not None
    acc = _axes(samples, channels, "acc") / STANDARD_GRAVITY
    gravity = acc.mean(1)
    acc -= gravity[:, None]
    direction = gravity / np.maximum(np.linalg.norm(gravity, axis=1, keepdims=True), 1e-6)
    acc_power = (acc * acc).mean(1).sum(1) + _LEAST_ACC
    shares = _pairs(acc, acc, _PAIRS) / acc_power[:, None]
    if "gyro" not in sensors:
        return np.column_stack([np.log(acc_power) / 2, direction, shares])
    gyro = _axes(samples, channels, "gyro")
    gyro -= gyro.mean(1, keepdims=True)
    gyro_power = (gyro * gyro).mean(1).sum(1) + _LEAST_GYRO
    both = _pairs(acc, gyro, _ALL_PAIRS) / np.sqrt(acc_power * gyro_power)[:, None]
    turning = _pairs(gyro, gyro, _PAIRS) / gyro_power[:, None]
    strengths = [np.log(acc_power) / 2, np.log(gyro_power) / 2]
    return np.column_stack([*strengths, direction, shares, turning, both])


def corrected_features(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features ``[turn, window, feature]`` that windows would have if they were corrected for each of ``MOUNTINGS``.

    Args:
        features: ``[window, feature]`` as measured.
    """
    columns, signs = _TABLES[features.shape[1]]
    return np.moveaxis(features[:, columns] * signs, 1, 0)


def _axes(samples: NDArray[np.float32], channels: Sequence[str], sensor: str) -> NDArray[np.float64]:
    return samples[..., [list(channels).index(axis) for axis in SENSORS[sensor].channels]].astype(np.float64)


def _pairs(
    one: NDArray[np.float64], other: NDArray[np.float64], pairs: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    covariance = np.einsum("wti,wtj->wij", one, other) / one.shape[1]
    first, second = zip(*pairs, strict=True)
    found: NDArray[np.float64] = covariance[:, first, second]
    return found


def _table(count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Columns and signs ``[turn, feature]``: every turn exchanges features and changes their signs."""
    rows = [_row(mounting, count) for mounting in MOUNTINGS]
    return np.array([columns for columns, _ in rows]), np.array([signs for _, signs in rows])


def _row(mounting: Mounting, count: int) -> tuple[list[int], list[float]]:
    strengths = 1 if count == FEATURES["acc",] else 2
    columns, signs = list(range(strengths)), [1.0] * strengths
    blocks: list[Sequence[tuple[int, ...]]] = [[(axis,) for axis in range(3)], _PAIRS]
    if strengths == 2:
        blocks += [_PAIRS, _ALL_PAIRS]
    for block in blocks:
        places, first = {axes: place for place, axes in enumerate(block)}, len(columns)
        for axes in block:
            turned = tuple(mounting.columns[axis] for axis in axes)
            columns.append(first + places.get(turned, places.get(turned[::-1], 0)))
            signs.append(float(np.prod([mounting.signs[axis] for axis in axes])))
    return columns, signs


_TABLES = {count: _table(count) for count in FEATURES.values()}
