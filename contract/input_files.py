"""Reading what others wrote, within bounds: regular files only, of a largest size, as bytes, text, JSON or TOML.

A named pipe would make the reader wait without end, ``/dev/zero`` would fill the memory, and deep nesting exhausts the
stack of a parser. Everything that cannot be read is an ``OSError`` with a reason, or a ``ValueError``.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_TEXT = 1 << 24
LARGEST_TOML = 1 << 18
DEEPEST = 16
# The range of a whole number in TOML 1.0, and far more than any setting of this package needs.
LARGEST_INTEGER = 2**63 - 1
LARGEST_NUMBER = 1e12
_PIECE = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


def open_input(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading, without waiting for the writer of a pipe.

    Raises:
        OSError: if there is no such file, it cannot be opened, or it is no regular file.
    """
    try:
        # Opening a device may already do something to it.
        _check_regular(Path(path).stat().st_mode)
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"no path ({error})") from error
    try:
        _check_regular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_input(path: str | os.PathLike[str], largest: int = LARGEST_TEXT) -> bytes:
    """Content of a regular file.

    Raises:
        OSError: as :func:`open_input`, and if the file has more than ``largest`` bytes.
    """
    with open_input(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= largest:
            content = _whole(file, size, largest + 1)
            if len(content) <= largest:
                return content
    raise OSError(errno.EFBIG, f"more than {largest:,} bytes")


def _whole(file: BinaryIO, size: int, most: int) -> bytes:
    """The first ``most`` bytes; ``size`` is what the system says, 0 for files under ``/proc``."""
    content = file.read(size + 1)
    # In pieces: memory for as much as is asked for is reserved before it is read.
    while len(content) > size and (piece := file.read(min(_PIECE, most - len(content)))):
        content += piece
    return content


def check_input(path: str | os.PathLike[str], largest: int = LARGEST_TEXT) -> None:
    """Check a file that a library is going to open by its name.

    Raises:
        OSError: as :func:`open_input`, and if the file has more than ``largest`` bytes.
    """
    with open_input(path) as file:
        if os.fstat(file.fileno()).st_size > largest:
            raise OSError(errno.EFBIG, f"more than {largest:,} bytes")


def read_text(path: str | os.PathLike[str], largest: int = LARGEST_TEXT) -> str:
    """Text of a regular file in UTF-8.

    Raises:
        OSError: as :func:`read_input`.
        ValueError: if it is not UTF-8.
    """
    return read_input(path, largest).decode("utf-8")


def read_json(path: str | os.PathLike[str], largest: int = LARGEST_TEXT) -> Any:
    """Content of a JSON file.

    Raises:
        OSError: as :func:`read_input`.
        ValueError: as :func:`parse_json`, and if it is not UTF-8.
    """
    return parse_json(read_text(path, largest))


def parse_json(text: str | bytes) -> Any:
    """Content of a text in JSON.

    Raises:
        ValueError: if it is no JSON, or nested too deeply.
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("values nested too deeply") from error
    for key, _, depth in _values({"": content}):
        if depth > DEEPEST:
            raise ValueError(f"{key}: more than {DEEPEST} levels")
    return content


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Content of a TOML file of at most 256 KiB.

    Raises:
        OSError: as :func:`read_input`.
        ValueError: as :func:`parse_toml`, and if it is not UTF-8.
    """
    return parse_toml(read_text(path, LARGEST_TOML))


def parse_toml(text: str) -> dict[str, Any]:
    """Content of a text in TOML: finite numbers, names and texts without NUL, at most 16 levels.

    Raises:
        ValueError: if it is something else.

    >>> parse_toml("rate = 50")
    {'rate': 50}
    """
    # Needed only by commands that are given such a file.
    import tomllib

    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("values nested too deeply") from error
    for key, value, depth in _values(table):
        if depth > DEEPEST:
            raise ValueError(f"{key}: more than {DEEPEST} levels")
        if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            raise ValueError(f"{key}: a whole number of more than 64 bits")
        if isinstance(value, float) and not (math.isfinite(value) and abs(value) <= LARGEST_NUMBER):
            raise ValueError(f"{key}: the number {value}, beyond {LARGEST_NUMBER:g}")
        if "\0" in key or (isinstance(value, str) and "\0" in value):
            raise ValueError(f"{key!r}: a NUL character")
    return table


def _values(table: dict[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Key, value and depth of everything in a table; a value of a list has the list's key."""
    waiting = [(key, value, 1) for key, value in table.items()]
    while waiting:
        key, value, depth = waiting.pop()
        yield key, value, depth
        if isinstance(value, dict):
            waiting += [(inner, each, depth + 1) for inner, each in value.items()]
        elif isinstance(value, list):
            waiting += [(key, each, depth + 1) for each in value]


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = stat.S_IFMT(mode)
        number = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise OSError(number, f"{_KINDS.get(kind, 'something else')}, not a regular file")
