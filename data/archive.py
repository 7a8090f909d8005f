"""Reading the files of a zip archive, of a folder, or one file by the same names; tables of numbers in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ArchiveError, DataError, ZipReader, open_input, read_input
from deseptr.contract.counts import counted

# A table of an unpacked archive: 10 hours of six columns at 100 Hz.
LARGEST_TABLE = 2**28
_HEAD = 2**12


class Archive:
    """Names and contents of the files in a zip archive or folder, or of one file that is neither.

    Args:
        path: a ``.zip`` file, a folder or a file.
        nested: whether zip archives in a folder count as folders of their members, with the archive's name, unless the
            folder of their name, as unpacked, lies beside them; zips in a zip never do.

    Raises:
        DataError: if it is a broken zip.
    """

    def __init__(self, path: Path, nested: bool = False) -> None:
        self.path = path
        self.broken: DataError | None = None
        self._folder = path.is_dir()
        self._zip = _open_zip(path) if not self._folder and is_zip(path) else None
        self._inner: dict[str, tuple[str, str]] = {}
        self._heads: dict[str, bytes] = {}
        self._names = sorted(self._find(nested))

    def _find(self, nested: bool) -> Iterator[str]:
        for name in self._outer():
            if name.startswith("__MACOSX/"):
                continue
            if nested and self._folder and name.lower().endswith(".zip"):
                if not (self.path / name[: -len(".zip")]).is_dir():
                    yield from self._members(name)
            else:
                yield name

    def _outer(self) -> Iterator[str]:
        if self._zip is not None:
            yield from self._zip.names()
        elif self._folder:
            yield from (each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if each.is_file())
        else:
            yield self.path.name

    def _members(self, name: str) -> Iterator[str]:
        """Members of a zip in the folder, as paths below it."""
        try:
            with _open_zip(self.path / name) as inner:
                members = [each for each in inner.names() if not each.startswith("__MACOSX/")]
        except DataError as error:
            self.broken = self.broken or error
            return
        for member in members:
            self._inner[f"{name}/{member}"] = (name, member)
            yield f"{name}/{member}"

    def names(self) -> list[str]:
        """Sorted paths inside the archive with ``/`` between folders, without macOS' resource forks."""
        return self._names

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            DataError: if it cannot be read completely.
        """
        return self._content(name, None)

    def head(self, name: str) -> bytes:
        """The first 4 KiB of one file, to tell what it is; empty if it cannot be read."""
        if name not in self._heads:
            try:
                self._heads[name] = self._content(name, _HEAD)
            except DataError:
                self._heads[name] = b""
        return self._heads[name]

    def file(self, name: str) -> Path | None:
        """Path of a file that lies unpacked on the disk, for readers of files too large for the memory, else None."""
        if self._zip is not None or name in self._inner:
            return None
        return self.path / name if self._folder else self.path

    def title(self, name: str) -> str:
        """Name of a file of the archive in messages."""
        if name in self._inner:
            outer, member = self._inner[name]
            return f"{self.path / outer}!{member}"
        return f"{self.path}!{name}" if self._zip else str(self.file(name))

    def _content(self, name: str, most: int | None) -> bytes:
        """All of a file, or so many bytes of it at most."""
        try:
            path = self.file(name)
            if path is not None:
                return read_input(path, LARGEST_TABLE) if most is None else _read_head(path, most)
            if self._zip is not None:
                return self._zip.read(name) if most is None else self._zip.head(name, most)
            outer, member = self._inner[name]
            with ZipReader(self.path / outer) as inner:
                return inner.read(member) if most is None else inner.head(member, most)
        except OSError as error:
            raise _broken(self.title(name), error.strerror, "a whole file") from error
        except ArchiveError as error:
            raise _broken(self.title(name), error) from error

    def close(self) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by its name or by its content."""
    return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)


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
            return _broken(f"{title}, line {number}", counted(len(cells), "column"), f"{columns} numbers")
        for position, cell in enumerate(cells, 1):
            if not _is_finite(cell):
                return _broken(f"{title}, line {number}, column {position}", repr(cell.strip()), "a finite number")
    return _broken(title, "no row", f"rows of {columns} numbers")


def _is_finite(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _read_head(path: Path, most: int) -> bytes:
    with open_input(path) as file:
        return file.read(most)


def _open_zip(path: Path) -> ZipReader:
    try:
        return ZipReader(path)
    except ArchiveError as error:
        raise _broken(path, error) from error


def _broken(thing: object, found: object, expected: str = "a whole zip archive") -> DataError:
    return DataError(thing, found=found, expected=expected, next_step="correct the file or download it again")
