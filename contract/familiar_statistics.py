"""Simple statistics of a window, and their distance from others.

A class is only the most probable one of a list. A movement outside the list, or a sensor worn elsewhere, shows in the
direction of gravity and in how much each axis moves. The statistics need no model, so that people whom the model was
trained on are no more alike than others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .channels import SENSORS, sensors_of

# Added to standard deviations before the logarithm: less than this is a sensor's noise. In SI units.
_NOISE = {"acc": 0.05, "gyro": 0.02}


def window_statistics(windows: NDArray[np.float32], channels: Sequence[str]) -> NDArray[np.float64]:
    """Statistics ``[…, statistic]`` of windows ``[…, time, channel]`` in SI units.

    The mean of each axis of the accelerometer, which is gravity, then the logarithm of the standard deviation of each
    axis of accelerometer and gyroscope. A magnetometer has no part: its surroundings differ more than movements do.
    """
    columns, gravity, noise = _columns(channels)
    samples = np.asarray(windows, np.float64)[..., columns]
    mean = samples.mean(axis=-2)
    spread = np.sqrt(np.square(samples - mean[..., None, :]).mean(axis=-2))
    return np.concatenate([mean[..., :gravity], np.log(spread + noise)], axis=-1)


def nearest(rows: NDArray[Any], table: NDArray[Any]) -> NDArray[np.float64]:
    """Distance of each row ``[row, statistic]`` from its nearest row of a table ``[prototype, statistic]``."""
    ahead = np.square(rows).sum(1)[:, None] - 2 * rows @ table.T + np.square(table).sum(1)
    return np.asarray(np.sqrt(np.maximum(ahead, 0).min(axis=1)))


def _columns(channels: Sequence[str]) -> tuple[list[int], int, NDArray[np.float64]]:
    """Columns of accelerometer and gyroscope, in this order; how many are of the first; noise of each."""
    found = [name for name in sensors_of(channels) if name in _NOISE]
    names = [(name, channel) for name in found for channel in SENSORS[name].channels]
    columns = [list(channels).index(channel) for _, channel in names]
    return columns, 3 * ("acc" in found), np.array([_NOISE[name] for name, _ in names])
