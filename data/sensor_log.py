"""Logs of SensorLog for iPhone and Apple Watch, as CSV or JSON.

A row is a moment of logging, with the last value of every sensor and that sensor's own time. Names and units as in the
example logs on https://sensorlog.berndthomas.net: ``accelerometerAccelerationX(G)``, ``gyroRotationX(rad/s)``,
``motionRotationRateX(rad/s)``, ``motionUserAccelerationX(G)``, ``motionGravityX(G)``; the JSON has the same names
without the units, and its numbers as text.

The values are those of Core Motion, in whose convention the axis that points up reads -1 g
(https://developer.apple.com/documentation/coremotion/cmaccelerometerdata): acceleration is turned, so that it reads
+9.8 m/s^2. The column ``label`` has the labels that were chosen while logging, 0 for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, DataError

from .app_table import AppTable, first_line, json_records, parse_table, passed_over, without
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes, merged, units_in

_SUFFIXES = (".csv", ".tsv", ".txt")
_UNIT = re.compile(r"\((?P<unit>[^()]*)\)$")
_MARKS = ("accelerometerAccelerationX", "motionUserAccelerationX", "gyroRotationX", "motionRotationRateX")
_EMPTY = ("", "null", "(null)")
_NO_LABEL = ("", "0", "null")
_UNITS = {"accelerometerAcceleration": "G", "motionUserAcceleration": "G", "motionGravity": "G"}
_UNITS |= {"gyroRotation": "rad/s", "motionRotationRate": "rad/s"}
_WANTED = "the sensor Accelerometer, or Device Motion, with Gyro in the same log if there is one"
_TURNED = "acceleration of iOS was turned: the axis that points up reads +9.8 m/s^2"

_ACCELERATION = (
    ("accelerometer", ("accelerometerAcceleration",)),
    ("motion", ("motionUserAcceleration", "motionGravity")),
)
_ROTATION = (("gyro", ("gyroRotation",)), ("motion", ("motionRotationRate",)))

Numbers = NDArray[np.float64]


class _Sensor(NamedTuple):
    """The prefix of a sensor's times, and its values ``[row, axis]``, NaN where it has none."""

    clock: str
    values: Numbers


def is_sensor_log(archive: Archive) -> bool:
    """Whether there is a table or a JSON list with SensorLog's names."""
    return any(_is_table(archive, name) or _is_json(archive, name) for name in archive.names())


def read_sensor_log(archive: Archive, options: ReadOptions) -> Dataset:
    """Read all logs; a log's path is its subject, since the app gives all devices one name unless it is changed.

    Raises:
        DataError: if a file is broken, has another unit, or lacks one of the two sensors.
    """
    oddities = [_TURNED, *passed_over(archive, lambda name: _is_table(archive, name))]
    takes = [_take(path, table, oddities) for path, table in _tables(archive)]
    return dataset_of_takes(takes, archive.path.stem, options, oddities)


def _is_table(archive: Archive, name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and any(mark in first_line(archive, name) for mark in _MARKS)


def _is_json(archive: Archive, name: str) -> bool:
    head = archive.head(name) if name.lower().endswith(".json") else b""
    return head.lstrip()[:1] in (b"[", b"{") and any(f'"{mark}"'.encode() in head for mark in _MARKS)


def _tables(archive: Archive) -> Iterator[tuple[str, AppTable]]:
    for name in archive.names():
        title = archive.title(name)
        if _is_table(archive, name):
            yield name, parse_table(archive.read(name), title)
        elif _is_json(archive, name):
            yield name, _of_json(archive.read(name), title)


def _of_json(content: bytes, title: str) -> AppTable:
    records = json_records(content, title, app="SensorLog", next_step="export the log again")
    names = tuple(dict.fromkeys(name for record in records for name in record))
    rows = [[str(record.get(name, "")) for name in names] for record in records]
    return AppTable(title, names, rows, range(1, len(rows) + 1))


def _take(path: str, table: AppTable, oddities: list[str]) -> Take:
    if table.cut_off:
        oddities.append(f"{table.title} was cut off in its last line, which was left out")
    acceleration, rotation = _first(table, _ACCELERATION), _first(table, _ROTATION)
    if acceleration is None:
        raise without(_WANTED, table.title, "no acceleration")
    times = _times(table, {sensor.clock for sensor in (acceleration, rotation) if sensor})
    force = acceleration.values[:, :3] + (acceleration.values[:, 3:] if acceleration.values.shape[1] > 3 else 0.0)
    t, signals, channels = merged(
        _once(times[acceleration.clock], -STANDARD_GRAVITY * force),
        _once(times[rotation.clock], rotation.values) if rotation else None,
    )
    labels, units = _labels(table, times[acceleration.clock], t, oddities), units_in(channels, "g", "rad/s")
    return Take(path, table.title, t, signals, labels, units=units, channels=channels)


def _first(table: AppTable, sources: Sequence[tuple[str, tuple[str, ...]]]) -> _Sensor | None:
    """The first of some sensors that was on."""
    full = _by_plain_name(table)
    for clock, quantities in sources:
        names = [f"{quantity}{axis}" for quantity in quantities for axis in "XYZ"]
        if set(names) <= set(full):
            for name in names:
                _check_unit(table, full[name], _UNITS[name[:-1]])
            values = table.numbers([full[name] for name in names], missing=_EMPTY)
            if np.isfinite(values).all(1).sum() > 1:
                return _Sensor(clock, values)
    return None


def _once(t: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """Each sample once: a row of another sensor repeats the last value of this one."""
    known = np.isfinite(t) & np.isfinite(values).all(1)
    t, values = t[known], values[known]
    new = np.diff(t, prepend=-np.inf) != 0
    return t[new], values[new]


def _by_plain_name(table: AppTable) -> dict[str, str]:
    """The columns' names by those without units."""
    return {_UNIT.sub("", name): name for name in table.names}


def _times(table: AppTable, clocks: Iterable[str]) -> dict[str, Numbers]:
    """Times of the sensors' own in seconds, or those of logging for all if one of them has none.

    Raises:
        DataError: if there are neither.
    """
    full = _by_plain_name(table)
    stamps = {clock: full.get(f"{clock}Timestamp_sinceReboot") for clock in clocks}
    own = {clock: name for clock, name in stamps.items() if name is not None}
    if len(own) == len(stamps):
        return {clock: table.numbers([name], missing=_EMPTY)[:, 0] for clock, name in own.items()}
    logged = _logging_times(table, full.get("loggingTime", "loggingTime(txt)"))
    return dict.fromkeys(stamps, logged)


def _logging_times(table: AppTable, name: str) -> Numbers:
    try:
        # Versions before 5 write 2021-04-09 12:30:56.955 +0200.
        moments = [datetime.fromisoformat(cell.replace(" +", "+").replace(" -", "-")) for cell in table.text(name)]
        return np.array([moment.timestamp() for moment in moments])
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{table.title}, column {name}",
            found=str(error),
            expected="dates and times as 2023-11-07T09:06:03.591+02:00",
            next_step="export the log again, with the sensors' own times",
        ) from error


def _check_unit(table: AppTable, name: str, unit: str) -> None:
    found = _UNIT.search(name)
    if found and found["unit"] != unit:
        raise DataError(
            f"{table.title}, column {name}",
            found=f"the unit {found['unit']}",
            expected=unit,
            next_step="export the log again with the app's own names",
        )


def _labels(table: AppTable, at: Numbers, t: Numbers, oddities: list[str]) -> list[str] | str:
    """Labels at times of the sensors: that of the first row whose acceleration is not older.

    Args:
        table: the log.
        at: times of the acceleration in each row.
        t: times of the samples.
        oddities: get a note.
    """
    full = _by_plain_name(table)
    if "label" not in full:
        return ""
    names = ["" if name in _NO_LABEL else name for name in table.text(full["label"])]
    if not any(names):
        return ""
    at = np.maximum.accumulate(np.where(np.isfinite(at), at, -np.inf))
    oddities.append("the column label has the labels, 0 for none")
    places = np.minimum(np.searchsorted(at, t, side="left"), len(names) - 1)
    return [names[place] for place in places.tolist()]
