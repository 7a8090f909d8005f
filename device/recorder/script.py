"""The steps of a recording session: a single activity, or several with countdowns from a TOML file.

Only the activities are recorded. While the subject prepares or rests the sensor runs, so that its rate is known and
its FIFO empty, but nothing is written: every sample in a file was taken during the activity of its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deseptr.contract import DataError, read_toml
from deseptr.contract.limits import Limits

MOST_ACTIVITIES = 10_000
REPEATS = Limits(1, 1000, whole=True)
# Eleven days.
SECONDS = Limits(0, 1e6)
LONGEST_NAME = 200
_EXAMPLE = "see the example in `deseptr device record --help`"


@dataclass(frozen=True, slots=True)
class SessionStep:
    """A stretch of a session.

    Args:
        kind: ``prepare``, ``activity`` or ``rest``; samples are written only in an activity.
        label: the activity; of a countdown the next one, of a rest the one before.
        seconds: its length; infinite for an activity that goes on until it is interrupted.
        instruction: text for the subject.
    """

    kind: Literal["prepare", "activity", "rest"]
    label: str
    seconds: float
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity of a protocol.

    Args:
        label: its name in the recordings.
        seconds: length of the recording.
        instruction: text for the subject.
        prepare_s: countdown before it, seconds.
        rest_s: pause after it, seconds.
        repeats: number of times in a row.
    """

    label: str
    seconds: float
    instruction: str = ""
    prepare_s: float = 5.0
    rest_s: float = 0.0
    repeats: int = 1

    def steps(self) -> tuple[SessionStep, ...]:
        """Countdown, activity and pause, repeated ``repeats`` times."""
        once = (
            SessionStep("prepare", self.label, self.prepare_s, self.instruction),
            SessionStep("activity", self.label, self.seconds, self.instruction),
            SessionStep("rest", self.label, self.rest_s),
        )
        return tuple(step for step in once if step.seconds > 0) * self.repeats


def session_steps(activities: tuple[Activity, ...], repeats: int = 1) -> tuple[SessionStep, ...]:
    """The steps of a session, without a rest after the last activity.

    >>> [step.kind for step in session_steps((Activity("walking", 60, rest_s=10),), repeats=2)]
    ['prepare', 'activity', 'rest', 'prepare', 'activity']
    """
    steps = tuple(step for activity in activities for step in activity.steps()) * repeats
    return steps[:-1] if steps[-1].kind == "rest" else steps


def read_protocol(path: Path) -> tuple[SessionStep, ...]:
    """The steps of a session from a TOML file.

    Top-level keys: ``repeats`` of the whole list, ``prepare_s`` and ``rest_s`` of all activities. Each table
    ``[[activity]]`` has ``label`` and ``seconds``, and optionally ``instruction``, ``prepare_s``, ``rest_s`` and
    ``repeats``.

    Raises:
        DataError: naming the file, the activity and the key, if something is missing, unknown or out of range.
    """
    content = _load(path)
    tables = content.pop("activity", None)
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise _bad(path, "activity", "none" if not tables else repr(tables), "at least one table [[activity]]")
    common = _checked(content, str(path), {"repeats": 1, "prepare_s": 5.0, "rest_s": 0.0})
    repeats = common.pop("repeats")
    activities = []
    for number, table in enumerate(tables, 1):
        place = f"{path}, activity {number}"
        for key in ("label", "seconds"):
            if key not in table:
                raise _bad(place, key, "none", "one in every activity")
        known = {"label": "", "seconds": 0.0, "instruction": "", "repeats": 1, **common}
        activities.append(Activity(**_checked(table, place, known)))
    count = repeats * sum(activity.repeats for activity in activities)
    if count > MOST_ACTIVITIES:
        raise _bad(path, "repeats", f"{count:,} activities in all", f"at most {MOST_ACTIVITIES:,}")
    return session_steps(tuple(activities), repeats)


def check_name(what: str, name: str) -> str:
    """A label or subject without blanks around it.

    Raises:
        DataError: if it is empty or has characters that do not print.
    """
    stripped = name.strip()
    if not stripped or not stripped.isprintable() or len(stripped) > LONGEST_NAME:
        expected = f"a name of printable characters, {LONGEST_NAME} at most"
        raise DataError(what, found=repr(name), expected=expected, next_step="choose another name")
    return stripped


def _load(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        raise DataError(path, found=found, expected="a protocol in TOML", next_step=_EXAMPLE) from error


def _checked(table: Mapping[str, Any], place: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """``defaults`` updated from ``table``, each value of the default's type and in range."""
    for key in table:
        if key not in defaults:
            raise _bad(place, key, "an unknown key", f"some of {', '.join(defaults)}")
    return {key: _value(table[key], key, place) if key in table else default for key, default in defaults.items()}


def _value(value: Any, key: str, place: str) -> str | int | float:
    if key in ("label", "instruction"):
        if not isinstance(value, str):
            raise _bad(place, key, repr(value), "a text")
        return check_name(f"{place}: label", value) if key == "label" else " ".join(value.split())
    if key == "repeats":
        if not REPEATS.allow(value):
            raise _bad(place, key, repr(value), "a whole number from 1 to 1000")
        return int(value)
    if not SECONDS.allow(value) or (key == "seconds" and value == 0):
        kind = "positive" if key == "seconds" else "no negative"
        raise _bad(place, key, repr(value), f"{kind} seconds, {SECONDS.most:g} at most")
    return float(value)


def _bad(place: object, key: str, found: str, expected: str) -> DataError:
    thing = f"{place}: {key}" if key else str(place)
    return DataError(thing, found=found, expected=expected, next_step=f"correct it; {_EXAMPLE}")
