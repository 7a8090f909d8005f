"""Times of samples: their unit, the sample rate, gaps, and samples on a regular grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

from .read_options import TIME_UNITS
from .recording import HIGHEST_RATE_HZ, UNLABELLED, Recording

GAP_PERIODS = 3.0
"""A step of more sample periods than this is a gap."""

_TIDY = 0.01
"""Largest drift of a rounded rate over the whole trial, in sample periods; otherwise the rate is not rounded."""

_UNEVEN = 0.1
"""Largest distance of a sample from the regular grid, in sample periods, that is not interpolated."""

_BLOCK = 50
_GUESSED_HZ = (8.0, 500.0)
"""Rates that may tell the unit of the time: units are a factor of 1000 apart, so that one at most gives such a rate."""


class Trial(NamedTuple):
    """The rows of one subject and recording, with labels as text."""

    subject: str
    name: str
    t: NDArray[np.float64]
    signals: NDArray[np.float64]
    labels: list[str]
    source: str


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
    fits = [unit for unit, factor in TIME_UNITS.items() if _GUESSED_HZ[0] <= 1 / (step * factor) <= _GUESSED_HZ[1]]
    return fits[0] if fits and fits[0] not in ("s", "iso") else None


def even_recordings(trial: Trial, label_names: tuple[str, ...], oddities: list[str]) -> Iterator[Recording]:
    """Split a trial at its gaps and resample each part to a regular grid; remarks are added to ``oddities``."""
    index = {label: number for number, label in enumerate(label_names)}
    labels = np.array([index.get(label, UNLABELLED) for label in trial.labels], np.int16)
    title = f"subject {trial.subject}, trial {trial.name}"
    if len(trial.t) < 2:
        oddities.append(f"{title}: a single sample was left out because its rate is unknown")
        return
    steps = np.diff(trial.t)
    period = float(np.median(steps))
    gaps = np.flatnonzero(steps > GAP_PERIODS * period) + 1
    if period < 1 / HIGHEST_RATE_HZ:
        raise DataError(
            title,
            found=f"{period:g} s from sample to sample",
            expected=f"at least {1 / HIGHEST_RATE_HZ:g} s",
            next_step="check the times and their unit",
        )
    rate = _rate(steps, period)
    for first, last in itertools.pairwise([0, *gaps.tolist(), len(trial.t)]):
        part = slice(first, last)
        if last - first < 2:
            oddities.append(f"{title}: a single sample at {trial.t[first]:g} s between gaps was left out")
            continue
        signals, even_labels, moved = _evened(trial.t[part], trial.signals[part], labels[part], rate)
        if moved:
            oddities.append(
                f"{title}: irregular steps from {trial.t[first]:g} s on, up to {moved:.2f} of a period off a regular "
                f"{rate:g} Hz, were interpolated"
            )
        start = float(trial.t[first] - trial.t[0])
        yield Recording(signals, rate, trial.subject, even_labels, trial.name, start)


def _rate(steps: NDArray[np.float64], period: float) -> float:
    """Sample rate from the steps without gaps; a step of about two periods counts as two.

    The median alone would contain the rounding of ``t``: 30 Hz in whole milliseconds has a median of 33 ms.
    """
    whole = steps[steps <= GAP_PERIODS * period]
    periods = np.maximum(1, np.rint(whole / period))
    rate = float(periods.sum() / whole.sum())
    tidy = round(rate, 4)
    return tidy if abs(tidy - rate) * steps.sum() < _TIDY else rate


def _evened(
    t: NDArray[np.float64], signals: NDArray[np.float64], labels: NDArray[np.int16], rate: float
) -> tuple[NDArray[np.float32], NDArray[np.int16], float]:
    """Signals and labels on a regular grid, and the largest distance from it in periods, 0 if unchanged."""
    off = float(np.abs((t - t[0]) * rate - np.arange(len(t))).max())
    if off <= _UNEVEN:
        return signals.astype(np.float32), labels, 0.0
    count = int(np.floor((t[-1] - t[0]) * rate + _UNEVEN)) + 1
    grid = t[0] + np.arange(count) / rate
    even = np.stack([np.interp(grid, t, channel) for channel in signals.T], 1)
    after = np.searchsorted(t, grid).clip(1, len(t) - 1)
    nearest = np.where(grid - t[after - 1] <= t[after] - grid, after - 1, after)
    return even.astype(np.float32), labels[nearest], off
