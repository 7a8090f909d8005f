"""Recordings from and to CSV: ``t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z[,label][,subject][,recording]``.

A table may have the three columns of one sensor alone, and ``mag_x,mag_y,mag_z`` beside them.

:mod:`.csv_table` reads columns and units. The rows of one subject and recording form a trial; where time goes back,
another one begins. :mod:`.even_grid` estimates the rate, splits the trial at gaps, and puts each part on a regular
grid.

A file that ends in the middle of a line, as after a power failure, is read up to that line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS, DataError, atomic_path, channels_of

from .column_names import NotRecordingError
from .csv_table import CsvTable, NoRowError, read_table
from .even_grid import Trial, even_recordings
from .label_oddities import alike_key
from .quality import unit_oddities
from .read_options import TIME_UNITS, ReadOptions, from_path
from .recording import UNLABELLED_NAME, Dataset, Recording, common_channels, natural_sorted, short_list
from .sample_times import guess_time_unit, set_back, sorting_helps, usual_step
from .segments import label_trials
from .time_notes import TimeNotes

SUFFIXES = (".csv", ".tsv")
_USUAL = ReadOptions()


class _File(NamedTuple):
    """A file's path, and its path inside the folder that is read."""

    path: Path
    inside: PurePath


class _Read(NamedTuple):
    """A file's table, with its times in seconds, and the unit that they were guessed to have."""

    file: _File
    table: CsvTable
    groups: dict[tuple[str, str], NDArray[np.int64]]
    t: NDArray[np.float64]
    guessed_unit: str | None


def read_csv(path: Path, options: ReadOptions = _USUAL) -> Dataset:
    """Read one file; without a ``subject`` column the file's name is the subject.

    Label names are in natural order; an empty cell or ``unlabelled`` means unlabelled.

    Raises:
        DataError: names the file, line and column.
    """
    return read_tables(path, options)[0]


def read_csv_folder(path: Path, options: ReadOptions = _USUAL) -> Dataset:
    """Read all ``.csv`` and ``.tsv`` files below a folder as one dataset; without a subject a file is one.

    Files without rows, and tables without any channel, are left out.

    Raises:
        DataError: names the file, line and column; also if the files' units differ.
    """
    return read_tables(path, options)[0]


def read_tables(path: Path, options: ReadOptions = _USUAL) -> tuple[Dataset, ReadOptions]:
    """As :func:`read_csv` or :func:`read_csv_folder`, with the choices that were given or guessed."""
    if path.is_dir():
        table = os.path.realpath(options.segments) if options.segments else None
        files = [each for each in table_files(path) if table is None or os.path.realpath(each) != table]
        inside = natural_sorted(each.relative_to(path).as_posix() for each in files)
        return _dataset([_File(path / name, PurePath(name)) for name in inside], path.name, options)
    return _dataset([_File(path, path)], path.stem, options)


def table_files(folder: Path) -> Iterator[Path]:
    """The files below a folder that may be recordings as text."""
    return (each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES and not each.is_dir())


def _header(channels: tuple[str, ...]) -> str:
    return ",".join(("t", *channels, "label", "subject", "recording"))


CSV_STARTS = tuple(
    _header(channels_of(kinds)).encode()
    for count in range(1, 1 + len(SENSORS))
    for kinds in combinations(SENSORS, count)
)
"""First lines of the files that :func:`save_csv` writes."""


def save_csv(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset as one CSV in SI units, atomically; gaps remain visible in ``t``.

    Raises:
        SetupError: if the folder cannot be written.
    """
    names = np.array([*dataset.label_names, ""])
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{_header(dataset.channels)}\n")
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


def _dataset(files: list[_File], name: str, options: ReadOptions) -> tuple[Dataset, ReadOptions]:
    oddities: list[str] = []
    read = _read_files(files, options, oddities)
    _check_columns(options, read, name)
    common_channels([each.table.channels for each in read], name)
    units = {each.table.units for each in read}
    if len(units) > 1:
        raise DataError(
            name, found="files in different units", expected="one unit", next_step="use the same units in every header"
        )
    notes = TimeNotes()
    trials, said = label_trials([trial for each in read for trial in _trials(each, options, notes)], options.segments)
    label_names = natural_sorted({label for trial in trials for label in trial.labels} - {"", UNLABELLED_NAME})
    recordings = tuple(r for trial in trials for r in even_recordings(trial, label_names, notes, options.fill_gaps))
    oddities += (*said, *notes.lines())
    if not recordings:
        raise DataError(
            name, found="no two samples without a gap", expected="recordings", next_step="check the column t"
        )
    oddities += unit_oddities(recordings)
    dataset = Dataset(
        recordings, label_names, name=name, oddities=tuple(dict.fromkeys(oddities)), original_units=units.pop()
    )
    return dataset, options.over(_guessed(read))


def _guessed(read: Sequence[_Read]) -> ReadOptions:
    columns = {theirs: ours for each in read for theirs, ours in each.table.guessed.items()}
    time_units = {each.guessed_unit for each in read if each.table.time_unit is None}
    return ReadOptions(tuple(columns.items()), time_units.pop() if len(time_units) == 1 else None)


def _read_files(files: list[_File], options: ReadOptions, oddities: list[str]) -> list[_Read]:
    """Read the files; if there are several, a file without rows or of something else is only noted as an oddity."""
    read: list[_Read] = []
    spellings: dict[tuple[str, str], str] = {}
    passed: list[str] = []
    for file in files:
        try:
            table = read_table(file.path, options)
        except (NoRowError, NotRecordingError) as error:
            if file == files[-1] and not read:
                raise
            if isinstance(error, NotRecordingError):
                passed.append(str(file.inside))
            else:
                oddities.append(f"{_shown(file)} was left out: {error.found}")
            continue
        if table.cut_off:
            oddities.append(f"{_shown(file)} was cut off in its last line, which was left out")
        oddities += table.notes
        if options.merge_alike:
            table = _with_merged(table, spellings)
        read.append(_in_seconds(file, table, options, oddities))
    if passed:
        oddities.append(f"passed over, without a column of any channel: {short_list(passed)}")
    return read


def _with_merged(table: CsvTable, spellings: dict[tuple[str, str], str]) -> CsvTable:
    """The table with names that are alike in the spelling that came first in the files."""
    text = {
        column: [spellings.setdefault((column, alike_key(cell)), cell) for cell in cells]
        for column, cells in table.text.items()
    }
    return replace(table, text=text)


def _shown(file: _File) -> str:
    return file.path.name if file.path == file.inside else str(file.inside)


def _in_seconds(file: _File, table: CsvTable, options: ReadOptions, oddities: list[str]) -> _Read:
    """The table by subject and recording; if nothing says the unit of its times, what their steps can only mean."""
    groups = _groups(file, table, options)
    if table.time_unit is not None:
        return _Read(file, table, groups, table.t, None)
    unit = guess_time_unit([usual_step(table.t[rows]) for rows in groups.values() if len(rows) > 1])
    if unit is None:
        return _Read(file, table, groups, table.t, None)
    oddities.append(f"times without a unit were taken for {unit}, which their steps mean; --time-unit says otherwise")
    return _Read(file, table, groups, table.t * TIME_UNITS[unit], unit)


def _check_columns(options: ReadOptions, read: Sequence[_Read], name: str) -> None:
    present = dict.fromkeys(column for each in read for column in each.table.names)
    for theirs, _ in options.columns:
        if read and theirs not in present:
            raise DataError(
                f"{name}: column {theirs}",
                found="no such column",
                expected=f"one of {', '.join(present)}",
                next_step="correct --columns",
            )


def _groups(file: _File, table: CsvTable, options: ReadOptions) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Rows by subject and recording, in order of first appearance."""
    count, own = len(table.t), file.path.stem
    nested = file.path != file.inside and len(file.inside.parts) > 1
    unnamed = str(file.inside.with_suffix("")) if nested else own
    subject = from_path(options.subject_from, file.inside, "subject_from")
    name = from_path(options.recording_from, file.inside, "recording_from")
    # Files of one subject are recordings of their own.
    usual = own if subject else "1"
    subjects = [subject] * count if subject else table.text.get("subject", [unnamed] * count)
    names = [name] * count if name else table.text.get("recording", [usual] * count)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(subjects, names, strict=True)):
        rows.setdefault((key[0] or unnamed, key[1]), []).append(row)
    return {key: np.array(chosen) for key, chosen in rows.items()}


def _trials(read: _Read, options: ReadOptions, notes: TimeNotes) -> Iterator[Trial]:
    """The rows by subject and recording; where a clock was set back, a recording ends and another begins."""
    table, path = read.table, read.file.path
    label = options.label or from_path(options.label_from, read.file.inside, "label_from")
    labels = [label] * len(table.t) if label else table.text.get("label", [""] * len(table.t))
    for (subject, name), rows in read.groups.items():
        t = read.t[rows]
        begins = set_back(t)
        if begins is None or (len(t) > 1 and t[0] == t[-1] and not begins):
            raise _disordered(t, table.line[rows], path)
        for number, part in enumerate(np.split(rows, begins), 1):
            own = f"{name}-{number}" if number > 1 else name
            if number > 1:
                # The next sample would have come a period later.
                back = t[begins[number - 2] - 1] + usual_step(t) - read.t[part[0]]
                notes.set_back.append(
                    f"subject {subject}, trial {name}: the clock was set back by {back:.6g} s at line "
                    f"{table.line[part[0]]}: a recording ends there, and {own} begins"
                )
            cells = [labels[row] for row in part]
            yield Trial(subject, own, read.t[part], table.signals[part], cells, str(path), table.channels)


def _disordered(t: NDArray[np.float64], line: NDArray[np.int64], path: Path) -> DataError:
    at = int(np.flatnonzero(np.diff(t) <= 0)[0]) + 1
    return DataError(
        f"{path}, line {line[at]}, column t",
        found=f"{t[at]:.12g} s after {t[at - 1]:.12g} s",
        expected="time that increases within a subject's recording",
        next_step=("sort the rows, or " if sorting_helps(t) else "") + "separate recordings by a column `recording`",
    )
