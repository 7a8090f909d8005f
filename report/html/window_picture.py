"""Small pictures of the signals of a window, as SVG of a few hundred bytes a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract.channels import SENSORS, sensors_of

POINTS = 64
"""Points of a trace at most."""
HALF = 30
"""Units of height from zero to a picture's limit."""
_GAP = 4
_STEPS = (1.0, 2.5, 5.0)


class Band(NamedTuple):
    """A sensor's part of a picture: its name, its unit, and the value at the upper and lower edge."""

    sensor: str
    unit: str
    limit: float


def window_picture(signals: NDArray[np.float32], channels: Sequence[str]) -> str:
    """The picture of a window: a band for each sensor, with a trace for each axis.

    Args:
        signals: finite, ``[sample, channel]`` in SI units.
        channels: names of the channels.
    """
    found = bands(signals, channels)
    height = len(found) * (2 * HALF + _GAP) - _GAP
    width = min(len(signals), POINTS) - 1
    parts = []
    for place, band in enumerate(found):
        zero = HALF + place * (2 * HALF + _GAP)
        parts.append(f'<line x2="{width}" y1="{zero}" y2="{zero}"/>')
        parts += [
            f'<path class="{axis}" d="{path(signals[:, list(channels).index(channel)], band.limit, zero)}"/>'
            for axis, channel in zip("xyz", SENSORS[band.sensor].channels, strict=True)
        ]
    label = "; ".join(f"{SENSORS[band.sensor].title} within {limit_text(band)}" for band in found)
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def bands(signals: NDArray[np.float32], channels: Sequence[str]) -> list[Band]:
    """The bands of a picture, with limits of a 1, 2.5, 5 series that hold every sample."""
    found = []
    for name in sensors_of(channels):
        columns = [list(channels).index(channel) for channel in SENSORS[name].channels]
        largest = float(np.abs(signals[:, columns]).max(initial=0.0))
        found.append(Band(name, SENSORS[name].unit, _limit(largest)))
    return found


def limit_text(band: Band) -> str:
    """Limits of a band with their unit.

    >>> limit_text(Band("acc", "m/s^2", 25.0))
    '±25 m/s²'
    """
    return f"±{band.limit:g} {band.unit.replace('^2', '²').replace('uT', 'µT')}"


def path(values: NDArray[np.float32], limit: float, zero: int) -> str:
    """A trace as SVG path data in whole units, one to the right for each point.

    >>> path(np.array([0.0, 5.0, -5.0], np.float32), limit=5.0, zero=30)
    'M0 30l1-30 1 60'
    """
    heights = np.rint(zero - np.clip(decimate(values), -limit, limit) * (HALF / limit)).astype(int)
    steps = [f"1{step}" if step < 0 else f"1 {step}" for step in np.diff(heights).tolist()]
    return f"M0 {heights[0]}l{' '.join(steps)}" if steps else f"M0 {heights[0]}"


def decimate(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """At most :data:`POINTS` values: the lowest and the highest of each stretch, in the order of their time.

    No peak is lost, as it would be in a mean or in every nth sample.
    """
    if len(values) <= POINTS:
        return values
    chosen = []
    for stretch in np.array_split(np.arange(len(values)), POINTS // 2):
        part = values[stretch]
        chosen += sorted((int(stretch[part.argmin()]), int(stretch[part.argmax()])))
    return values[chosen]


def _limit(largest: float) -> float:
    """The least of 1, 2.5 and 5 times a power of ten that is not less; at least 1, so that noise at rest looks flat."""
    power = 10.0 ** np.floor(np.log10(max(largest, 1.0)))
    return next(float(step * power) for step in (*_STEPS, 10.0) if max(largest, 1.0) <= step * power)
