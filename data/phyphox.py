"""Exports of phyphox for Android and iOS: a zip with a table for each sensor, that unpacked, or a single table.

Written as ``DataExport.java`` of https://github.com/phyphox/phyphox-android does: names of columns in quotation marks
with their unit in brackets, as ``"Acceleration x (m/s^2)"``; commas, tabs or semicolons between the columns, decimal
points or commas; ``NaN`` where a column is shorter than the others; ``meta/time.csv`` with the events ``START`` and
``PAUSE`` at experiment and system times. Names are in the language of the phone: sensors are told by units, and linear
acceleration, which is without gravity, by its name. Signs are those of Android on both systems: the axis that points up
reads +9.8 m/s^2. The clock of an experiment stands still while it is paused; the pause is a gap here. The magnetic
field is read if ``--channels`` has ``mag``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

from .app_table import AppTable, by_folder, first_line, folder_title, parse_table, passed_over, without
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes, merged

_COLUMN = re.compile(r"(?P<name>[^\t;]*\S) \((?P<unit>[^()]*)\)")
_AXIS = re.compile(r"(?P<quantity>.*\S) (?P<axis>[xyz]) \((?P<unit>m/s\^2|rad/s|[\u00b5\u03bc]T)\)")
_LINEAR = re.compile(r"linear|lin\.|without|ohne|sans |sin |^grav|^schwer", re.IGNORECASE)
# Either of Unicode's two signs.
_MICRO = re.compile("[\u00b5\u03bc]")
_NAN = ("", "NaN")
_WANTED = "the sensor Acceleration (with gravity), with Gyroscope in the same experiment if there is one"

Numbers = NDArray[np.float64]


class _Sensor(NamedTuple):
    """Times and three axes of a sensor."""

    t: Numbers
    values: Numbers


def is_phyphox(archive: Archive) -> bool:
    """Whether there is a table whose header phyphox wrote."""
    return any(_is_table(archive, name) for name in archive.names())


def read_phyphox(archive: Archive, options: ReadOptions) -> Dataset:
    """Read all experiments with acceleration and angular rate.

    Raises:
        DataError: if a file is broken, or an experiment lacks one of the two sensors.
    """
    takes = list(_takes(archive, options))
    passed = passed_over(archive, lambda name: _is_of_phyphox(archive, name))
    return dataset_of_takes(takes, archive.path.stem, options, tuple(passed))


def _is_table(archive: Archive, name: str, *, magnetometer: bool = False) -> bool:
    """Whether a file is a table of a sensor of motion with three axes, or of a magnetometer if that counts."""
    axes = filter(None, map(_AXIS.fullmatch, _names(archive, name)))
    return any(magnetometer or not found["unit"].endswith("T") for found in axes)


def _is_of_phyphox(archive: Archive, name: str) -> bool:
    return "meta" in PurePosixPath(name).parts or bool(_names(archive, name))


def _names(archive: Archive, name: str) -> list[str]:
    """Columns of a table that phyphox wrote: names in quotation marks, with their units; else none."""
    names = _quoted_names(first_line(archive, name)) if name.lower().endswith(".csv") else []
    return names if all(map(_COLUMN.fullmatch, names)) else []


def _quoted_names(header: str) -> list[str]:
    """Names of columns that are all in quotation marks, else none."""
    names = re.findall(r'"([^"]*)"', header)
    plain = re.sub(r'"[^"]*"', "", header).strip(" ")
    return names if len(names) > 1 and len(plain) == len(names) - 1 and set(plain) <= set(",;\t") else []


def _takes(archive: Archive, options: ReadOptions) -> Iterator[Take]:
    for folder, names in by_folder(archive.names()).items():
        tables = {
            name: parse_table(archive.read(name), archive.title(name))
            for name in names
            if _is_table(archive, name, magnetometer=options.magnetometer)
        }
        if not tables:
            continue
        pauses = _pauses(archive, folder)
        single = {name: table for name, table in tables.items() if _acceleration(table) and _rotation(table)}
        for name, table in single.items():
            yield _take(name, archive.title(name), [table], pauses if len(single) == 1 else [], options)
        rest = [table for name, table in tables.items() if name not in single]
        if rest and not single:
            yield _take(folder or archive.path.name, folder_title(archive, folder), rest, pauses, options)


def _take(
    path: str,
    title: str,
    tables: Sequence[AppTable],
    pauses: Sequence[tuple[float, float]],
    options: ReadOptions,
) -> Take:
    found: list[_Sensor | None] = []
    for what in (_acceleration, _rotation, *((_field,) if options.magnetometer else ())):
        named = [(table, names) for table in tables if (names := what(table))]
        if len(named) > 1:
            files = ", ".join(PurePosixPath(table.title).name for table, _ in named)
            raise DataError(
                title,
                found=f"{len(named)} tables of one sensor in one folder: {files}",
                expected="a folder or zip for each experiment",
                next_step="put each into a folder of its own",
            )
        found.append(_sensor(*named[0], pauses) if named else None)
    acc, gyro, mag = (*found, None)[:3]
    if acc is None:
        seen = ", ".join(table.names[1] for table in tables)
        raise without(_WANTED, title, f"{seen} without it", "record acceleration with gravity")
    t, signals, channels = merged(acc, gyro, mag)
    return Take(path, title, t, signals, channels=channels)


def _acceleration(table: AppTable) -> list[str]:
    """Names of the three axes of acceleration with gravity; empty if there is none."""
    return _axes(table, "m/s^2")


def _rotation(table: AppTable) -> list[str]:
    return _axes(table, "rad/s")


def _field(table: AppTable) -> list[str]:
    return _axes(table, "uT")


def _axes(table: AppTable, unit: str) -> list[str]:
    by_quantity: dict[str, list[str]] = {}
    for name in table.names:
        found = _AXIS.fullmatch(name)
        if found and _MICRO.sub("u", found["unit"]) == unit and not _LINEAR.search(found["quantity"]):
            by_quantity.setdefault(found["quantity"], []).append(name)
    return next((sorted(names) for names in by_quantity.values() if len(names) == 3), [])


def _sensor(table: AppTable, names: Sequence[str], pauses: Sequence[tuple[float, float]]) -> _Sensor:
    values = table.numbers([table.names[0], *names], missing=_NAN)
    values = values[np.isfinite(values).all(1)]
    t = values[:, 0]
    for at, length in pauses:
        t = t + np.where(values[:, 0] >= at, length, 0.0)
    return _Sensor(t, values[:, 1:])


def _pauses(archive: Archive, folder: str) -> list[tuple[float, float]]:
    """Experiment time and length in seconds of each pause; none without ``meta/time.csv``."""
    name = f"{folder}/meta/time.csv" if folder else "meta/time.csv"
    if name not in archive.names():
        return []
    table = parse_table(archive.read(name), archive.title(name))
    events = table.text("event")
    experiment, system = table.numbers(["experiment time", "system time"]).T
    return [
        (float(experiment[row]), float(system[row] - system[row - 1]))
        for row in range(1, len(events))
        if (events[row - 1], events[row]) == ("PAUSE", "START")
    ]
