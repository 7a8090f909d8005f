"""Which columns of a table are numbers, and the room that puts their decimal points below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_NUMBER = re.compile(r"(?:★ )?[-+−±]?\d[\d,]*(?P<fraction>\.\d+)?(?P<rest>.*)", re.DOTALL)
# What may follow a number: further numbers, as in an interval, and a unit.
_MORE = r"(?:[\s\d.–+−±%†()]|(?<=\s)-)*"
_REST = re.compile(rf"(?:e[-+]\d+)?{_MORE}(?:\b(?:to|of)\b{_MORE})?°?[A-Za-zµ]{{0,3}}(?:/[a-z]{{1,4}})?")
_WITHOUT_NUMBER = {"", "–", "exact", "inf", "nan"}


class _Parts(NamedTuple):
    fraction: str
    rest: str


def paddings(column: Sequence[str]) -> list[str] | None:
    """Text that is to stand behind each cell, unseen, so that the decimal points of a column are below each other.

    Args:
        column: texts of the cells.

    Returns:
        None if the column is not of numbers.

    >>> paddings(["1", "12.5", "–"])
    ['.0', '', '.0']
    >>> paddings(["walking", "2"])
    """
    parts = [_parts(cell) for cell in column]
    if None in parts or not any(cell not in _WITHOUT_NUMBER for cell in column):
        return None
    known = [each for each in parts if each is not None]
    longest = max((each.fraction for each in known), key=len)
    rest = max((each.rest for each in known), key=len)
    return [_padding(each, longest, rest) for each in known]


def _parts(cell: str) -> _Parts | None:
    """Decimals of the first number of a cell, and what follows them; None if the cell is no number."""
    if cell in _WITHOUT_NUMBER:
        return _Parts("", "")
    found = _NUMBER.fullmatch(cell)
    if found is None or not _REST.fullmatch(found["rest"]):
        return None
    return _Parts(found["fraction"] or "", found["rest"])


def _padding(parts: _Parts, longest: str, rest: str) -> str:
    missing = len(longest) - len(parts.fraction)
    decimals = ("." if longest and not parts.fraction else "").ljust(missing, "0")
    return decimals + (rest[len(parts.rest) :] if rest.startswith(parts.rest) else "")
