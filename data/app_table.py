"""Tables that apps write as text, by the names of their columns, and choices between several sensors."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError
from deseptr.contract.counts import counted

from .archive import Archive
from .csv_file import SUFFIXES
from .dialect import dialect_of
from .read_options import ReadOptions
from .recording import short_list

_HEAD = 2**16
_NEXT = "export the recording again"


@dataclass(frozen=True, eq=False)
class AppTable:
    """A table as text.

    Args:
        title: its name in messages.
        names: of the columns.
        rows: the cells.
        lines: number of each row's line in the file.
        decimal_comma: whether 0.5 is written as 0,5.
        cut_off: whether an incomplete last line was left out.
    """

    title: str
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: Sequence[int]
    decimal_comma: bool = False
    cut_off: bool = False

    def numbers(self, names: Sequence[str], missing: Sequence[str] = ("",)) -> NDArray[np.float64]:
        """Columns as float64 ``[row, name]``, NaN where a cell is one of ``missing``.

        Raises:
            DataError: names the columns that are not there, or file, line and column of a cell that is no finite
                number.
        """
        places = self._places(names)
        empty = frozenset(missing)
        try:
            values = np.array(
                [[math.nan if row[at] in empty else self._number(row[at]) for at in places] for row in self.rows]
            ).reshape(len(self.rows), len(places))
        except ValueError:
            values = np.full((len(self.rows), len(places)), math.nan)
        if not np.isfinite(values).all():
            self._check_cells(names, places, empty)
        return values

    def text(self, name: str) -> list[str]:
        """The cells of one column, without blanks around them.

        Raises:
            DataError: if there is no such column.
        """
        (place,) = self._places([name])
        return [row[place].strip() for row in self.rows]

    def _places(self, names: Sequence[str]) -> list[int]:
        absent = [name for name in names if name not in self.names]
        if absent:
            raise DataError(
                self.title,
                found=f"no column {', '.join(absent)} (only {', '.join(self.names) or 'an empty file'})",
                expected=f"the columns {', '.join(names)}",
                next_step=_NEXT,
            )
        return [self.names.index(name) for name in names]

    def _number(self, cell: str) -> float:
        return float(cell.replace(",", ".") if self.decimal_comma else cell)

    def _check_cells(self, names: Sequence[str], places: Sequence[int], empty: frozenset[str]) -> None:
        for line, row in zip(self.lines, self.rows, strict=True):
            for name, at in zip(names, places, strict=True):
                if row[at] not in empty and not self._is_finite(row[at]):
                    place = f"{self.title}, line {line}, column {name}"
                    raise DataError(
                        place, found=repr(row[at]), expected="a finite number", next_step="correct or leave out the row"
                    )

    def _is_finite(self, cell: str) -> bool:
        try:
            return math.isfinite(self._number(cell))
        except ValueError:
            return False


def parse_table(content: bytes, title: str) -> AppTable:
    """A text with a header, whatever its delimiter and encoding; a last line that was cut off is left out.

    Raises:
        DataError: if it is no text, a row has another length than the header, or there is no row.
    """
    try:
        dialect = dialect_of(content[:_HEAD], content[-4:])
        text = content.decode(dialect.encoding)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
        rows, lines = [], []
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except (UnicodeError, csv.Error) as error:
        raise DataError(
            title, found=f"no table as text ({error})", expected="a table with a header", next_step=_NEXT
        ) from error
    rows, lines = rows[dialect.skipped :], lines[dialect.skipped :]
    cut_off = bool(rows) and not dialect.ended and len(rows[-1]) < len(rows[0])
    if cut_off:
        rows, lines = rows[:-1], lines[:-1]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{title}, line {line}",
                found=counted(len(row), "column"),
                expected=f"{len(rows[0])} as in the header",
                next_step="correct or leave out the row",
            )
    if len(rows) < 2:
        raise DataError(title, found="no row", expected="a header and rows", next_step="leave the file out")
    names = tuple(name.strip() for name in rows[0])
    return AppTable(title, names, rows[1:], lines[1:], dialect.decimal_comma, cut_off)


def json_records(content: bytes, title: str, *, app: str, next_step: str) -> list[dict[str, Any]]:
    """The objects of an app's JSON, which is a list of them.

    Raises:
        DataError: if it is anything else; ``next_step`` says what to do then.
    """
    try:
        records = json.loads(content)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise ValueError("no list of objects")
    except (ValueError, RecursionError) as error:
        raise DataError(
            title, found=f"no JSON of {app} ({error})", expected="a list of objects", next_step=next_step
        ) from error
    return records


def first_line(archive: Archive, name: str) -> str:
    """The first line of a file that may be text, to tell what it is."""
    return archive.head(name).lstrip(b"\xef\xbb\xbf").decode("utf-8", "replace").partition("\n")[0].rstrip("\r")


def by_folder(names: Sequence[str]) -> dict[str, list[str]]:
    """Files by the folder in which they are, which is empty at the top."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(folder_of(name), []).append(name)
    return folders


def folder_of(name: str) -> str:
    """The folder in which a file is, which is empty at the top.

    >>> folder_of("ada/walk.zip/Gyroscope.csv"), folder_of("Gyroscope.csv")
    ('ada/walk.zip', '')
    """
    return name.rpartition("/")[0]


def folder_title(archive: Archive, folder: str) -> str:
    """Name of a folder of an archive in messages."""
    return archive.title(folder) if folder else str(archive.path)


def chosen_sensor(present: Sequence[str], options: ReadOptions, title: str) -> str:
    """The sensor that was asked for, else the first one.

    Raises:
        DataError: if the recording lacks the one that was asked for.
    """
    if options.placement and options.placement not in present:
        raise DataError(
            title,
            found=f"no sensor {options.placement}",
            expected=f"one of {', '.join(present)}",
            next_step="correct --placement or leave it out",
        )
    return options.placement or present[0]


def other_sensors(present: Sequence[str], options: ReadOptions) -> Iterator[str]:
    """The note that a sensor was taken of several without being asked for."""
    if len(present) > 1 and not options.placement:
        yield f"the sensor {present[0]} was taken; --placement {' or '.join(present[1:])} takes another"


def passed_over(archive: Archive, read: Callable[[str], bool]) -> Iterator[str]:
    """The note on tables in the archive that are none of the app's."""
    names = [name for name in archive.names() if name.lower().endswith(SUFFIXES) and not read(name)]
    if names:
        yield f"passed over, as tables of something else: {short_list(names)}"


def without(what: str, title: str, found: str, next_step: str = "record both sensors together") -> DataError:
    """The error for a recording of one sensor alone."""
    return DataError(title, found=found, expected=what, next_step=next_step)
