"""Labels from another file: a table with the start, the end and the label of each stretch.

The columns are ``start``, ``end`` or ``duration``, ``label`` and, where times alone do not tell whose they are,
``subject`` and ``recording``; usual other names of them are taken, and other columns are ignored. Times are on the
clock of the recordings or count from their starts. Their unit is in the columns' names, as in ``start_ms``, or the one
in which they fit; a time without a unit beside one that has it is in the same. Or they are dates and times as ISO 8601
has them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deseptr.contract import DataError, read_input
from deseptr.contract.counts import counted

from .column_names import words_of
from .dialect import dialect_of
from .even_grid import Trial
from .label_oddities import clean_name
from .moments import iso_seconds
from .read_options import TIME_UNITS
from .recording import LATEST_S, natural_sorted, short_list

LARGEST_TABLE = 2**24
_ROUNDED_S = 1e-6
_ZONELESS = re.compile(r"[^:]+:[^Z+-]*")
_NAMES = {
    "start": ("start", "begin", "from", "onset"),
    "end": ("end", "stop", "to", "until"),
    "duration": ("duration", "length"),
    "label": ("label", "labels", "activity", "class", "annotation"),
    "subject": ("subject", "subjects", "person", "participant", "user"),
    "recording": ("recording", "trial"),
}
_UNITS = {unit: unit for unit in TIME_UNITS if unit != "iso"}
_UNITS |= {"sec": "s", "seconds": "s", "millis": "ms", "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
_EXPECTED = "a table start,end,label[,subject][,recording]"


class _Columns(NamedTuple):
    """Position of each column by its role, and the unit of each time that names one."""

    at: dict[str, int]
    units: dict[str, str]


class _Stretch(NamedTuple):
    """A line; its times are in seconds if ``said``, else in the unit that is not said; ``zoneless``: local dates."""

    line: int
    start: float
    end: float
    said: bool
    zoneless: bool
    label: str
    subject: str | None
    recording: str | None

    def is_of(self, trial: Trial) -> bool:
        return self.subject in (None, trial.subject) and self.recording in (None, trial.name)


# Of the stretches that have samples, by their position: the rows of each trial that they label, by its.
_Places = dict[int, dict[int, slice]]


class _Reading(NamedTuple):
    """What the times of a table are: their unit, and whether they are on the recordings' clock or count from starts."""

    unit: str
    absolute: bool


def label_trials(trials: Sequence[Trial], table: str | None) -> tuple[list[Trial], tuple[str, ...]]:
    """Label the stretches of trials that a table names; all other samples keep what they have.

    Args:
        trials: of all files of a source.
        table: path of the table; None leaves the trials as they are. Of two stretches that overlap, the later line
            counts; an empty label takes the labels away.

    Returns:
        The trials, and notes on what was found out.

    Raises:
        DataError: if it is no such table, no stretch is in a trial, or times do not tell whose a stretch is.
    """
    trials = list(trials)
    if table is None or not trials:
        return trials, ()
    path = Path(table)
    stretches = _read(path)
    units = ("s",) if any(each.said for each in stretches) else ("s", "ms", "us", "ns")
    readings = [_Reading(unit, absolute) for absolute in (True, False) for unit in units]
    reading, places = _likeliest(stretches, trials, readings)
    if not places:
        raise _nowhere(stretches, trials, path)
    labels = [np.array(trial.labels, object) for trial in trials]
    for stretch, own in ((stretches[at], places[at]) for at in sorted(places)):
        _check_one(stretch, [trials[number] for number in own], path)
        for number, rows in own.items():
            labels[number][rows] = stretch.label
    labelled = [trial._replace(labels=own.tolist()) for trial, own in zip(trials, labels, strict=True)]
    return labelled, _notes(reading, stretches, len(stretches) - len(places), path.name)


def _notes(reading: _Reading, stretches: Sequence[_Stretch], idle: int, name: str) -> tuple[str, ...]:
    notes = []
    if reading.unit != "s":
        notes.append(
            f"the times of {name} were taken for {reading.unit}, in which they fit; a column start_s has seconds"
        )
    if not reading.absolute:
        notes.append(f"the times of {name} were taken to count from the start of each recording")
    if any(each.zoneless for each in stretches):
        notes.append(f"dates of {name} without a zone were taken for UTC")
    if idle:
        of = f"{idle} of {counted(len(stretches), 'stretch')} of {name}"
        notes.append(f"{of} {'is' if idle == 1 else 'are'} in no recording")
    return tuple(notes)


def _likeliest(
    stretches: Sequence[_Stretch], trials: Sequence[Trial], readings: Sequence[_Reading]
) -> tuple[_Reading, _Places]:
    """The first of the readings in which the most stretches have samples, and these."""
    tried = []
    for reading in readings:
        tried.append((reading, _places(stretches, trials, reading)))
        if len(tried[-1][1]) == len(stretches):
            break
    return max(tried, key=lambda each: len(each[1]))


def _places(stretches: Sequence[_Stretch], trials: Sequence[Trial], reading: _Reading) -> _Places:
    """The samples in ``[start, end)`` of each stretch that has some."""
    # A time that was rounded when it was written must not lose or win a sample.
    times = np.array([each[1:3] for each in stretches]).T * TIME_UNITS[reading.unit] - _ROUNDED_S
    found: _Places = {}
    for number, trial in enumerate(trials):
        starts, ends = times if reading.absolute else times + trial.t[0]
        near = np.flatnonzero((starts <= trial.t[-1]) & (ends > trial.t[0]))
        first, last = (np.searchsorted(trial.t, each[near]) for each in (starts, ends))
        for at, *rows in np.stack([near, first, last], 1)[first < last].tolist():
            if stretches[at].is_of(trial):
                found.setdefault(at, {})[number] = slice(*rows)
    return found


def _read(path: Path) -> list[_Stretch]:
    try:
        content = read_input(path, LARGEST_TABLE)
        dialect = dialect_of(content[: 2**16], content[-4:])
        lines = io.StringIO(content.decode(dialect.encoding), newline="")
        for _ in range(dialect.skipped):
            next(lines)
        # Strict, since a quote without its end would make a label of all lines behind it.
        rows = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.delimiter == " ", strict=True)
        filled = (row for row in rows if any(map(str.strip, row)))
        columns = _columns(next(filled, []), path)
        mark = "," if dialect.decimal_comma else "."
        read = [_stretch(row, path, dialect.skipped + rows.line_num, columns, mark) for row in filled]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(path, found=reason, expected=_EXPECTED, next_step="correct --segments") from error
    if not read:
        raise DataError(path, found="no row", expected=_EXPECTED, next_step="add the stretches, or leave it out")
    return read


def _columns(header: Sequence[str], path: Path) -> _Columns:
    at: dict[str, int] = {}
    units: dict[str, str] = {}
    for place, name in enumerate(header):
        words = words_of(name)
        unit = [_UNITS[word] for word in words if word in _UNITS]
        meant = [word for word in words if word not in (*_UNITS, "t", "time", "timestamp")]
        role = next((role for role, names in _NAMES.items() if len(meant) == 1 and meant[0] in names), None)
        if role is not None and role not in at:
            at[role] = place
            units |= {role: unit[0]} if unit else {}
    if units:
        units = dict.fromkeys(("start", "end", "duration"), next(iter(units.values()))) | units
    if not {"start", "label"} <= at.keys() or not {"end", "duration"} & at.keys():
        raise DataError(
            path,
            found=f"the columns {', '.join(name.strip() for name in header)}" if header else "an empty file",
            expected=f"{_EXPECTED}, or duration for end",
            next_step="rename the columns; a unit goes into the name, as start_ms",
        )
    return _Columns(at, units)


def _stretch(row: Sequence[str], path: Path, line: int, columns: _Columns, mark: str) -> _Stretch:
    def text(role: str) -> str | None:
        return clean_name(row[columns.at[role]].strip()) or None if role in columns.at else None

    ends = "end" if "end" in columns.at else "duration"
    try:
        cells = {role: row[columns.at[role]] for role in ("start", ends)}
        start, end = (
            iso_seconds(cell)
            if ":" in cell
            else float(cell.replace(mark, ".")) * TIME_UNITS[columns.units.get(role, "s")]
            for role, cell in cells.items()
        )
        end += start if ends == "duration" else 0.0
        if not -LATEST_S <= start < end <= LATEST_S:
            raise ValueError("times that do not increase")
        said = bool(columns.units) or ":" in cells["start"]
        zoneless = any(_ZONELESS.fullmatch(cell.strip()) for cell in cells.values())
        return _Stretch(line, start, end, said, zoneless, text("label") or "", text("subject"), text("recording"))
    except (ValueError, IndexError, OverflowError) as error:
        raise DataError(
            f"{path}, line {line}",
            found=repr(",".join(row)),
            expected=f"{_EXPECTED}, with an end after the start, in numbers or as 2026-01-31T12:00:00.250",
            next_step="correct the line or leave it out",
        ) from error


def _check_one(stretch: _Stretch, trials: Sequence[Trial], path: Path) -> None:
    of = dict.fromkeys((each.subject, each.name) for each in trials)
    if len(of) > 1:
        several = short_list(f"subject {subject}, trial {name}" for subject, name in of)
        raise DataError(
            f"{path}, line {stretch.line}",
            found=f"a stretch in several recordings ({several})",
            expected="one, since these have the same times",
            next_step=f"add a column {'subject' if len({subject for subject, _ in of}) > 1 else 'recording'}",
        )


def _nowhere(stretches: Sequence[_Stretch], trials: Sequence[Trial], path: Path) -> DataError:
    with_trial = any(each.recording for each in stretches)
    named = natural_sorted({_owner(each.subject, each.recording) for each in stretches} - {""})
    known = natural_sorted({_owner(each.subject, each.name if with_trial else None) for each in trials})
    first, last = min(each.start for each in stretches), max(each.end for each in stretches)
    begin, end = min(float(each.t[0]) for each in trials), max(float(each.t[-1]) for each in trials)
    return DataError(
        path,
        found=f"no stretch in a recording: {first:.12g} to {last:.12g}" + (f" of {short_list(named)}" if named else ""),
        expected=f"stretches within {begin:.12g} to {end:.12g} s of {short_list(known)}",
        next_step=f"name {'subjects and trials' if with_trial else 'subjects'} as `deseptr data info` does, "
        "and correct the times",
    )


def _owner(subject: str | None, trial: str | None) -> str:
    return " ".join([subject or "", f"trial {trial}" if trial else ""]).strip()
