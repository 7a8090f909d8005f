"""How text files of recordings are to be read where their names and headers do not say it themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import PurePath
from typing import Any

from deseptr.contract import ALL_CHANNELS, SENSORS, DataError, channels_of, parse_sensors

from .units import UNIT_OF_COLUMN, UNITS_OF

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "iso": 1.0}
COLUMNS = ("t", "date", *ALL_CHANNELS, "label", "subject", "recording")
LONGEST_FILLED_S = 10.0
_LONGEST_PATTERN = 200
# With more of them, or with one upon a group, a regular expression may take hours on a short path.
_MOST_REPEATS = 4
_SEARCHED = 256


@dataclass(frozen=True)
class ReadOptions:
    """Choices of a reader; None or empty: what the file says, else what it can only mean.

    Args:
        columns: pairs of a name in the header and the column that it is, as ``("x_acc", "acc_x")``.
        time_unit: of a time without a unit in its name: ``s``, ``ms``, ``us``, ``ns`` or ``iso``.
        units: of acceleration and, if named, of angular rate and of the magnetic field without a unit in their names,
            as ``("g", "dps")``.
        encoding: of the text, as ``cp1252``.
        subject_from: regular expression whose first group, found in a file's path, is the subject.
        recording_from: the same for the recording.
        label_from: the same for the label of all samples.
        label: the label of all samples.
        segments: path of a table with the labels of stretches, see :mod:`.segments`.
        fill_gaps: gaps of up to so many seconds are interpolated; by default those of up to three sample periods.
        merge_alike: labels, subjects and recordings that differ in case, blanks, hyphens or underscores only are one,
            in the spelling that comes first.
        placement: of several in one recording, as ``watch`` or ``ankle``.
        channels: sensors to read, as ``("acc",)``; by default all that there are.
    """

    columns: tuple[tuple[str, str], ...] = ()
    time_unit: str | None = None
    units: tuple[str, ...] | None = None
    encoding: str | None = None
    subject_from: str | None = None
    recording_from: str | None = None
    label_from: str | None = None
    label: str | None = None
    segments: str | None = None
    fill_gaps: float | None = None
    merge_alike: bool = False
    placement: str | None = None
    channels: tuple[str, ...] | None = None

    @classmethod
    def of(cls, choices: Mapping[str, Any], source: str = "options") -> ReadOptions:
        """Check choices as people write them.

        ``units`` are as ``"g,dps"``, ``columns`` as ``"x_acc=acc_x"`` or a mapping, ``channels`` as ``"acc"``.

        Raises:
            DataError: if one is unknown or has a value that it cannot have.

        >>> ReadOptions.of({"columns": "x_acc=acc_x", "units": "g,dps"}).units
        ('g', 'dps')
        """
        for name in choices:
            if name not in _CHECKS:
                raise _wrong(source, name, "no such choice", f"one of {', '.join(_CHECKS)}")
        checked: dict[str, Any] = {
            name: _CHECKS[name](value, f"{source}: {name}") for name, value in choices.items() if value
        }
        return cls(**checked)

    def over(self, other: ReadOptions) -> ReadOptions:
        """These choices, and those of ``other`` where these say nothing."""
        kept = {field.name: getattr(self, field.name) or getattr(other, field.name) for field in fields(self)}
        columns = {**dict(other.columns), **dict(self.columns)}
        label_is_said = self.label or self.label_from
        if label_is_said:
            kept.update(label=self.label, label_from=self.label_from)
        return replace(self, **{**kept, "columns": tuple(columns.items())})

    def only(self, names: Sequence[str]) -> ReadOptions:
        """These choices without those of other names."""
        return replace(ReadOptions(), **{name: getattr(self, name) for name in names})

    def chosen(self) -> dict[str, Any]:
        """The choices that say something, as :meth:`of` takes them."""
        found = {field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name)}
        if self.columns:
            found["columns"] = dict(self.columns)
        if self.units:
            found["units"] = ",".join(self.units)
        if self.channels:
            found["channels"] = ",".join(self.channels)
        return found

    @property
    def wanted(self) -> tuple[str, ...]:
        """The channels of the sensors to read; empty for all that there are."""
        return channels_of(self.channels or ())

    @property
    def magnetometer(self) -> bool:
        """Whether a magnetometer is asked for: those of apps, and guessed columns, are read only then."""
        return "mag" in (self.channels or ())

    def unit_of(self, sensor: str) -> str | None:
        """The unit that was chosen for a sensor; None if none was."""
        return dict(zip(SENSORS, self.units or (), strict=False)).get(sensor)


def from_path(pattern: str | None, path: PurePath, choice: str) -> str | None:
    """What a pattern finds in a path: its first group, or all of it; None without a pattern.

    Raises:
        DataError: if it finds nothing.
    """
    if not pattern:
        return None
    found = re.search(pattern, path.as_posix()[-_SEARCHED:])
    text = found and (found[1] if found.re.groups else found[0])
    if not text:
        raise DataError(
            path,
            found=f"nothing in its path that {pattern} describes",
            expected="a part of the path, as s(\\d+) finds 07 in s07/walk.csv",
            next_step=f"correct --{choice.replace('_', '-')}",
        )
    return text


def _columns(value: Any, thing: str) -> tuple[tuple[str, str], ...]:
    pairs = value
    if isinstance(value, str):
        split = [part.rpartition("=") for part in value.split(",")]
        if not all(sign for _, sign, _ in split):
            raise _wrong(thing, "", repr(value), "THEIRS=OURS,… as x_acc=acc_x,y_acc=acc_y")
        pairs = {theirs.strip(): ours.strip() for theirs, _, ours in split}
    if not isinstance(pairs, Mapping) or not all(isinstance(ours, str) for ours in pairs.values()):
        raise _wrong(thing, "", repr(value), "names of the header and the columns that they are")
    for theirs, ours in pairs.items():
        if ours not in (*COLUMNS, *UNIT_OF_COLUMN):
            raise _wrong(thing, theirs, repr(ours), f"one of {', '.join(COLUMNS)}, with a unit as acc_x_g if need be")
    return tuple(pairs.items())


def _units(value: Any, thing: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else ()
    if not 1 <= len(parts) <= len(SENSORS) or any(
        unit not in UNITS_OF[sensor] for unit, sensor in zip(parts, SENSORS, strict=False)
    ):
        acc, gyro, mag = (", ".join(UNITS_OF[sensor]) for sensor in SENSORS)
        expected = f"one of {acc}, then one of {gyro}, then one of {mag}, as g or g,dps"
        raise _wrong(thing, "", repr(value), expected)
    return parts


def _time_unit(value: Any, thing: str) -> str:
    if not isinstance(value, str) or value not in TIME_UNITS:
        raise _wrong(thing, "", repr(value), f"one of {', '.join(TIME_UNITS)}")
    return value


def _channels(value: Any, thing: str) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise _wrong(thing, "", repr(value), "a text, as acc or acc,gyro")
    return parse_sensors(value, thing)


def _encoding(value: Any, thing: str) -> str:
    try:
        "t".encode(value)
    except (LookupError, ValueError, TypeError) as error:
        raise _wrong(thing, "", repr(value), "the name of a text encoding, as utf-16 or cp1252") from error
    return str(value)


def _text(value: Any, thing: str) -> str:
    if not isinstance(value, str):
        raise _wrong(thing, "", repr(value), "a text")
    return value


def _path(value: Any, thing: str) -> str:
    text = _text(value, thing)
    if "\0" in text:
        raise _wrong(thing, "", repr(text), "the path of a table")
    return text


def _flag(value: Any, thing: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(thing, "", repr(value), "true or false")
    return value


def _seconds(value: Any, thing: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= LONGEST_FILLED_S:
        raise _wrong(thing, "", repr(value), f"a number of seconds from 0 to {LONGEST_FILLED_S:g}")
    return number


def _pattern(value: Any, thing: str) -> str:
    text = _text(value, thing)
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(thing, "", f"{text!r} ({error})", r"a regular expression, as s(\d+)") from error
    repeats = len(re.findall(r"(?<!\\)[*+{]", text))
    if len(text) > _LONGEST_PATTERN or repeats > _MOST_REPEATS or re.search(r"(?<!\\)\)[*+{]", text):
        raise _wrong(thing, "", repr(text), f"at most {_MOST_REPEATS} repeats, none of them of a group")
    return text


_CHECKS = {
    "columns": _columns,
    "time_unit": _time_unit,
    "units": _units,
    "encoding": _encoding,
    "subject_from": _pattern,
    "recording_from": _pattern,
    "label_from": _pattern,
    "label": _text,
    "segments": _path,
    "fill_gaps": _seconds,
    "merge_alike": _flag,
    "placement": _text,
    "channels": _channels,
}


def _wrong(source: str, name: str, found: str, expected: str) -> DataError:
    thing = f"{source}: {name}" if name else source
    return DataError(thing, found=found, expected=expected, next_step="correct it or leave it out")
