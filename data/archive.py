"""Reading files of a zip archive or of an unpacked folder by the same names, and tables of numbers in them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ArchiveError, DataError, ZipReader, read_input

# A table of an unpacked archive: 10 hours of six columns at 100 Hz.
LARGEST_TABLE = 2**28


class Archive:
    """Names and contents of the files in a zip archive or folder.

    Args:
        path: a ``.zip`` file or a folder.

    Raises:
        DataError: if it is neither, or if the zip is broken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = None if path.is_dir() else _open_zip(path)

    def names(self) -> list[str]:
        """Sorted paths inside the archive with ``/`` between folders, without macOS' resource forks."""
        if self._zip is None:
            found = [item.relative_to(self.path).as_posix() for item in self.path.rglob("*") if item.is_file()]
        else:
            found = self._zip.names()
        return sorted(name for name in found if not name.startswith("__MACOSX/"))

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            DataError: if it cannot be read completely.
        """
        try:
            return read_input(self.path / name, LARGEST_TABLE) if self._zip is None else self._zip.read(name)
        except OSError as error:
            raise _broken(self.title(name), error.strerror) from error
        except ArchiveError as error:
            raise _broken(self.title(name), error) from error

    def title(self, name: str) -> str:
        """Name of a file of the archive in messages."""
        return f"{self.path}!{name}" if self._zip else str(self.path / name)

    def close(self) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def number_table(
    content: bytes, title: str, *, columns: int, delimiter: str | None = None, header: int = 0
) -> NDArray[np.float64]:
    """Parse text that consists of finite numbers, ``columns`` per row.

    Args:
        content: the text, ASCII.
        title: name of the text in messages.
        columns: numbers in every row; additional columns are an error, too.
        delimiter: separator, white space by default.
        header: number of lines to skip; row numbers in messages count all lines of the file from 1.

    Returns:
        float64 ``[row, column]``.

    Raises:
        DataError: if a row has another length, a cell is not a finite number, or there is no row.
    """
    lines = content.decode("ascii", "replace").splitlines()[header:]
    filled = [(header + 1 + index, line) for index, line in enumerate(lines) if line.strip()]
    try:
        table: NDArray[np.float64] | None = np.loadtxt(
            io.StringIO("\n".join(line for _, line in filled)), delimiter=delimiter, comments=None, ndmin=2
        )
    except ValueError:
        table = None
    if not filled or table is None or table.shape[1] != columns or not np.isfinite(table).all():
        raise _bad_row(filled, title, columns, delimiter)
    return table


def column_positions(header: str, wanted: Sequence[str], title: str) -> list[int]:
    """Positions of the columns ``wanted`` in a comma-separated header.

    Raises:
        DataError: names the missing columns.
    """
    present = [name.strip().strip('"') for name in header.split(",")]
    missing = [name for name in wanted if name not in present]
    if missing:
        raise DataError(
            title,
            found=f"no column {', '.join(missing)} (only {', '.join(present)})",
            expected=f"the columns {', '.join(wanted)}",
            next_step="rename or add the columns",
        )
    return [present.index(name) for name in wanted]


def _bad_row(rows: list[tuple[int, str]], title: str, columns: int, delimiter: str | None) -> DataError:
    for number, line in rows:
        cells = line.split(delimiter)
        if len(cells) != columns:
            return _broken(f"{title}, line {number}", f"{len(cells)} columns", f"{columns} numbers")
        for position, cell in enumerate(cells, 1):
            if not _is_finite(cell):
                return _broken(f"{title}, line {number}, column {position}", repr(cell.strip()), "a finite number")
    return _broken(title, "no row", f"rows of {columns} numbers")


def _is_finite(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _open_zip(path: Path) -> ZipReader:
    try:
        return ZipReader(path)
    except ArchiveError as error:
        raise _broken(path, error) from error


def _broken(thing: object, found: object, expected: str = "a whole zip archive") -> DataError:
    return DataError(thing, found=found, expected=expected, next_step="correct the file or download it again")
