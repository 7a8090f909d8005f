"""Dates and times of text files: as ISO 8601 has them, or a date and a time of day in columns of their own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_DAY = re.compile(r"(\d?\d)(:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d?\d)[-/.](\d?\d)", re.ASCII)
# Of 03/04/2026 nobody can tell which is the month; with full stops the day is the first.
_DAY_FIRST = re.compile(r"(\d?\d)\.(\d?\d)\.(\d{4})", re.ASCII)


def iso_seconds(cell: str) -> float:
    """Seconds since 1970 of a date and time as ISO 8601 writes it; without a zone it is taken for UTC.

    Raises:
        ValueError: if it is none.
    """
    moment = datetime.fromisoformat(cell.strip())
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()


def is_time_of_day(cell: str) -> bool:
    """Whether it is a time without a date.

    >>> is_time_of_day("9:05:00.250"), is_time_of_day("2026-01-31T09:05:00"), is_time_of_day("9.25")
    (True, False, False)
    """
    return _OF_DAY.fullmatch(cell.strip()) is not None


def day_seconds(day: str, time: str) -> float:
    """Seconds since 1970 of a date, as 2026-01-31, 2026/01/31 or 31.01.2026, and a time of day.

    Raises:
        ValueError: if they are none.

    >>> day_seconds("31.01.2026", "9:05:00.25") - day_seconds("2026-01-31", "00:00:00")
    32700.25
    """
    found = _OF_DAY.fullmatch(time.strip())
    if found is None:
        raise ValueError("no time of day")
    return iso_seconds(f"{_iso_date(day.strip())}T{found[1]:0>2}{found[2]}")


@lru_cache(16)
def _iso_date(cell: str) -> str:
    if found := _YEAR_FIRST.fullmatch(cell):
        return date(*map(int, found.groups())).isoformat()
    if found := _DAY_FIRST.fullmatch(cell):
        return date(*map(int, reversed(found.groups()))).isoformat()
    return date.fromisoformat(cell).isoformat()
