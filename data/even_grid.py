"""From the rows of a trial to recordings: the sample rate, gaps, and samples on a regular grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, SENSORS, DataError, sensors_of

from .missing_cells import complete
from .recording import HIGHEST_RATE_HZ, UNLABELLED, Recording
from .sample_times import is_stamped_by_packets, spread
from .time_notes import TimeNotes

GAP_PERIODS = 3.0
"""A step of more sample periods than this is a gap."""

_TIDY = 0.01
"""Largest drift of a rounded rate over the whole trial, in sample periods; otherwise the rate is not rounded."""

_UNEVEN = 0.1
"""Largest distance of a sample from the regular grid, in sample periods, that is not interpolated."""

# A gap of 0.1 s is one of 0.1 s, however its times are rounded.
_ROUNDING_S = 1e-6


class Trial(NamedTuple):
    """The rows of one subject and recording, with labels as text."""

    subject: str
    name: str
    t: NDArray[np.float64]
    signals: NDArray[np.float64]
    labels: list[str]
    source: str
    channels: tuple[str, ...] = CHANNELS


def even_recordings(
    trial: Trial, label_names: tuple[str, ...], notes: TimeNotes, fill_gaps_s: float | None = None
) -> Iterator[Recording]:
    """Split a trial at its gaps and put each part on a regular grid.

    Args:
        trial: its times do not fall.
        label_names: in the order of the recordings' labels.
        notes: get what was done.
        fill_gaps_s: gaps of up to so many seconds are interpolated; by default those of up to three periods.

    Raises:
        DataError: if the times are too close together for any sensor.
    """
    title = f"subject {trial.subject}, trial {trial.name}"
    trial, labels = _without_empty_cells(trial, label_names, notes, title)
    if len(trial.t) < 2:
        notes.singles.append(f"{title}: a single sample was left out because its rate is unknown")
        return
    t, rate, starts = _timed(trial, notes, title, fill_gaps_s)
    for first, last in itertools.pairwise([*starts, len(t)]):
        part = slice(first, last)
        if last - first < 2:
            notes.singles.append(f"{title}: a single sample at {t[first]:g} s between gaps was left out")
            continue
        signals, even_labels, moved = _evened(t[part], trial.signals[part], labels[part], rate)
        if moved:
            text = f"up to {moved:.2f} of a period off a regular {rate:g} Hz, were interpolated"
            notes.moved.append((f"{title}: irregular steps from {t[first]:g} s on, {text}", moved))
        yield Recording(signals, rate, trial.subject, even_labels, trial.name, float(t[first] - t[0]), trial.channels)


def _without_empty_cells(
    trial: Trial, label_names: tuple[str, ...], notes: TimeNotes, title: str
) -> tuple[Trial, NDArray[np.int16]]:
    index = {label: number for number, label in enumerate(label_names)}
    labels = np.array([index.get(label, UNLABELLED) for label in trial.labels], np.int16)
    whole = complete(trial.t, trial.signals, GAP_PERIODS)
    notes.lost += whole.lost
    sensors = sensors_of(trial.channels)
    for each in whole.slower:
        named = SENSORS[sensors[each]].title
        notes.slower.append(f"{title}: {named} is slower or stamped apart and was interpolated")
    return trial._replace(t=trial.t[whole.kept], signals=whole.signals), labels[whole.kept]


def _timed(
    trial: Trial, notes: TimeNotes, title: str, fill_gaps_s: float | None
) -> tuple[NDArray[np.float64], float, list[int]]:
    """Times, rate, and the first sample after each gap, that of the trial included."""
    even = spread(trial.t, GAP_PERIODS) if is_stamped_by_packets(trial.t) else None
    if even and even.rate_hz <= HIGHEST_RATE_HZ:
        rate = _tidied(even.rate_hz, float(trial.t[-1] - trial.t[0]))
        notes.spread.append(f"{title}: samples share stamps or come in bursts, and were spread evenly at {rate:g} Hz")
        steps = np.diff(even.t)
        short = (steps > 0) & (steps <= (fill_gaps_s or 0.0) + _ROUNDING_S)
        filled = [first for first in even.starts[1:] if short[first - 1]]
        notes.filled += [float(steps[first - 1]) for first in filled]
        return even.t, rate, [first for first in even.starts if first not in filled]
    steps = np.diff(trial.t)
    period = float(np.median(steps))
    if period < 1 / HIGHEST_RATE_HZ:
        raise DataError(
            title,
            found=f"{period:g} s from sample to sample",
            expected=f"at least {1 / HIGHEST_RATE_HZ:g} s",
            next_step="check the times and their unit",
        )
    longest = max(GAP_PERIODS * period, (fill_gaps_s or 0.0) + _ROUNDING_S)
    notes.filled += steps[(steps > GAP_PERIODS * period) & (steps <= longest)].tolist()
    return trial.t, _rate(steps, period), [0, *(np.flatnonzero(steps > longest) + 1).tolist()]


def _rate(steps: NDArray[np.float64], period: float) -> float:
    """Sample rate from the steps without gaps; a step of about two periods counts as two.

    The median alone would contain the rounding of ``t``: 30 Hz in whole milliseconds has a median of 33 ms.
    """
    whole = steps[steps <= GAP_PERIODS * period]
    periods = np.maximum(1, np.rint(whole / period))
    rate = float(periods.sum() / whole.sum())
    return _tidied(rate, float(steps.sum()))


def _tidied(rate: float, span_s: float) -> float:
    tidy = round(rate, 4)
    return tidy if abs(tidy - rate) * span_s < _TIDY else rate


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
