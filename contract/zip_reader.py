"""Reading zip archives that may be broken or made to exhaust the memory.

A few bytes of an archive can stand for gigabytes. What is unpacked is therefore limited to 64 MiB, or to 100 times the
size of a larger archive: recordings and weights compress to no less than a tenth. Declared sizes are checked before
anything is unpacked, and nothing is unpacked beyond its declared size.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

from .counts import counted
from .input_files import open_input

LARGEST = 2**32
ALWAYS_ALLOWED = 2**26
LARGEST_RATIO = 100
# Other methods have no limit of what one step unpacks.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LARGEST_DIRECTORY = 2**22
_CHUNK = 2**16
_ENCRYPTED = 0x1


class ArchiveError(ValueError):
    """An archive that cannot be read; its text is the reason."""


class ZipReader:
    """The members of a zip archive.

    Args:
        source: the file, or the content of one.
        largest: number of bytes that may be unpacked in all, whatever the size of the archive.

    Raises:
        ArchiveError: if it cannot be opened, is no regular file, or is no zip archive.

    >>> import io, zipfile
    >>> buffer = io.BytesIO()
    >>> with zipfile.ZipFile(buffer, "w") as archive:
    ...     archive.writestr("labels.txt", "still")
    >>> with ZipReader(buffer.getvalue()) as archive:
    ...     archive.names(), archive.read("labels.txt")
    (['labels.txt'], b'still')
    """

    def __init__(self, source: Path | bytes, largest: int = LARGEST) -> None:
        try:
            self._file = io.BytesIO(source) if isinstance(source, bytes) else open_input(source)
        except OSError as error:
            raise ArchiveError(error.strerror or str(error)) from error
        self._left = min(largest, max(ALWAYS_ALLOWED, LARGEST_RATIO * self._file.seek(0, os.SEEK_END)))
        try:
            with _archive_errors():
                self._zip = zipfile.ZipFile(_Limited(self._file))
        except ArchiveError:
            self._file.close()
            raise

    def names(self) -> list[str]:
        """Names of the members without folders, in the archive's order."""
        # Zipfile's own is_dir() fails on a member without a name.
        return [name for entry in self._zip.infolist() if (name := entry.filename) and not name.endswith("/")]

    def begin(self) -> int:
        """Position of the first byte of the archive in the file."""
        return min((entry.header_offset for entry in self._zip.infolist()), default=self._zip.start_dir)

    def size(self, name: str) -> int:
        """Declared size of a member, bytes.

        Raises:
            ArchiveError: if there is no such member.
        """
        return self._entry(name).file_size

    def open(self, name: str) -> BinaryIO:
        """Open a member for reading; never more than its declared size is read.

        Raises:
            ArchiveError: if there is no such member, its method is not supported, or its declared size is above what
                is left of the limit; also by reading, if it is broken, or shorter than declared.
        """
        entry = self._readable(name)
        if entry.file_size > self._left:
            raise ArchiveError(f"{_short(name)} unpacks to {entry.file_size:,} bytes, {self._left:,} are allowed")
        self._left -= entry.file_size
        with _archive_errors():
            return io.BufferedReader(_Member(self._zip.open(entry), entry.file_size, _short(name)), _CHUNK)

    def read(self, name: str) -> bytes:
        """Content of a member.

        Raises:
            ArchiveError: as :meth:`open`.
        """
        with self.open(name) as member:
            return member.read()

    def head(self, name: str, most: int) -> bytes:
        """The first bytes of a member, ``most`` of them at most, which do not count towards the limit.

        Raises:
            ArchiveError: as :meth:`open`, but for the limit.
        """
        entry = self._readable(name)
        with _archive_errors(_short(name)), self._zip.open(entry) as member:
            return member.read(min(most, _CHUNK))

    def check(self) -> None:
        """Unpack every member once, without keeping it, before another reader without limits reads the archive.

        Raises:
            ArchiveError: if a member cannot be unpacked, or all together are above the limit.
        """
        for name in self.names():
            with self.open(name) as member:
                while member.read(_CHUNK):
                    pass

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _readable(self, name: str) -> zipfile.ZipInfo:
        entry = self._entry(name)
        if entry.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{_short(name)} is encrypted")
        if entry.compress_type not in METHODS:
            raise ArchiveError(f"{_short(name)} is compressed by method {entry.compress_type}, not by deflate")
        return entry

    def _entry(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(name)
        except KeyError:
            raise ArchiveError(f"no member {_short(name)}") from None


class _Limited:
    """A file whose reads are limited, so that a directory of many members is refused.

    ``zipfile`` reads the directory at once, and makes an object of every entry.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise ArchiveError("a directory of too many members")
        content: bytes = self._file.read(_LARGEST_DIRECTORY + 1 if size < 0 else size)
        if len(content) > _LARGEST_DIRECTORY:
            raise ArchiveError("a directory of too many members")
        return content


class _Member(io.RawIOBase):
    """A member that is unpacked by and by."""

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self._unpacked, self._missing, self._name = file, size, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _archive_errors(self._name):
            # A larger step would unpack more than it returns.
            content = self._unpacked.read(min(len(buffer), _CHUNK))
        if not content and self._missing:
            raise ArchiveError(f"{self._name} is {counted(self._missing, 'byte')} shorter than declared")
        self._missing -= len(content)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._unpacked.close()
        super().close()


@contextmanager
def _archive_errors(name: str = "") -> Iterator[None]:
    """Turn about ten different exceptions of ``zipfile`` and ``zlib`` into an ArchiveError."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise ArchiveError(f"{name}: {_short(reason)}" if name else _short(reason)) from error


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
