"""Samples with empty cells: rows of a sensor that is slower than another, and samples that were lost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SLOWER = 0.2
"""A sensor that lacks more than this share of the rows is slower, or has rows of its own; else samples were lost."""


class Completed(NamedTuple):
    """Rows without an empty cell.

    Args:
        kept: indices of the rows that remain.
        signals: float64 ``[kept, channel]``.
        slower: the sensors that were interpolated between their samples, by number.
        lost: rows that were left out.
    """

    kept: NDArray[np.int64]
    signals: NDArray[np.float64]
    slower: tuple[int, ...]
    lost: int


def complete(t: NDArray[np.float64], signals: NDArray[np.float64], gap_periods: float) -> Completed:
    """Interpolate slower sensors at the times of the fastest one, and leave out rows that still lack a value.

    Args:
        t: float64 ``[row]``, seconds, rising.
        signals: float64 ``[row, channel]``, three channels a sensor, NaN where a cell is empty.
        gap_periods: of the slower sensor, over which its values are not interpolated.
    """
    present: NDArray[np.bool_] = np.asarray(np.isfinite(signals).reshape(len(t), -1, 3).all(2))
    rows = np.arange(len(t))
    if present.all():
        return Completed(rows, signals, (), 0)
    counts = present.sum(0)
    fast = int(counts.argmax())
    slower = tuple(each for each in range(len(counts)) if each != fast and 2 <= counts[each] <= (1 - _SLOWER) * len(t))
    if slower:
        rows = np.flatnonzero(present[:, fast])
        signals = signals.copy()
    for each in slower:
        own, columns = np.flatnonzero(present[:, each]), slice(3 * each, 3 * each + 3)
        signals[rows, columns] = _interpolated(t[own], signals[own, columns], t[rows], gap_periods)
    whole = rows[np.asarray(np.isfinite(signals[rows]).all(1))]
    return Completed(whole, signals[whole], slower, len(rows) - len(whole))


def _interpolated(
    t: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64], gap_periods: float
) -> NDArray[np.float64]:
    """Values at other times, NaN outside of them and where the two nearest are too far apart."""
    after = np.searchsorted(t, at).clip(1, len(t) - 1)
    apart = t[after] - t[after - 1]
    inside = np.asarray((at >= t[0]) & (at <= t[-1]) & (apart <= gap_periods * np.median(np.diff(t))))
    filled = np.stack([np.interp(at, t, channel) for channel in values.T], 1)
    filled[~inside] = np.nan
    return filled
