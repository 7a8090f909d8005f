"""The encoding, the delimiter and the decimal mark of a text file, from its first bytes."""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import open_input

_HEAD = 2**16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_NUMBER = r"\s*[-+]?\d+{mark}\d+(?:[eE][-+]?\d+)?\s*"


class Dialect(NamedTuple):
    """How a file writes its table.

    Args:
        encoding: name of a codec.
        delimiter: between the columns.
        decimal_comma: whether 0.5 is written as 0,5.
        skipped: lines before the header, which only name the delimiter.
        ended: whether the last line has its end.
        rows: header and first rows, at most.
    """

    encoding: str
    delimiter: str
    decimal_comma: bool
    skipped: int
    ended: bool
    rows: tuple[tuple[str, ...], ...]

    def note(self) -> str | None:
        """What is not the usual UTF-8 with commas, or None."""
        words = [self.encoding.upper()] if not self.encoding.startswith("utf-8") else []
        words += [f"{_DELIMITERS.get(self.delimiter, self.delimiter)} between columns"] if self.delimiter != "," else []
        words += ["decimal commas"] if self.decimal_comma else []
        return f"read as text with {', '.join(words)}" if words else None


def find_dialect(path: Path, encoding: str | None = None) -> Dialect:
    """Look at the beginning and at the last byte of a file.

    Raises:
        OSError: if it is no regular file that can be read.
        UnicodeError: if it is no text of that encoding.
        csv.Error: if its first lines are no table.
    """
    with open_input(path) as file:
        head = file.read(_HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    return dialect_of(head, tail, encoding)


def dialect_of(head: bytes, tail: bytes, encoding: str | None = None) -> Dialect:
    """As :func:`find_dialect`, of the first 64 KiB and the last four bytes of a text."""
    encoding = encoding or _encoding(head)
    lines = _lines(head.decode(encoding, "ignore"))
    named = re.fullmatch(r"sep=(.)", lines[0].rstrip("\r\n")) if lines else None
    delimiter = named[1] if named else _delimiter(next(filter(str.strip, lines), ""))
    lines = lines[1:] if named else lines
    rows = csv.reader(lines[:20], delimiter=delimiter, skipinitialspace=delimiter == " ")
    comma = delimiter != "," and _has_decimal_comma(lines[1:], delimiter)
    found = tuple(tuple(row) for row in rows if row)
    return Dialect(encoding, delimiter, comma, int(bool(named)), _is_ended(tail, encoding), found)


def _encoding(head: bytes) -> str:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    start = head[:64]
    for odd, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        # ASCII has a zero in every other byte there, and nowhere else.
        if len(start) > 3 and not any(start[odd::2]) and all(start[1 - odd :: 2]):
            return name
    return "utf-8-sig"


def _lines(text: str) -> list[str]:
    """Whole lines; the last one may be cut unless it is the only one."""
    lines = text.splitlines(keepends=True)
    return lines[:-1] if len(lines) > 1 and len(text) > _HEAD // 4 else lines


def _delimiter(header: str) -> str:
    """The one that makes most columns; commas where there is none, blanks only without another."""
    plain = re.sub(r'"[^"]*"', "quoted", header).strip()
    most = max((",", ";", "\t", "|"), key=plain.count)
    return most if plain.count(most) or " " not in plain else " "


def _has_decimal_comma(lines: list[str], delimiter: str) -> bool:
    cells = [cell for line in lines for cell in line.rstrip("\r\n").split(delimiter)]
    points, commas = (
        any(re.fullmatch(_NUMBER.replace("{mark}", mark), cell.strip('"')) for cell in cells) for mark in (r"\.", ",")
    )
    return commas and not points


def _is_ended(tail: bytes, encoding: str) -> bool:
    # A codec that writes a mark would put it before the line's end.
    plain = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    ends: Iterator[bytes] = (end.encode(plain) for end in "\n\r")
    return any(tail.endswith(end) for end in ends) or (encoding == "utf-16" and tail.endswith((b"\0\n", b"\0\r")))
