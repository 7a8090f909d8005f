"""Times of samples as they were stamped: their unit, clocks that were set back, and stamps of whole packets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .read_options import TIME_UNITS

_BLOCK = 50
_GUESSED_HZ = (8.0, 500.0)
"""Rates that may tell the unit of the time: units are a factor of 1000 apart, so that one at most gives such a rate."""
_SHORT = 0.25
_BURSTY = 0.4
"""Times are stamps of packets if more than this share of the steps is shorter than a quarter of the period, ..."""
_WITHIN_S = 1e-3
"""... and than this: no wearable samples so fast, while one that samples in turns has its own period within them."""
_EVEN = 0.8
_PACKETS = 8
_ROWS_A_STRETCH = 10
_ROWS_A_FALL = 50
"""A clock is set back seldom; time that falls more often is in disorder."""
_OUTLIER = 3.0


class Spread(NamedTuple):
    """Times of samples that were stamped by packets, evenly spread.

    Args:
        t: float64 ``[sample]``, seconds.
        rate_hz: the sample rate.
        starts: first sample of each stretch without a gap, the first of all included.
    """

    t: NDArray[np.float64]
    rate_hz: float
    starts: list[int]


def usual_step(t: NDArray[np.float64]) -> float:
    """Median of the mean steps of short blocks: bursts and shared stamps are levelled, gaps and jumps are not counted.

    >>> usual_step(np.array([0.0, 0.0, 40.0, 40.0, 80.0]))
    20.0
    """
    size = min(_BLOCK, len(t) - 1)
    edges = t[::size]
    return float(np.median(np.diff(edges)) / size)


def guess_time_unit(steps: Sequence[float]) -> str | None:
    """The only unit but seconds in which the usual steps of some recordings give a rate of 8 to 500 Hz, else None.

    >>> guess_time_unit([20.0]), guess_time_unit([0.02]), guess_time_unit([1.0])
    ('ms', None, None)
    """
    step = float(np.median(steps)) if len(steps) else 0.0
    if step <= 0:
        return None
    slowest, fastest = _GUESSED_HZ
    fits = [unit for unit, factor in TIME_UNITS.items() if 1 / fastest <= step * factor <= 1 / slowest]
    return fits[0] if fits and fits[0] not in ("s", "iso") else None


def set_back(t: NDArray[np.float64]) -> list[int] | None:
    """First sample after each step back of a clock; None if time falls so often that the rows are in disorder.

    >>> set_back(np.array([*range(100), *range(90, 190)]))
    [100]
    """
    falls = np.flatnonzero(np.diff(t) < 0) + 1
    return falls.tolist() if len(falls) * _ROWS_A_FALL <= len(t) else None


def sorting_helps(t: NDArray[np.float64]) -> bool:
    """Whether the rows in order of time are evenly spaced, as those of one recording are, and not so now.

    >>> sorting_helps(np.arange(5.0)[::-1]), sorting_helps(np.array([0.0, 1.0, 2.0, 0.1, 1.1, 2.1]))
    (True, False)
    """
    steps = np.diff(np.sort(t))
    if not len(steps) or (np.diff(t) < 0).sum() * _ROWS_A_STRETCH < len(t):
        return False
    # The mean tells an even spacing from two that alternate, of which the median is one.
    return bool((np.abs(steps - steps.mean()) < steps.mean() / 2).mean() > _EVEN)


def is_stamped_by_packets(t: NDArray[np.float64]) -> bool:
    """Whether samples share stamps, or come in bursts; ``t`` does not fall."""
    if len(t) < 3 or t[-1] <= t[0]:
        return False
    return bool((np.diff(t) == 0).any()) or _is_bursty(t)


def _is_bursty(t: NDArray[np.float64]) -> bool:
    steps = np.diff(t)
    short = steps[steps < _SHORT * usual_step(t)]
    return len(short) > _BURSTY * len(steps) and float(np.median(short)) <= _WITHIN_S


def spread(t: NDArray[np.float64], gap_periods: float) -> Spread | None:
    """Spread samples that were stamped by packets evenly; None if their times tell no rate.

    The rate is the slope of a line through (samples so far, stamp of the packet's last sample), which all stretches
    between gaps share, with an offset each: the model of the device's own clock. Stamps that are far from the line, as
    of a packet that was held up, are left out of a second fit.

    Args:
        t: float64 ``[sample]``, seconds, not falling.
        gap_periods: that a packet may be late, in sample periods beside its own length, before there is a gap.
    """
    # A few shared stamps leave the median of the steps as it is.
    period = usual_step(t) if _is_bursty(t) else float(np.median(np.diff(t)))
    if period <= 0:
        period = float(t[-1] - t[0]) / (len(t) - 1)
    steps = np.diff(t)
    ends = np.append(np.flatnonzero(steps >= 2 * _SHORT * period), len(t) - 1)
    sizes = np.diff(ends, prepend=-1)
    # From end to end of a few packets: those at the ends of a block of rows would count in part.
    apart = min(_PACKETS, len(ends) - 1)
    if apart:
        period = float(np.median((t[ends[apart:]] - t[ends[:-apart]]) / (ends[apart:] - ends[:-apart])))
    late = np.diff(t[ends]) - sizes[1:] * period
    new = np.flatnonzero(late > (gap_periods + np.median(sizes)) * period) + 1
    part = np.zeros(len(ends), np.int64)
    part[new] = 1
    part = np.cumsum(part)
    slope = shared_slope(ends.astype(np.float64), t[ends], part)
    if not slope > 0:
        return None
    starts = [0, *(int(ends[first - 1]) + 1 for first in new)]
    even = np.empty(len(t))
    for number, (first, last) in enumerate(itertools.pairwise([*starts, len(t)])):
        own = ends[part == number]
        even[first:last] = np.median(t[own] - slope * own) + slope * np.arange(first, last)
    return Spread(even, 1 / slope, starts)


def shared_slope(x: NDArray[np.float64], y: NDArray[np.float64], part: NDArray[np.int64]) -> float:
    """Slope of the least-squares lines through the parts, whose offsets differ, without outliers."""
    kept = np.ones(len(x), bool)
    slope = 0.0
    for _ in range(2):
        counts = np.maximum(np.bincount(part[kept], minlength=part[-1] + 1), 1)
        ahead_x = x - (np.bincount(part[kept], x[kept], len(counts)) / counts)[part]
        ahead_y = y - (np.bincount(part[kept], y[kept], len(counts)) / counts)[part]
        square = float((ahead_x[kept] ** 2).sum())
        if square == 0:
            return slope
        slope = float((ahead_x[kept] * ahead_y[kept]).sum()) / square
        off = np.abs(ahead_y - slope * ahead_x)
        kept = off <= max(_OUTLIER * float(np.median(off)), abs(slope))
    return slope
