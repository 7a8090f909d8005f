"""Which column of a header is what: by the names of this package, by the reader's choices, or by what a name must mean.

A name is guessed only if all of its words say so: ``Accel X (m/s²)``, ``x_gyro``, ``ACC_X_G`` or ``timestamp``, but not
``user_acc_x``, which is without gravity. What may be a magnetometer is taken for one only if ``--channels`` has
``mag``: recordings of acceleration and angular rate often have one beside them that nobody meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import ALL_CHANNELS, CHANNELS, SENSORS, DataError, channels_of, sensors_of

from .read_options import ReadOptions
from .recording import short_list
from .units import SUFFIXES, UNIT_OF_COLUMN

TEXT_COLUMNS = ("label", "subject", "recording")
_LOOK_LIKE = {
    "label": ("label", "labels", "activity", "class"),
    "subject": ("subject", "subjects", "person", "participant", "user"),
    "recording": ("recording",),
}
_UNIT_WORDS = {
    **dict.fromkeys(("m/s^2", "m/s2", "m/s/s", "m s-2", "m*s-2"), " mps2 "),
    **dict.fromkeys(("rad/s", "rad s-1"), " rads "),
    **dict.fromkeys(("mdeg/s",), " mdps "),
    **dict.fromkeys(("deg/s", "deg s-1", "\N{DEGREE SIGN}/s", "\N{DEGREE SIGN} s-1"), " dps "),
}
_SENSORS = {
    **dict.fromkeys(("acc", "accel", "accelerometer", "acceleration"), "acc"),
    **dict.fromkeys(("gyro", "gyr", "gyroscope", "rotationrate", "angularvelocity"), "gyro"),
    **dict.fromkeys(("mag", "magn", "magnet", "magnetometer", "magneticfield"), "mag"),
}
_SHORT = {"a": "acc", "acc": "acc", "accel": "acc", "g": "gyro", "gyr": "gyro", "gyro": "gyro"}
_SHORT |= {"m": "mag", "mag": "mag"}
_UNITS_OF = {
    "acc": {suffix.strip("_"): unit for suffix, unit in SUFFIXES["acc"].items() if suffix},
    "gyro": {suffix.strip("_"): unit for suffix, unit in SUFFIXES["gyro"].items() if suffix},
    "mag": {suffix.strip("_"): unit for suffix, unit in SUFFIXES["mag"].items() if suffix}
    | {"microtesla": "uT", "\N{GREEK SMALL LETTER MU}t": "uT"},
    "t": {"s": "s", "sec": "s", "seconds": "s", "ms": "ms", "millis": "ms", "milliseconds": "ms"}
    | {"us": "us", "\N{GREEK SMALL LETTER MU}s": "us", "microseconds": "us", "ns": "ns", "nanoseconds": "ns"},
}
_SPEAK_OF = {"acc": ("acc",), "gyro": ("gyr", "rotation", "angular")}
"""Parts of a name that may be a sensor's: whether ``user_acc_x`` is acceleration, its owner must say."""
_TIMES = {"t", "time", "timestamp", "timestamps", "ts", "datetime"}


@dataclass(frozen=True)
class Columns:
    """Positions, names and units of time and channels, and positions of the text columns.

    Args:
        width: columns of the header.
        channels: those that are there, or of them those that were asked for.
        absent: sensors that are not there, if none were asked for.
        names: of the time and the channels in the file.
        positions: of the time and the channels.
        units: of the same; None where neither the name nor a choice says it.
        text: positions of ``label``, ``subject`` and ``recording``, as far as they are there.
        date: position of a column ``date``, which is one with times of day; None if there is none.
        guessed: column by name in the file, as far as only its meaning says it.
        ignored: names of the other columns.
    """

    width: int
    channels: tuple[str, ...]
    absent: tuple[str, ...]
    names: tuple[str, ...]
    positions: tuple[int, ...]
    units: tuple[str | None, ...]
    text: dict[str, int]
    date: int | None
    guessed: dict[str, str]
    ignored: tuple[str, ...]


class NotRecordingError(DataError):
    """A table has no column of any channel: it is something else."""


def find_columns(header: list[str], path: Path, options: ReadOptions) -> Columns:
    """Find the columns of a header; a sensor whose three columns are all missing is not there.

    Raises:
        NotRecordingError: if no column is one of the channels.
        DataError: if a column is missing, or is there twice.
    """
    columns = [name.strip() for name in header]
    chosen = dict(options.columns)
    named = [chosen.get(name, name) for name in columns]
    plain = [_plain(name) for name in named]
    roles = {role: [i for i, name in enumerate(plain) if name == role] for role in ("t", *ALL_CHANNELS, *TEXT_COLUMNS)}
    meant = [("", None) if role in roles else _meaning(name) for role, name in zip(plain, named, strict=True)]
    guessed: dict[str, str] = {}
    for role, present in roles.items():
        if not present and (options.magnetometer or not role.startswith("mag")):
            roles[role] = [i for i, (meaning, _) in enumerate(meant) if meaning == role]
            guessed |= {columns[i]: role for i in roles[role] if role not in TEXT_COLUMNS or len(roles[role]) == 1}
    if not roles["t"]:
        alone = {i: unit for i, name in enumerate(named) if (unit := _unit_alone(name)) is not None}
        roles["t"] = list(alone)
        meant = [("t", alone[i]) if i in alone else each for i, each in enumerate(meant)]
        guessed |= {columns[i]: "t" for i in alone}
    rest = [name.casefold() for i, name in enumerate(columns) if not any(i in present for present in roles.values())]
    channels = _channels(roles, rest, options)
    _check_present(roles, channels, columns, path)
    _check_once({role: roles[role] for role in ("t", *channels, *TEXT_COLUMNS)}, columns, path)
    guessed = {theirs: ours for theirs, ours in guessed.items() if ours in ("t", *channels, *TEXT_COLUMNS)}
    positions = tuple(roles[role][0] for role in ("t", *channels))
    units = tuple(UNIT_OF_COLUMN.get(named[i], meant[i][1]) for i in positions)
    text = {role: roles[role][0] for role in TEXT_COLUMNS if len(roles[role]) == 1}
    date = next((i for i, name in enumerate(named) if _lower(name) == "date" and i not in positions), None)
    used = {*positions, *text.values(), date}
    ignored = tuple(name for i, name in enumerate(columns) if i not in used)
    names = tuple(columns[i] for i in positions)
    absent = (
        () if options.wanted else tuple(name for name in ("acc", "gyro") if SENSORS[name].channels[0] not in channels)
    )
    return Columns(len(columns), channels, absent, names, positions, units, text, date, guessed, ignored)


def role_of(name: str) -> tuple[str, str | None]:
    """The column that a single name is or can only mean, with its unit if it has one; empty if there is none.

    >>> role_of("accX"), role_of("gyro_z_dps"), role_of("audio")
    (('acc_x', None), ('gyro_z', 'dps'), ('', None))
    """
    plain = _plain(name)
    return (plain, UNIT_OF_COLUMN.get(name)) if plain in ("t", *ALL_CHANNELS, *TEXT_COLUMNS) else _meaning(name)


def notes_of(found: Columns) -> Iterator[str]:
    """What was guessed, and ignored columns of which one may have the labels or the subjects that are missing."""
    if found.guessed:
        listed = ", ".join(f"{theirs} as {ours}" for theirs, ours in found.guessed.items())
        yield f"columns were taken by what their names mean: {listed}; --columns says otherwise"
    for sensor in found.absent if found.ignored else ():
        yield (
            f"no column of {SENSORS[sensor].title} is recognised, so that {' '.join(sensors_of(found.channels))} alone "
            f"is read; if it is among the other columns ({short_list(found.ignored)}), name them with --columns"
        )
    fields = [name for name in found.ignored if _meaning(name)[0] in SENSORS["mag"].channels]
    if len(fields) == 3:
        wanted = ",".join((*sensors_of(found.channels), "mag"))
        yield f"{short_list(fields)} may be a magnetic field: --channels {wanted} reads it"
    for role in ("label", "subject"):
        for name in found.ignored:
            if role not in found.text and name.casefold() in _LOOK_LIKE[role]:
                yield f"no column {role}, and the column {name} is ignored: rename it if it has the {role}s"


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case.

    >>> words_of("startTime [ms]")
    ['start', 'time', 'ms']
    """
    return _split(_lower(name))


def _lower(name: str) -> str:
    return unicodedata.normalize("NFKC", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).casefold()


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9\u03bc]+", text) if word]


def _plain(name: str) -> str:
    """The name without its unit."""
    if name in UNIT_OF_COLUMN:
        return "t" if name.startswith("t_") else "_".join(name.split("_")[:2])
    return name


def _meaning(name: str) -> tuple[str, str | None]:
    """The column that a name can only mean, with its unit if it has one; empty if there is none."""
    text = _lower(name)
    for role, names in _LOOK_LIKE.items():
        if text in names:
            return role, None
    for unit, word in _UNIT_WORDS.items():
        text = text.replace(unit, word)
    words = _split(_joined(text))
    words = [part for word in words for part in _parts(word)]
    if any(word in _TIMES for word in words):
        units = [word for word in words if word not in _TIMES]
        good = len(units) <= 1 and len(words) - len(units) == 1 and all(unit in _UNITS_OF["t"] for unit in units)
        return ("t", _UNITS_OF["t"][units[0]] if units else None) if good else ("", None)
    sensors = [_SENSORS[word] for word in words if word in _SENSORS]
    axes = [word for word in words if word in ("x", "y", "z")]
    units = [word for word in words if word not in _SENSORS and word not in ("x", "y", "z", "axis")]
    if len(sensors) != 1 or len(axes) != 1 or len(units) > 1 or any(u not in _UNITS_OF[sensors[0]] for u in units):
        return "", None
    return f"{sensors[0]}_{axes[0]}", _UNITS_OF[sensors[0]][units[0]] if units else None


def _unit_alone(name: str) -> str | None:
    """The unit of a time whose name is that of its unit, as ``seconds`` or ``elapsed_ms``; None of any other name."""
    words = [word for word in words_of(name) if word != "elapsed"]
    return _UNITS_OF["t"].get(words[0]) if len(words) == 1 and _lower(name) != "s" else None


def _joined(text: str) -> str:
    return text.replace("rotation rate", "rotationrate").replace("magnetic field", "magneticfield")


def _parts(word: str) -> list[str]:
    """Sensor and axis of a word such as ax, gyroz or xacc."""
    joined = re.fullmatch(r"(a|acc|accel|g|gyr|gyro|m|mag)([xyz])", word)
    if joined:
        return [_SHORT[joined[1]], joined[2]]
    turned = re.fullmatch(r"([xyz])(acc|accel|gyr|gyro|mag)", word)
    return [turned[1], turned[2]] if turned else [word]


def _channels(roles: dict[str, list[int]], rest: list[str], options: ReadOptions) -> tuple[str, ...]:
    """Channels that must be there: of the sensors that were asked for, else of those of which a column is or speaks."""
    begun = [name for name, kind in SENSORS.items() if any(roles[channel] for channel in kind.channels)]
    found = [name for name in begun if name != "mag" or all(roles[channel] for channel in SENSORS["mag"].channels)]
    spoken_of = [sensor for sensor, words in _SPEAK_OF.items() if any(word in name for name in rest for word in words)]
    return options.wanted or (channels_of([*found, *spoken_of]) if found else CHANNELS)


def _check_present(roles: dict[str, list[int]], channels: tuple[str, ...], columns: list[str], path: Path) -> None:
    missing = [role for role in ("t", *channels) if not roles[role]]
    if not missing:
        return
    whole = [name for name, kind in SENSORS.items() if all(roles[channel] for channel in kind.channels)]
    alone = f"; or read what there is with --channels {','.join(whole)}" if whole and roles["t"] else ""
    nothing = not any(roles[channel] for channel in ALL_CHANNELS)
    kind = NotRecordingError if columns and nothing else DataError
    taken = {place for present in roles.values() for place in present}
    example = f"{next((name for at, name in enumerate(columns) if at not in taken and name), 'NAME')}={missing[0]}"
    raise kind(
        path,
        found=f"no column {', '.join(missing)} (only {', '.join(columns) or 'an empty file'})",
        expected=f"t,{','.join(channels)}[,label][,subject][,recording], separated by commas",
        next_step=f"rename or add the columns, or name them with --columns THEIRS=OURS,… as {example}; "
        "a unit goes into the name, as acc_x_g or gyro_x_dps, or into --units" + alone,
    )


def _check_once(roles: dict[str, list[int]], columns: list[str], path: Path) -> None:
    for role, present in roles.items():
        looks_like = {columns[i] for i in present} if role in TEXT_COLUMNS else set()
        if len(present) > 1 and not (len(looks_like) > 1 and role not in looks_like):
            raise DataError(
                path,
                found=f"the columns {', '.join(columns[i] for i in present)} more than once",
                expected="one column each",
                next_step=f"leave one of them out, or say with --columns which one is {role}",
            )
