"""Recordings of Sensor Logger for iOS, Android and their watches: its zip, that unpacked, its JSON or combined CSV.

A recording is a folder with a table ``time,seconds_elapsed,z,y,x`` for each sensor, a list of objects with the keys
``sensor``, ``time`` (nanoseconds since 1970) and the columns, or one table with columns such as
``totalAcceleration_x``; :mod:`.sensor_logger_files` finds them. As the author's references say (``UNITS.md``,
``COORDINATES.md`` and ``CROSSPLATFORM.md`` of https://github.com/tszheichoi/awesome-sensor-logger):

- ``Accelerometer`` is without gravity. Android has ``TotalAcceleration`` beside it; iOS has ``Gravity``, and their sum
  is the acceleration that this package means.
- On iOS all acceleration has the opposite sign, unless ``standardisation`` in ``Metadata`` is true: it is turned to
  that of Android, so that the axis that points up reads +9.8 m/s^2.
- ``AccelerometerUncalibrated`` on iOS, and ``WristMotion``, are in g unless they are standardised.

``Magnetometer`` is in microtesla, along the axes of Android on both systems, and is read if ``--channels`` has ``mag``.

``Annotation`` has texts with times: each is the label from its time to the next one, and one without text, or ``stop``
or ``end``, ends a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY

from .app_table import AppTable, chosen_sensor, other_sensors, without
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .sensor_logger_files import Log, logs_of
from .takes import Take, beside, dataset_of_takes, merged

_ENDS = ("", "stop", "end")
_XYZ = ("x", "y", "z")
_WANTED = "acceleration with gravity: TotalAcceleration, or Accelerometer and Gravity; and Gyroscope if there is one"

Numbers = NDArray[np.float64]


class _Signs(NamedTuple):
    """Factors of acceleration that is always in m/s^2, and of what may be in g."""

    si: float
    raw: float


def read_sensor_logger(archive: Archive, options: ReadOptions) -> Dataset:
    """Read the motion of the phone, or of the watch if there is no other or ``--placement watch`` is asked for.

    The device's name is the subject.

    Raises:
        DataError: if a file is broken, or a recording lacks acceleration with gravity.
    """
    logs, oddities = logs_of(archive)
    people = _people(logs)
    takes = [_take(log, people, options, oddities) for log in logs]
    return dataset_of_takes(takes, archive.path.stem, options, oddities)


def _people(logs: list[Log]) -> dict[str, str]:
    """Name of each device by its id; with a part of the id where two have one name."""
    names = {log.meta.get("device id", ""): log.meta.get("device name", "") for log in logs}
    given = list(names.values())
    return {each: f"{name} {each[:8]}" if each and given.count(name) > 1 else name for each, name in names.items()}


def _take(log: Log, people: Mapping[str, str], options: ReadOptions, oddities: list[str]) -> Take:
    if not log.sensors:
        raise without(_WANTED, log.title, f"only {', '.join(log.tables) or 'other sensors'}")
    sensor = chosen_sensor(log.sensors, options, log.title)
    oddities += other_sensors(log.sensors, options)
    oddities += [f"{table.title} was cut off in its last line, which was left out" for table in _cut(log)]
    signs = _signs(log, oddities)
    t, signals, channels = _of_watch(log, signs) if sensor == "watch" else _of_phone(log, signs, options)
    subject = people.get(log.meta.get("device id", "")) or None
    if subject and not options.subject_from:
        oddities.append("the device's name is the subject; --subject-from takes it from the path")
    return Take(log.path, log.title, t, signals, _labels(log, t, oddities), subject, channels=channels)


def _cut(log: Log) -> list[AppTable]:
    return [table for table in log.tables.values() if table.cut_off]


def _signs(log: Log, oddities: list[str]) -> _Signs:
    platform = log.meta.get("platform", "").lower()
    if not platform:
        oddities.append(f"{log.title} has no Metadata: the sign of its acceleration was taken for that of Android")
    if platform == "ios" and log.meta.get("standardisation", "").lower() != "true":
        oddities.append(
            "acceleration of iOS was turned to the sign of Android: the axis that points up reads +9.8 m/s^2"
        )
        return _Signs(-1.0, -STANDARD_GRAVITY)
    return _Signs(1.0, 1.0)


def _of_phone(log: Log, signs: _Signs, options: ReadOptions) -> tuple[Numbers, Numbers, tuple[str, ...]]:
    gyro = log.tables.get("Gyroscope") or log.tables.get("GyroscopeUncalibrated")
    acceleration = _acceleration(log, signs)
    if acceleration is None:
        raise without(_WANTED, log.title, f"only {', '.join(log.tables)}")
    mag = log.tables.get("Magnetometer") if options.magnetometer else None
    return merged(acceleration, None if gyro is None else _timed(gyro), None if mag is None else _timed(mag))


def _acceleration(log: Log, signs: _Signs) -> tuple[Numbers, Numbers] | None:
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


def _of_watch(log: Log, signs: _Signs) -> tuple[Numbers, Numbers, tuple[str, ...]]:
    table = log.tables["WristMotion"]
    names = [f"{quantity}{axis}" for quantity in ("acceleration", "gravity", "rotationRate") for axis in "XYZ"]
    values = table.numbers(names)
    gravity = values[:, 3:6]
    # What says whether it is in g is gravity itself, on every watch.
    in_g = float(np.median(np.linalg.norm(gravity, axis=1))) < STANDARD_GRAVITY / 2
    factor = np.copysign(STANDARD_GRAVITY if in_g else 1.0, signs.si)
    return _time(table), *beside(factor * (values[:, :3] + gravity), values[:, 6:])


def _timed(table: AppTable) -> tuple[Numbers, Numbers]:
    return _time(table), table.numbers(_XYZ)


def _time(table: AppTable) -> Numbers:
    """Seconds since 1970, to a quarter of a microsecond, or since the start in a combined table."""
    if "time" not in table.names and "seconds_elapsed" in table.names:
        return table.numbers(["seconds_elapsed"], missing=())[:, 0]
    return table.numbers(["time"], missing=())[:, 0] * 1e-9


def _at(t: Numbers, other_t: Numbers, values: Numbers) -> Numbers:
    """Values of a sensor at the times of another, NaN before its first and after its last."""
    return np.stack([np.interp(t, other_t, axis, np.nan, np.nan) for axis in values.T], 1)


def _labels(log: Log, t: Numbers, oddities: list[str]) -> list[str] | str:
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
