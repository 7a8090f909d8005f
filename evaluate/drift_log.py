"""Parts of days from the logs of ``device run``: CSV files, and JSON lines as ``--json`` or a broker gives them.

Lines about anything else are passed over unread, so that months are read in seconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from deseptr.contract import DataError, open_input, parse_json
from deseptr.contract.counts import counted
from deseptr.device.drift.summary import DriftSummary
from deseptr.device.sinks.csv_rows import COLUMNS

LONGEST_LINE = 1 << 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"[\x21-\x7e]{1,64}")
_START = ",".join(COLUMNS).encode()


@dataclass(frozen=True)
class DriftPart:
    """A part of a day, as an event of a run says it.

    Args:
        day: local date, as ``2026-03-01``.
        key: names the run and the part.
        wearer: for whom the model was corrected; None if it was not.
        reference: names the reference that distances were counted by; None without one.
        summary: the counts.
    """

    day: str
    key: str
    wearer: str | None
    reference: str | None
    summary: DriftSummary


@dataclass(frozen=True)
class DriftLogs:
    """What logs hold of drift.

    Args:
        parts: each once, in the order of the logs.
        notes: what was passed over, a sentence each.
    """

    parts: tuple[DriftPart, ...]
    notes: tuple[str, ...]


def read_drift_logs(paths: Iterable[Path]) -> DriftLogs:
    """Read logs; a part that is in several of them, or twice in one, counts once.

    Raises:
        DataError: if a file cannot be read, is no log, or has a part that cannot be one; or if there is no part at all.
    """
    files = list(paths)
    notes: list[str] = []
    parts: dict[str, DriftPart] = {}
    doubled = 0
    for path in files:
        for number, whole, line, parse in _lines(path):
            try:
                part = _part(parse(line))
            except ValueError as error:
                if whole:
                    _refuse(f"{path}, line {number}", f"{error}")
                notes.append(f"{path}: its last line is incomplete and left out")
                continue
            if part is not None:
                doubled += part.key in parts
                parts.setdefault(part.key, part)
    if not parts:
        named = ", ".join(map(str, files[:3])) + (", …" if len(files) > 3 else "")
        raise DataError(
            named,
            found="no summary of a day",
            expected="logs of `device run --csv` or `--json`, which have one for each hour",
            next_step="give logs of this version, and of runs without --no-drift",
        )
    if doubled:
        notes.append(f"{counted(doubled, 'part was', 'parts were')} there twice and counted once")
    return DriftLogs(tuple(parts.values()), tuple(notes))


def _lines(path: Path) -> Iterator[tuple[int, bool, bytes, Callable[[bytes], Any]]]:
    """Number of each line that may be a part, whether it is whole, the line, and what parses it."""
    parse: Callable[[bytes], Any] = parse_json
    try:
        with open_input(path) as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), 1):
                if number == 1:
                    parse = _parser(path, line)
                if len(line) > LONGEST_LINE:
                    _refuse(f"{path}, line {number}", f"more than {LONGEST_LINE:,} bytes")
                if b",drift," in line or b'"drift"' in line:
                    yield number, line.endswith(b"\n"), line, parse
    except OSError as error:
        raise DataError(
            path, found=error.strerror or error, expected="a log of `device run`", next_step="check the path"
        ) from error


def _parser(path: Path, first: bytes) -> Callable[[bytes], Any]:
    if first.startswith(_START):
        return partial(_of_row, wearer=first.rstrip().endswith(b",wearer"))
    if not first.lstrip().startswith(b"{"):
        _refuse(path, "another kind of file")
    return parse_json


def _part(content: Any) -> DriftPart | None:
    """The part in a line's content; None if it is about something else.

    Raises:
        ValueError: if it cannot be a part.
    """
    if not isinstance(content, dict):
        raise ValueError("no object")
    drift = content.get("drift")
    if not isinstance(drift, dict):
        return None
    day, key, reference, wearer = drift.get("day"), drift.get("key"), drift.get("reference"), content.get("wearer")
    if not isinstance(day, str) or not _DAY.fullmatch(day):
        raise ValueError(f"the day {ascii(day)[:40]}")
    if not isinstance(key, str) or not _NAME.fullmatch(key):
        raise ValueError(f"the key {ascii(key)[:40]}")
    for each in (reference, wearer):
        if each is not None and not (isinstance(each, str) and len(each) <= 200):
            raise ValueError(f"the name {ascii(each)[:40]}")
    return DriftPart(day, key, wearer or None, reference, DriftSummary.from_dict(drift))


def _of_row(line: bytes, *, wearer: bool) -> dict[str, Any]:
    """What JSON lines would say of a row of a CSV file, whose last column may be the wearer's."""
    try:
        row = next(csv.reader([line.decode("utf-8")]), [])
    except csv.Error as error:
        raise ValueError(f"no row of a CSV file ({error})") from error
    if len(row) < len(COLUMNS):
        raise ValueError(f"a row of {counted(len(row), 'column')}")
    fields = dict(zip(COLUMNS, row, strict=False))
    if fields["event"] != "drift":
        return {}
    return {"drift": parse_json(fields["detail"]), "wearer": row[-1] if wearer else None}


def _refuse(what: object, found: str) -> NoReturn:
    raise DataError(
        what,
        found=found,
        expected="a CSV file or JSON lines of `device run`",
        next_step="give the logs as they were written, or leave this one out",
    )
