"""Parsing a table of samples into arrays in SI units; :mod:`.csv_file` groups the rows into recordings.

:mod:`.dialect` finds the encoding and the delimiter, :mod:`.column_names` the columns: ``t`` or ``t_s`` (``t_ms``,
``t_us``, ``t_ns``), ``acc_x`` or ``acc_x_mps2`` (``acc_x_g``, ``acc_x_mg``), ``gyro_x`` or ``gyro_x_rads``
(``gyro_x_dps``, ``gyro_x_mdps``), ``mag_x`` or ``mag_x_ut`` (``mag_x_nt``, ``mag_x_gauss``). Without a
suffix a value is in SI units, of a magnetic field in microtesla. ``label``, ``subject`` and ``recording`` are optional,
other columns are ignored.

If a file was cut off while it was written, an incomplete last line is left out.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS, DataError, open_input, sensors_of, units_of
from deseptr.contract.counts import counted

from .column_names import Columns, find_columns, notes_of
from .dialect import Dialect, find_dialect
from .label_oddities import clean_name
from .moments import day_seconds, is_time_of_day, iso_seconds
from .read_options import TIME_UNITS, ReadOptions
from .units import to_si

TIME_FACTORS = {"t": 1.0, "t_s": 1.0, "t_ms": 1e-3, "t_us": 1e-6, "t_ns": 1e-9}
_LONGEST_LINE = 2**16
# Even nanoseconds since 1970, and what float32 holds.
_LARGEST = 1e20
_NO_DATE = "1970-01-01"
_MOMENTS = "a date and time as 2026-01-31T12:00:00.250, or times of day beside a column date as 2026-01-31"


@dataclass(frozen=True, eq=False)
class CsvTable:
    """The rows of a table.

    Args:
        t: float64 ``[row]``, seconds; in an unknown unit if there is no ``time_unit``.
        time_unit: of the times in the file; None if neither the file nor a choice says it.
        signals: float64 ``[row, channel]`` in SI units, NaN where a cell is empty.
        channels: their names.
        text: the columns ``label``, ``subject`` and ``recording`` if present, one string per row.
        units: unit of each channel in the file.
        line: ``[row]``, line number in the file, from 1.
        cut_off: whether an incomplete last line was left out.
        notes: how the file was read, as far as it does not say it by itself.
        guessed: column by name in the file, as far as only its meaning says it.
        names: of all columns in the file.
    """

    t: NDArray[np.float64]
    time_unit: str | None
    signals: NDArray[np.float64]
    channels: tuple[str, ...]
    text: dict[str, list[str]]
    units: tuple[str, ...]
    line: NDArray[np.int64]
    cut_off: bool
    notes: tuple[str, ...]
    guessed: dict[str, str]
    names: tuple[str, ...]


class NoRowError(DataError):
    """A file has no row: it is empty, or was cut off before the end of the first row."""


class _Layout(NamedTuple):
    """Columns, and how their cells become numbers."""

    columns: Columns
    time_unit: str | None
    units: tuple[str, ...]
    time: Callable[[Sequence[str]], float]
    number: Callable[[str], float]
    dialect: Dialect
    names: tuple[str, ...]
    date_note: str | None = None


def read_table(path: Path, options: ReadOptions = ReadOptions()) -> CsvTable:  # noqa: B008 - frozen
    """Read a file with a header.

    Raises:
        NoRowError: if it has no row.
        NotRecordingError: if it has no column of a channel.
        DataError: names file, line and column of a missing column, a row of another length or a cell without number.
    """
    try:
        dialect = find_dialect(path, options.encoding)
        # A character that was cut in two must not make the lines before it unreadable.
        with open_input(path) as content:
            file = io.TextIOWrapper(content, encoding=dialect.encoding, errors="surrogateescape", newline="")
            lines = _lines(file)
            for _ in range(dialect.skipped):
                next(lines)
            rows = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.delimiter == " ")
            layout = _first_row(rows, path, dialect, options)
            return _parse(rows, layout, path)
    except (OSError, UnicodeError, csv.Error) as error:
        raise _unreadable(path, error) from error


def _lines(file: TextIO) -> Iterator[str]:
    """Lines of a file; one of gigabytes, as in a file of zeros, must not be read at once."""
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"a line of more than {_LONGEST_LINE:,} characters")
        yield line


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return DataError(
        path,
        found=f"an unreadable file ({reason})",
        expected="a CSV in UTF-8, or with --encoding",
        next_step="export it again",
    )


def _first_row(rows: Iterator[list[str]], path: Path, dialect: Dialect, options: ReadOptions) -> _Layout:
    header = next(rows, [])
    text = "".join(header)
    if "\0" in text:
        raise csv.Error("a NUL in its header")
    text.encode()
    try:
        columns = find_columns(header, path, options)
    except DataError as error:
        if not dialect.ended and next(rows, None) is None:
            raise NoRowError(
                error.thing, found=error.found, expected=error.expected, next_step=error.next_step
            ) from error
        raise
    names = tuple(name.strip() for name in header)
    sides = tuple(options.unit_of(sensor) for sensor in sensors_of(columns.channels) for _ in SENSORS[sensor].channels)
    stated = zip(columns.units[1:], sides, units_of(columns.channels), strict=True)
    units = tuple(said or chosen or usual for said, chosen, usual in stated)
    number = _comma_number if dialect.decimal_comma else float
    said = columns.units[0] or options.time_unit
    if said in (None, "iso") and (of_day := _day_time(_second_row(dialect, columns), columns)):
        note = "times of day without a date were taken for those of one day"
        if columns.date is not None:
            note = f"the columns {names[columns.date]} and {columns.names[0]} were taken together for the time"
        return _Layout(columns, "iso", units, of_day, number, dialect, names, note)
    time_unit = said or ("iso" if _is_iso(dialect, columns) else None)
    read, at = iso_seconds if time_unit == "iso" else number, columns.positions[0]
    return _Layout(columns, time_unit, units, lambda row: read(row[at]), number, dialect, names)


def _comma_number(cell: str) -> float:
    return float(cell.replace(",", "."))


def _day_time(row: Sequence[str], columns: Columns) -> Callable[[Sequence[str]], float] | None:
    """How rows like this one give a moment by a time of day, beside a date if there is one; None if they do not."""
    time, date = columns.positions[0], columns.date
    if not row or not is_time_of_day(row[time]):
        return None
    return lambda row: day_seconds(_NO_DATE if date is None else row[date], row[time])


def _second_row(dialect: Dialect, columns: Columns) -> tuple[str, ...]:
    """The first row of samples, empty if it is not a whole one."""
    rows = dialect.rows[1:2]
    return rows[0] if rows and len(rows[0]) == columns.width else ()


def _is_iso(dialect: Dialect, columns: Columns) -> bool:
    row = _second_row(dialect, columns)
    if not row:
        return False
    cell = row[columns.positions[0]]
    try:
        iso_seconds(cell)
    except ValueError:
        return False
    # Basic formats, as 20231114, are numbers too.
    return "-" in cell[1:] and ":" in cell


def _parse(rows: Iterator[list[str]], layout: _Layout, path: Path) -> CsvTable:
    numbers, lines, empty = array("d"), array("q"), array("q")
    columns, dialect = layout.columns, layout.dialect
    text: dict[str, list[str]] = {name: [] for name in columns.text}
    # Few distinct labels and subjects: sharing their strings keeps an hour of samples small.
    shared: dict[str, str] = {}
    cut_off = False
    for row in rows:
        if not row:
            continue
        line = dialect.skipped + rows.line_num  # type: ignore[attr-defined]
        try:
            values = _numbers(row, layout)
            cells = [_shared(row[position].strip(), shared) for position in columns.text.values()]
        except (ValueError, OverflowError):
            cut_off = not dialect.ended and next(rows, None) is None
            if cut_off:
                break
            raise _bad_row(path, line, row, layout) from None
        if "" in row:
            # A NaN that is written out is a fault; an empty cell is a sample that is missing.
            empty.extend(len(numbers) + place for place, at in enumerate(columns.positions) if not row[at])
        numbers.extend(values)
        lines.append(line)
        for name, cell in zip(columns.text, cells, strict=True):
            text[name].append(cell)
    width = len(columns.positions)
    if empty and not dialect.ended and not cut_off and empty[-1] >= len(numbers) - width:
        # The cells of a line without its end are not empty but not written yet.
        cut_off = True
        del numbers[-width:], lines[-1:]
        text = {name: cells[:-1] for name, cells in text.items()}
        empty = array("q", [place for place in empty if place < len(numbers)])
    return _table(numbers, lines, empty, text, layout, path, cut_off)


def _numbers(row: list[str], layout: _Layout) -> list[float]:
    if len(row) != layout.columns.width:
        raise ValueError(counted(len(row), "column"))
    _, *channels = layout.columns.positions
    return [layout.time(row), *[layout.number(row[place]) if row[place] else math.nan for place in channels]]


def _shared(cell: str, shared: dict[str, str]) -> str:
    if cell not in shared:
        cell.encode()
        shared[cell] = clean_name(cell)
    return shared[cell]


def _table(
    numbers: array[float],
    lines: array[int],
    empty: array[int],
    text: dict[str, list[str]],
    layout: _Layout,
    path: Path,
    cut_off: bool,
) -> CsvTable:
    line = np.array(lines, np.int64)
    columns = layout.columns
    if not len(line):
        raise NoRowError(
            f"{path}, line 2",
            found="no row",
            expected="at least two rows of samples",
            next_step="correct the file or leave it out",
        )
    values = np.array(numbers).reshape(len(line), len(columns.positions))
    missing = np.zeros(values.size, bool)
    missing[np.array(empty, np.int64)] = True
    missing = missing.reshape(values.shape)
    _check_some(missing, columns, path)
    bad = np.argwhere(~((np.abs(values) <= _LARGEST) | missing))
    if len(bad):
        row, column = bad[0]
        found = f"{values[row, column]}"
        raise _bad_cell(path, int(line[row]), columns.names[column], found, f"a finite number, {_LARGEST:g} at most")
    values *= (TIME_UNITS[layout.time_unit or "s"], *(to_si(unit, path) for unit in layout.units))
    notes = [note for note in (layout.dialect.note(), layout.date_note) if note]
    notes += notes_of(columns)
    return CsvTable(
        values[:, 0],
        layout.time_unit,
        values[:, 1:],
        columns.channels,
        text,
        layout.units,
        line,
        cut_off,
        tuple(notes),
        columns.guessed,
        layout.names,
    )


def _check_some(missing: NDArray[np.bool_], columns: Columns, path: Path) -> None:
    for name, empty in zip(columns.names, np.asarray(missing.all(0)).tolist(), strict=True):
        if empty:
            raise DataError(
                f"{path}, column {name}",
                found="empty cells alone",
                expected="numbers",
                next_step="leave the file out, or name the right column with --columns",
            )


def _bad_row(path: Path, line: int, row: list[str], layout: _Layout) -> DataError:
    columns = layout.columns
    if len(row) != columns.width:
        return _bad_cell(path, line, "", counted(len(row), "column"), f"{columns.width} as in the header")
    for place, (name, position) in enumerate(zip(columns.names, columns.positions, strict=True)):
        try:
            layout.number(row[position]) if place else layout.time(row)
        except (ValueError, OverflowError):
            if place:
                return _bad_cell(path, line, name, repr(row[position]), "a number")
            shown = repr(row[position]) + (f" of {row[columns.date]!r}" if columns.date is not None else "")
            expected = _MOMENTS if layout.time_unit == "iso" else f"a number, or {_MOMENTS}"
            return _bad_cell(path, line, name, shown, expected, "write all times so, or leave the row out")
    return _bad_cell(
        path,
        line,
        ", ".join(columns.text),
        "bytes that are not text",
        "text in UTF-8",
        "name the file's encoding with --encoding, as cp1252, or correct the file",
    )


def _bad_cell(
    path: Path,
    line: int,
    column: str,
    found: str,
    expected: str,
    next_step: str = "correct the file or leave the row out",
) -> DataError:
    place = f"{path}, line {line}" + (f", column {column}" if column else "")
    return DataError(place, found=found, expected=expected, next_step=next_step)
