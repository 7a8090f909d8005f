"""Recordings of Sensor Logger for iOS, Android and their watches: its zip, that unpacked, or its JSON export.

A recording is a folder with a table ``time,seconds_elapsed,z,y,x`` for each sensor, or a list of objects with the keys
``sensor``, ``time`` (nanoseconds since 1970) and the columns. As the author's references say (``UNITS.md``,
``COORDINATES.md`` and ``CROSSPLATFORM.md`` of https://github.com/tszheichoi/awesome-sensor-logger):

- ``Accelerometer`` is without gravity. Android has ``TotalAcceleration`` beside it; iOS has ``Gravity``, and their sum
  is the acceleration that this package means.
- On iOS all acceleration has the opposite sign, unless ``standardisation`` in ``Metadata`` is true: it is turned to
  that of Android, so that the axis that points up reads +9.8 m/s^2.
- ``AccelerometerUncalibrated`` on iOS, and ``WristMotion``, are in g unless they are standardised.

``Annotation`` has texts with times: each is the label from its time to the next one, and one without text, or ``stop``
or ``end``, ends a label.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, DataError

from .app_table import (
    AppTable,
    by_folder,
    chosen_sensor,
    first_line,
    folder_of,
    folder_title,
    other_sensors,
    parse_table,
    passed_over,
    without,
)
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes, merged

_PHONE = ("TotalAcceleration", "Accelerometer", "AccelerometerUncalibrated", "Gyroscope", "GyroscopeUncalibrated")
_USED = (*_PHONE, "Gravity", "WristMotion", "Annotation", "Metadata")
_HEADER = "time,seconds_elapsed,"
_ENDS = ("", "stop", "end")
_XYZ = ("x", "y", "z")
_UP = "acceleration with gravity and angular rate: TotalAcceleration, or Accelerometer and Gravity; and Gyroscope"

Numbers = NDArray[np.float64]


class _Log(NamedTuple):
    """One recording: its place in the source, its name in messages, and its tables by sensor."""

    path: str
    title: str
    tables: Mapping[str, AppTable]

    @property
    def meta(self) -> dict[str, str]:
        """What the app says about the device and its settings."""
        table = self.tables.get("Metadata")
        return dict(zip(table.names, (cell.strip() for cell in table.rows[0]), strict=True)) if table else {}

    @property
    def sensors(self) -> list[str]:
        """Devices that have motion in it."""
        return [
            *(["phone"] if any(name in self.tables for name in _PHONE) else []),
            *(["watch"] if "WristMotion" in self.tables else []),
        ]


class _Signs(NamedTuple):
    """Factors of acceleration that is always in m/s^2, and of what may be in g."""

    si: float
    raw: float


def is_sensor_logger(archive: Archive) -> bool:
    """Whether there is a recording of Sensor Logger, by names and headers, or as JSON."""
    return any(_is_table(archive, name) or _is_json(archive, name) for name in archive.names())


def read_sensor_logger(archive: Archive, options: ReadOptions) -> Dataset:
    """Read the motion of the phone, or of the watch if there is no other or ``--placement watch`` is asked for.

    The device's name is the subject.

    Raises:
        DataError: if a file is broken, or a recording lacks acceleration with gravity or angular rate.
    """
    logs = list(_logs(archive))
    folders = _folders(archive)
    oddities = [*passed_over(archive, lambda name: folder_of(name) in folders)]
    people = _people(logs)
    takes = [_take(log, people, options, oddities) for log in logs]
    return dataset_of_takes(takes, archive.path.stem, options, oddities)


def _is_table(archive: Archive, name: str) -> bool:
    path = PurePosixPath(name)
    known = path.suffix.lower() == ".csv" and path.stem in (*_PHONE, "WristMotion")
    return known and first_line(archive, name).startswith(_HEADER)


def _is_json(archive: Archive, name: str) -> bool:
    head = archive.head(name) if name.lower().endswith(".json") else b""
    return (
        head.lstrip()[:1] == b"[" and b'"sensor"' in head and (b'"seconds_elapsed"' in head or b'"device id"' in head)
    )


def _folders(archive: Archive) -> set[str]:
    """Folders with the tables of a recording."""
    return {folder_of(name) for name in archive.names() if _is_table(archive, name)}


def _logs(archive: Archive) -> Iterator[_Log]:
    folders = _folders(archive)
    for folder, names in by_folder(archive.names()).items():
        if folder in folders:
            used = {PurePosixPath(name).stem: name for name in names if name.lower().endswith(".csv")}
            tables = {
                sensor: parse_table(archive.read(used[sensor]), archive.title(used[sensor]))
                for sensor in _USED
                if sensor in used and _has_rows(archive, used[sensor])
            }
            yield _Log(folder or archive.path.name, folder_title(archive, folder), tables)
        for name in names:
            if _is_json(archive, name):
                yield _Log(name, archive.title(name), _tables_of_json(archive.read(name), archive.title(name)))


def _has_rows(archive: Archive, name: str) -> bool:
    """Whether there is more than a header: a sensor that was switched on, but that the phone lacks, has no row."""
    return bool(archive.head(name).strip().partition(b"\n")[2])


def _tables_of_json(content: bytes, title: str) -> dict[str, AppTable]:
    try:
        records = json.loads(content)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise ValueError("no list of objects")
    except (ValueError, RecursionError) as error:
        raise DataError(
            title,
            found=f"no JSON of Sensor Logger ({error})",
            expected="a list of objects",
            next_step="export the recording again",
        ) from error
    by_sensor: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_sensor.setdefault(str(record.get("sensor")), []).append(record)
    return {sensor: _table_of(found, f"{title}, {sensor}") for sensor, found in by_sensor.items() if sensor in _USED}


def _table_of(records: list[dict[str, Any]], title: str) -> AppTable:
    names = tuple(dict.fromkeys(name for record in records[:1] for name in record))
    rows = [[str(record.get(name, "")) for name in names] for record in records]
    return AppTable(title, names, rows, range(1, len(rows) + 1))


def _people(logs: list[_Log]) -> dict[str, str]:
    """Name of each device by its id; with a part of the id where two have one name."""
    names = {log.meta.get("device id", ""): log.meta.get("device name", "") for log in logs}
    given = list(names.values())
    return {each: f"{name} {each[:8]}" if each and given.count(name) > 1 else name for each, name in names.items()}


def _take(log: _Log, people: Mapping[str, str], options: ReadOptions, oddities: list[str]) -> Take:
    sensor = chosen_sensor(log.sensors, options, log.title)
    oddities += other_sensors(log.sensors, options)
    oddities += [f"{table.title} was cut off in its last line, which was left out" for table in _cut(log)]
    signs = _signs(log, oddities)
    t, signals = _of_watch(log, signs) if sensor == "watch" else _of_phone(log, signs)
    subject = people.get(log.meta.get("device id", "")) or None
    if subject and not options.subject_from:
        oddities.append("the device's name is the subject; --subject-from takes it from the path")
    return Take(log.path, log.title, t, signals, _labels(log, t, oddities), subject)


def _cut(log: _Log) -> list[AppTable]:
    return [table for table in log.tables.values() if table.cut_off]


def _signs(log: _Log, oddities: list[str]) -> _Signs:
    platform = log.meta.get("platform", "").lower()
    if not platform:
        oddities.append(f"{log.title} has no Metadata: the sign of its acceleration was taken for that of Android")
    if platform == "ios" and log.meta.get("standardisation", "").lower() != "true":
        oddities.append(
            "acceleration of iOS was turned to the sign of Android: the axis that points up reads +9.8 m/s^2"
        )
        return _Signs(-1.0, -STANDARD_GRAVITY)
    return _Signs(1.0, 1.0)


def _of_phone(log: _Log, signs: _Signs) -> tuple[Numbers, Numbers]:
    gyro = log.tables.get("Gyroscope") or log.tables.get("GyroscopeUncalibrated")
    acceleration = _acceleration(log, signs)
    if gyro is None or acceleration is None:
        raise without(_UP, log.title, f"only {', '.join(log.tables)}")
    return merged(*acceleration, *_timed(gyro))


def _acceleration(log: _Log, signs: _Signs) -> tuple[Numbers, Numbers] | None:
    """Times and acceleration with gravity."""
    if "TotalAcceleration" in log.tables:
        t, values = _timed(log.tables["TotalAcceleration"])
        return t, signs.si * values
    if "Accelerometer" in log.tables and "Gravity" in log.tables:
        t, values = _timed(log.tables["Accelerometer"])
        return t, signs.si * (values + _at(t, *_timed(log.tables["Gravity"])))
    if "AccelerometerUncalibrated" in log.tables:
        t, values = _timed(log.tables["AccelerometerUncalibrated"])
        return t, signs.raw * values
    return None


def _of_watch(log: _Log, signs: _Signs) -> tuple[Numbers, Numbers]:
    table = log.tables["WristMotion"]
    names = [f"{quantity}{axis}" for quantity in ("acceleration", "gravity", "rotationRate") for axis in "XYZ"]
    values = table.numbers(names)
    gravity = values[:, 3:6]
    # What says whether it is in g is gravity itself, on every watch.
    in_g = float(np.median(np.linalg.norm(gravity, axis=1))) < STANDARD_GRAVITY / 2
    factor = np.copysign(STANDARD_GRAVITY if in_g else 1.0, signs.si)
    return _time(table), np.hstack([factor * (values[:, :3] + gravity), values[:, 6:]])


def _timed(table: AppTable) -> tuple[Numbers, Numbers]:
    return _time(table), table.numbers(_XYZ)


def _time(table: AppTable) -> Numbers:
    """Seconds since 1970, to a quarter of a microsecond."""
    return table.numbers(["time"], missing=())[:, 0] * 1e-9


def _at(t: Numbers, other_t: Numbers, values: Numbers) -> Numbers:
    """Values of a sensor at the times of another, NaN before its first and after its last."""
    return np.stack([np.interp(t, other_t, axis, np.nan, np.nan) for axis in values.T], 1)


def _labels(log: _Log, t: Numbers, oddities: list[str]) -> list[str] | str:
    table = log.tables.get("Annotation")
    if table is None:
        return ""
    texts = table.text("text")
    at = _time(table)
    order = np.argsort(at, kind="stable")
    names = ["", *("" if texts[i].lower() in _ENDS else texts[i] for i in order)]
    oddities.append(
        "annotations are labels, each from its time to the next one; --label or --label-from says otherwise"
    )
    return [names[place] for place in np.searchsorted(at[order], t, side="right").tolist()]
