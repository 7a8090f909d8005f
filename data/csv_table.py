"""Parsing a CSV of samples into arrays in SI units; :mod:`.csv_file` groups the rows into recordings.

The header names time and channels with their units: ``t`` or ``t_s`` (``t_ms``, ``t_us``, ``t_ns``), ``acc_x`` or
``acc_x_mps2`` (``acc_x_g``, ``acc_x_mg``), ``gyro_x`` or ``gyro_x_rads`` (``gyro_x_dps``, ``gyro_x_mdps``). Without a
suffix a value is in SI units. ``label``, ``subject`` and ``recording`` are optional, other columns are ignored.

If a file was cut off while it was written, an incomplete last line is left out.
"""

from __future__ import annotations

import csv
import io
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, DataError, open_input

from .units import to_si

TEXT_COLUMNS = ("label", "subject", "recording")
TIME_FACTORS = {"t": 1.0, "t_s": 1.0, "t_ms": 1e-3, "t_us": 1e-6, "t_ns": 1e-9}
_LONGEST_LINE = 2**16
# Even nanoseconds since 1970, and what float32 holds.
_LARGEST = 1e20
_ACC_SUFFIX = {"": "m/s^2", "_mps2": "m/s^2", "_ms2": "m/s^2", "_g": "g", "_mg": "mg"}
_GYRO_SUFFIX = {"": "rad/s", "_rads": "rad/s", "_radps": "rad/s", "_dps": "dps", "_mdps": "mdps"}


@dataclass(frozen=True, eq=False)
class CsvTable:
    """The rows of a CSV.

    Args:
        t: float64 ``[row]``, seconds.
        signals: float64 ``[row, 6]`` in SI units.
        text: the columns ``label``, ``subject`` and ``recording`` if present, one string per row.
        units: unit of each channel in the file.
        line: ``[row]``, line number in the file, from 1.
        cut_off: whether an incomplete last line was left out.
        ignored: names of the columns that are not used.
    """

    t: NDArray[np.float64]
    signals: NDArray[np.float64]
    text: dict[str, list[str]]
    units: tuple[str, ...]
    line: NDArray[np.int64]
    cut_off: bool = False
    ignored: tuple[str, ...] = ()


class NoRowError(DataError):
    """A file has no row: it is empty, or was cut off before the end of the first row."""


@dataclass(frozen=True)
class _Layout:
    """Positions, factors and units of time and the six channels, and positions of the text columns."""

    width: int
    names: tuple[str, ...]
    positions: tuple[int, ...]
    factors: tuple[float, ...]
    units: tuple[str, ...]
    text: dict[str, int]
    ignored: tuple[str, ...]


def read_table(path: Path) -> CsvTable:
    """Read a CSV file with a header.

    Raises:
        NoRowError: if it has no row.
        DataError: names file, line and column of a missing column, a row of another length or a cell without number.
    """
    unended = _last_line_unended(path)
    try:
        # A character that was cut in two must not make the lines before it unreadable.
        with open_input(path) as content:
            file = io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")
            rows = csv.reader(_lines(file))
            layout = _first_row(rows, path, unended)
            return _parse(rows, layout, path, unended)
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
        path, found=f"an unreadable file ({reason})", expected="a CSV in UTF-8", next_step="export it again"
    )


def _last_line_unended(path: Path) -> bool:
    try:
        with open_input(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read(1) not in (b"\n", b"\r")
    except OSError as error:
        raise _unreadable(path, error) from error


def _first_row(rows: Iterator[list[str]], path: Path, unended: bool) -> _Layout:
    header = next(rows, [])
    text = "".join(header)
    if "\0" in text:
        raise csv.Error("a NUL in its header")
    text.encode()
    try:
        return _layout(header, path)
    except DataError as error:
        if unended and next(rows, None) is None:
            raise NoRowError(
                error.thing, found=error.found, expected=error.expected, next_step=error.next_step
            ) from error
        raise


def _layout(header: list[str], path: Path) -> _Layout:
    columns = [name.strip() for name in header]
    choices = {"t": TIME_FACTORS, **{name: _channel_choices(name) for name in CHANNELS}}
    found = [[c for c in columns if c in names] for names in choices.values()]
    missing = [name for name, present in zip(choices, found, strict=True) if not present]
    if missing:
        raise DataError(
            path,
            found=f"no column {', '.join(missing)} (only {', '.join(columns) or 'an empty file'})",
            expected=f"t,{','.join(CHANNELS)}[,label][,subject][,recording], separated by commas",
            next_step="rename or add the columns; a unit goes into the name, as acc_x_g or gyro_x_dps",
        )
    twice = [present for present in found if len(present) > 1] + [[c] for c in TEXT_COLUMNS if columns.count(c) > 1]
    if twice:
        raise DataError(
            path,
            found=f"the columns {', '.join(twice[0])} more than once",
            expected="one column each",
            next_step="leave one of them out",
        )
    names = tuple(present[0] for present in found)
    units = tuple(_unit(name) for name in names[1:])
    factors = (TIME_FACTORS[names[0]], *(to_si(unit, path) for unit in units))
    text = {name: columns.index(name) for name in TEXT_COLUMNS if name in columns}
    ignored = tuple(column for column in columns if column not in names and column not in text)
    return _Layout(len(columns), names, tuple(map(columns.index, names)), factors, units, text, ignored)


def _channel_choices(channel: str) -> list[str]:
    suffixes = _ACC_SUFFIX if channel.startswith("acc") else _GYRO_SUFFIX
    return [channel + suffix for suffix in suffixes]


def _unit(column: str) -> str:
    suffixes = _ACC_SUFFIX if column.startswith("acc") else _GYRO_SUFFIX
    return suffixes[next(column[len(c) :] for c in CHANNELS if column.startswith(c))]


def _parse(rows: Iterator[list[str]], layout: _Layout, path: Path, unended: bool) -> CsvTable:
    numbers, lines = array("d"), array("q")
    text: dict[str, list[str]] = {name: [] for name in layout.text}
    # Few distinct labels and subjects: sharing their strings keeps an hour of samples small.
    shared: dict[str, str] = {}
    cut_off = False
    for row in rows:
        if not row:
            continue
        line = rows.line_num  # type: ignore[attr-defined]
        try:
            values = _numbers(row, layout)
            cells = [_shared(row[position].strip(), shared) for position in layout.text.values()]
        except ValueError:
            cut_off = unended and next(rows, None) is None
            if cut_off:
                break
            raise _bad_row(path, line, row, layout) from None
        numbers.extend(values)
        lines.append(line)
        for name, cell in zip(layout.text, cells, strict=True):
            text[name].append(cell)
    return _table(numbers, lines, text, layout, path, cut_off)


def _numbers(row: list[str], layout: _Layout) -> list[float]:
    if len(row) != layout.width:
        raise ValueError(f"{len(row)} columns")
    return [float(row[position]) for position in layout.positions]


def _shared(cell: str, shared: dict[str, str]) -> str:
    if cell not in shared:
        cell.encode()
        shared[cell] = cell
    return shared[cell]


def _table(
    numbers: array[float], lines: array[int], text: dict[str, list[str]], layout: _Layout, path: Path, cut_off: bool
) -> CsvTable:
    line = np.array(lines, np.int64)
    if not len(line):
        raise NoRowError(
            f"{path}, line 2",
            found="no row",
            expected="at least two rows of samples",
            next_step="correct the file or leave it out",
        )
    values = np.array(numbers).reshape(len(line), len(layout.positions))
    bad = np.argwhere(~(np.abs(values) <= _LARGEST))
    if len(bad):
        row, column = bad[0]
        found = f"{values[row, column]}"
        raise _bad_cell(path, int(line[row]), layout.names[column], found, f"a finite number, {_LARGEST:g} at most")
    values *= layout.factors
    return CsvTable(values[:, 0], values[:, 1:], text, layout.units, line, cut_off, layout.ignored)


def _bad_row(path: Path, line: int, row: list[str], layout: _Layout) -> DataError:
    if len(row) != layout.width:
        return _bad_cell(path, line, "", f"{len(row)} columns", f"{layout.width} as in the header")
    for name, position in zip(layout.names, layout.positions, strict=True):
        try:
            float(row[position])
        except ValueError:
            return _bad_cell(path, line, name, repr(row[position]), "a number")
    return _bad_cell(path, line, ", ".join(layout.text), "bytes that are not text", "text in UTF-8")


def _bad_cell(path: Path, line: int, column: str, found: str, expected: str) -> DataError:
    place = f"{path}, line {line}" + (f", column {column}" if column else "")
    return DataError(place, found=found, expected=expected, next_step="correct the file or leave the row out")
