"""The files of Sensor Logger's recordings, as tables by sensor; :mod:`.sensor_logger` says what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from .app_table import AppTable, by_folder, first_line, folder_of, folder_title, json_records, parse_table, passed_over
from .archive import Archive

_PHONE = ("TotalAcceleration", "Accelerometer", "AccelerometerUncalibrated", "Gyroscope", "GyroscopeUncalibrated")
_USED = (*_PHONE, "Magnetometer", "Gravity", "WristMotion", "Annotation", "Metadata")
_CLOCK = {"time", "seconds_elapsed"}
_COMBINED = re.compile(r"(?:^|[,;\t\"])(?:totalAcceleration|accelerometer)(?:Uncalibrated)?_x\b", re.IGNORECASE)


class Log(NamedTuple):
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


def is_sensor_logger(archive: Archive) -> bool:
    """Whether there is a recording of Sensor Logger, by names and headers, or as JSON."""
    return any(
        _is_table(archive, name) or _is_json(archive, name) or _is_combined(archive, name) for name in archive.names()
    )


def logs_of(archive: Archive) -> tuple[list[Log], list[str]]:
    """All recordings, and a note on tables that belong to none.

    Raises:
        DataError: if a file is broken.
    """
    folders = _folders(archive)
    notes = passed_over(archive, lambda name: folder_of(name) in folders or _is_combined(archive, name))
    return list(_logs(archive)), list(notes)


def _is_table(archive: Archive, name: str) -> bool:
    path = PurePosixPath(name)
    known = path.suffix.lower() == ".csv" and path.stem in (*_PHONE, "WristMotion")
    # Beside them there may be times for people, in a column of its own.
    return known and set(re.split(r"[,;\t]", first_line(archive, name).replace('"', ""))) >= _CLOCK


def _is_json(archive: Archive, name: str) -> bool:
    head = archive.head(name) if name.lower().endswith(".json") else b""
    return (
        head.lstrip()[:1] == b"[" and b'"sensor"' in head and (b'"seconds_elapsed"' in head or b'"device id"' in head)
    )


def _is_combined(archive: Archive, name: str) -> bool:
    header = first_line(archive, name) if name.lower().endswith(".csv") else ""
    return "seconds_elapsed" in header and _COMBINED.search(header) is not None


def _folders(archive: Archive) -> set[str]:
    """Folders with the tables of a recording."""
    return {folder_of(name) for name in archive.names() if _is_table(archive, name)}


def _logs(archive: Archive) -> Iterator[Log]:
    folders = _folders(archive)
    for folder, names in by_folder(archive.names()).items():
        if folder in folders:
            used = {PurePosixPath(name).stem: name for name in names if name.lower().endswith(".csv")}
            tables = {
                sensor: parse_table(archive.read(used[sensor]), archive.title(used[sensor]))
                for sensor in _USED
                if sensor in used and _has_rows(archive, used[sensor])
            }
            yield Log(folder or archive.path.name, folder_title(archive, folder), tables)
        for name in names:
            if _is_json(archive, name):
                yield Log(name, archive.title(name), _tables_of_json(archive.read(name), archive.title(name)))
            elif _is_combined(archive, name):
                yield Log(name, archive.title(name), _split(parse_table(archive.read(name), archive.title(name))))


def _split(table: AppTable) -> dict[str, AppTable]:
    """The tables of the sensors in a combined one, without the rows in which they have no value."""
    found = {}
    clock = table.text("seconds_elapsed")
    for sensor in _USED:
        prefix = f"{sensor}_".lower()
        places = [place for place, name in enumerate(table.names) if name.lower().startswith(prefix)]
        kept = [at for at, row in enumerate(table.rows) if any(row[place] for place in places)]
        if kept:
            rows = [[clock[at], *(table.rows[at][place] for place in places)] for at in kept]
            names = ("seconds_elapsed", *(table.names[place][len(prefix) :] for place in places))
            lines = [table.lines[at] for at in kept]
            found[sensor] = AppTable(table.title, names, rows, lines, table.decimal_comma, table.cut_off)
    return found


def _has_rows(archive: Archive, name: str) -> bool:
    """Whether there is more than a header: a sensor that was switched on, but that the phone lacks, has no row."""
    return bool(archive.head(name).strip().partition(b"\n")[2])


def _tables_of_json(content: bytes, title: str) -> dict[str, AppTable]:
    records = json_records(content, title, app="Sensor Logger", next_step="export the recording again")
    by_sensor: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_sensor.setdefault(str(record.get("sensor")), []).append(record)
    return {sensor: _table_of(found, f"{title}, {sensor}") for sensor, found in by_sensor.items() if sensor in _USED}


def _table_of(records: list[dict[str, Any]], title: str) -> AppTable:
    names = tuple(dict.fromkeys(name for record in records[:1] for name in record))
    rows = [[str(record.get(name, "")) for name in names] for record in records]
    return AppTable(title, names, rows, range(1, len(rows) + 1))
