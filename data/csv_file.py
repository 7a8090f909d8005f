"""Recordings from and to CSV: ``t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z[,label][,subject][,recording]``.

:mod:`.csv_table` reads columns and units. The rows of one subject and recording form a trial, in which time must
increase. The rate is estimated from the steps of ``t``; a step of more than three sample periods is a gap and splits
the trial; other irregular steps are resampled onto a regular grid by linear interpolation.

A file that ends in the middle of a line, as after a power failure, is read up to that line.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, DataError, atomic_path

from .csv_table import CsvTable, NoRowError, read_table
from .quality import unit_oddities
from .recording import HIGHEST_RATE_HZ, UNLABELLED, UNLABELLED_NAME, Dataset, Recording, natural_sorted

GAP_PERIODS = 3.0
"""A step of more sample periods than this is a gap."""

_TIDY = 0.01
"""Largest drift of a rounded rate over the whole trial, in sample periods; otherwise the rate is not rounded."""

_UNEVEN = 0.1
"""Largest distance of a sample from the regular grid, in sample periods, that is not interpolated."""


_LOOK_LIKE = {
    "label": ("labels", "activity", "class"),
    "subject": ("subjects", "person", "participant", "user"),
}


class _Trial(NamedTuple):
    """The rows of one subject and recording, with labels as text."""

    subject: str
    name: str
    t: NDArray[np.float64]
    signals: NDArray[np.float64]
    labels: list[str]
    source: str


def read_csv(path: Path) -> Dataset:
    """Read one CSV file; without a ``subject`` column the file's name is the subject.

    Label names are in natural order; an empty cell or ``unlabelled`` means unlabelled.

    Raises:
        DataError: names the file, line and column.
    """
    return _dataset([path], path.stem)


def read_csv_folder(path: Path) -> Dataset:
    """Read all ``.csv`` files of a folder as one dataset; without a ``subject`` column a file's name is its subject.

    Files without rows are left out.

    Raises:
        DataError: names the file, line and column; also if the files' units differ.
    """
    files = [path / name for name in natural_sorted(file.name for file in path.glob("*.csv"))]
    return _dataset(files, path.name)


_HEADER = ",".join(("t", *CHANNELS, "label", "subject", "recording"))
CSV_START = _HEADER.encode()


def save_csv(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset as one CSV in SI units, atomically; gaps remain visible in ``t``.

    Raises:
        SetupError: if the folder cannot be written.
    """
    names = np.array([*dataset.label_names, ""])
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{_HEADER}\n")
        for recording in dataset.recordings:
            file.writelines(_lines(recording, names))


def _lines(recording: Recording, names: NDArray[np.str_]) -> Iterator[str]:
    tail = f"{_quoted(recording.subject)},{_quoted(recording.name)}"
    quoted = np.array([_quoted(name) for name in names])
    times = recording.start_s + np.arange(len(recording)) / recording.rate_hz
    for t, row, label in zip(
        times.tolist(), recording.signals.tolist(), quoted[recording.labels].tolist(), strict=True
    ):
        numbers = ",".join([f"{value:.7g}" for value in row])
        yield f"{t:.6f},{numbers},{label},{tail}\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r') else text


def _dataset(paths: list[Path], name: str) -> Dataset:
    oddities: list[str] = []
    tables = _tables(paths, oddities)
    units = {table.units for _, table in tables}
    if len(units) > 1:
        raise DataError(
            name, found="files in different units", expected="one unit", next_step="use the same units in every header"
        )
    trials = [trial for path, table in tables for trial in _trials(table, path)]
    label_names = natural_sorted({label for trial in trials for label in trial.labels} - {"", UNLABELLED_NAME})
    recordings = tuple(r for trial in trials for r in _recordings(trial, label_names, oddities))
    if not recordings:
        raise DataError(
            name, found="no two samples without a gap", expected="recordings", next_step="check the column t"
        )
    oddities += unit_oddities(recordings)
    return Dataset(
        recordings, label_names, name=name, oddities=tuple(dict.fromkeys(oddities)), original_units=units.pop()
    )


def _tables(paths: list[Path], oddities: list[str]) -> list[tuple[Path, CsvTable]]:
    """Read the files; if there are several, a file without rows is only noted as an oddity."""
    tables: list[tuple[Path, CsvTable]] = []
    for path in paths:
        try:
            table = read_table(path)
        except NoRowError as error:
            if path == paths[-1] and not tables:
                raise
            oddities.append(f"{path.name} was left out: {error.found}")
            continue
        if table.cut_off:
            oddities.append(f"{path.name} was cut off in its last line, which was left out")
        oddities += _misnamed(table)
        tables.append((path, table))
    return tables


def _misnamed(table: CsvTable) -> Iterator[str]:
    """Ignored columns that look like the labels or the subjects that a file lacks."""
    for wanted, others in _LOOK_LIKE.items():
        for column in table.ignored:
            if wanted not in table.text and column.casefold() in (wanted, *others):
                yield f"no column {wanted}, and the column {column} is ignored: rename it if it has the {wanted}s"


def _trials(table: CsvTable, path: Path) -> Iterator[_Trial]:
    """Group the rows by subject and recording, in order of first appearance."""
    count = len(table.t)
    subjects = table.text.get("subject", [path.stem] * count)
    names = table.text.get("recording", ["1"] * count)
    labels = table.text.get("label", [""] * count)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(subjects, names, strict=True)):
        rows.setdefault(key, []).append(row)
    for (subject, name), chosen in rows.items():
        _check_rising(table, np.array(chosen), path)
        own_labels = [labels[row] for row in chosen]
        yield _Trial(subject or path.stem, name, table.t[chosen], table.signals[chosen], own_labels, str(path))


def _check_rising(table: CsvTable, rows: NDArray[np.int64], path: Path) -> None:
    t = table.t[rows]
    falls = np.flatnonzero(np.diff(t) <= 0)
    if len(falls):
        at = int(falls[0]) + 1
        raise DataError(
            f"{path}, line {table.line[rows[at]]}, column t",
            found=f"{t[at]:g} s after {t[at - 1]:g} s",
            expected="time that increases within a subject's recording",
            next_step="sort the rows, or separate recordings by a column `recording`",
        )


def _recordings(trial: _Trial, label_names: tuple[str, ...], oddities: list[str]) -> Iterator[Recording]:
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
