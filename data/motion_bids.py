"""Motion-BIDS: recordings of motion in the Brain Imaging Data Structure.

https://bids-specification.readthedocs.io/en/stable/modality-specific-files/motion.html: ``…_motion.tsv`` has no header.
``…_channels.tsv`` names its columns, ``…_motion.json`` the rate, ``…_events.tsv`` what happened when. Each of them may
lie in a folder above and hold for several recordings. Acceleration, angular rate and magnetic field of one tracked
point are read;
whether acceleration includes gravity is not specified.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ALL_CHANNELS, CHANNELS, SENSORS, DataError, channels_of, parse_json
from deseptr.contract.counts import counted

from .app_table import chosen_sensor, other_sensors, without
from .archive import Archive
from .bids_names import BidsName, Sidecars, bids_name
from .read_options import ReadOptions
from .recording import Dataset, natural_sorted
from .takes import Take, dataset_of_takes
from .units import to_si

NOT_AVAILABLE = "n/a"
_NO_NUMBER = re.compile(rb"nan|inf|_", re.IGNORECASE)
_SPELLINGS = {
    **dict.fromkeys(("m/s2", "m/s\N{SUPERSCRIPT TWO}", "m/s/s"), "m/s^2"),
    **dict.fromkeys(("\N{DEGREE SIGN}/s", "deg/s"), "dps"),
    **dict.fromkeys(("\N{MICRO SIGN}T", "\N{GREEK SMALL LETTER MU}T", "microtesla"), "uT"),
}
_TYPES = {"acc": "ACCEL", "gyro": "GYRO", "mag": "MAGN"}
# A label holds from its onset on; sums of decimal fractions are a little off.
_ROUNDING = 1e-6
_NEXT = "correct the file"


class _Sensor(NamedTuple):
    """The columns of one tracked point in one file.

    Args:
        file: the ``…_motion.tsv``.
        point: the tracked point.
        places: of the channels.
        units: of the channels.
        channels: their names.
        latency: of the time since the first sample, if there is one.
        width: number of columns.
    """

    file: BidsName
    point: str
    places: tuple[int, ...]
    units: tuple[str, ...]
    channels: tuple[str, ...]
    latency: int | None
    width: int


def is_motion_bids(archive: Archive) -> bool:
    """Whether there is a ``sub-…_tracksys-…_motion.tsv``."""
    return bool(_files(archive))


def read_motion_bids(archive: Archive, options: ReadOptions) -> Dataset:
    """Read every recording of a tracked point; events with a duration are labels.

    Points with acceleration and angular rate go before those with one of them, if no sensors are asked for.

    Subjects, recordings and held-out subjects have the names of ``participants.tsv`` and ``…_scans.tsv`` where these
    have columns ``name``, ``recording`` and ``split``, as :func:`deseptr.data.save_dataset` writes them.

    Raises:
        DataError: names the file that is missing or broken, or the one that lacks a sensor.
    """
    sidecars = Sidecars(archive.names())
    sensors = [sensor for file in _files(archive) for sensor in _sensors(archive, sidecars, file)]
    if not sensors:
        raise without("channels of type ACCEL or GYRO for x, y and z", str(archive.path), "no tracked point with them")
    systems = {sensor.file.entities["tracksys"] for sensor in sensors}
    titles = {sensor: _sensor_title(sensor, len(systems) > 1) for sensor in sensors}
    wanted = set(options.wanted or CHANNELS)
    whole = {titles[sensor] for sensor in sensors if wanted <= set(sensor.channels)}
    present = natural_sorted(whole or set(titles.values()))
    chosen = chosen_sensor(present, options, str(archive.path))
    people = _people(archive)
    takes = [_take(archive, sidecars, sensor, people) for sensor in sensors if titles[sensor] == chosen]
    dataset = dataset_of_takes(takes, archive.path.stem, options, list(other_sensors(present, options)))
    held_out = {person.get("name") or own for own, person in people.items() if person.get("split") == "test"}
    test_subjects = () if options.subject_from else tuple(each for each in dataset.subjects if each in held_out)
    return replace(dataset, test_subjects=test_subjects)


def _files(archive: Archive) -> list[BidsName]:
    names = (bids_name(name) for name in archive.names() if name.endswith("_motion.tsv"))
    return [name for name in names if name and "sub" in name.entities and "tracksys" in name.entities]


def _sensor_title(sensor: _Sensor, several: bool) -> str:
    return f"{sensor.file.entities['tracksys']}/{sensor.point}" if several else sensor.point


def _sensors(archive: Archive, sidecars: Sidecars, file: BidsName) -> Iterator[_Sensor]:
    """The tracked points of a file that have a sensor, or both."""
    path = sidecars.nearest(file, "channels", "tsv")
    if path is None:
        raise _other(archive.title(file.path), "no file …_channels.tsv for it", "one that names its columns")
    rows = table_rows(archive.read(path), archive.title(path), ("name", "type", "component", "units"))
    places = {(_cell(row, "tracked_point"), row["type"], row["component"]): at for at, row in enumerate(rows)}
    latency = next((at for at, row in enumerate(rows) if row["type"] == "LATENCY"), None)
    for point in dict.fromkeys(point for point, _, _ in places):
        keys = {channel: (point, _TYPES[channel[:-2]], channel[-1]) for channel in ALL_CHANNELS}
        channels = channels_of(
            [name for name, kind in SENSORS.items() if all(keys[channel] in places for channel in kind.channels)]
        )
        if channels:
            own = tuple(places[keys[channel]] for channel in channels)
            units = tuple(_unit(rows[at]["units"], archive.title(path)) for at in own)
            yield _Sensor(file, point, own, units, channels, latency, len(rows))


def _unit(text: str, title: str) -> str:
    unit = _SPELLINGS.get(text.strip(), text.strip())
    to_si(unit, title)
    return unit


def _take(archive: Archive, sidecars: Sidecars, sensor: _Sensor, people: Mapping[str, Mapping[str, str]]) -> Take:
    file = sensor.file
    title = archive.title(file.path)
    places = list(sensor.places) + ([] if sensor.latency is None else [sensor.latency])
    table = _numbers(archive.read(file.path), title, places, sensor.width)
    if sensor.latency is None:
        t = np.arange(len(table)) / _rate(archive, sidecars, file)
    else:
        t = table[:, -1]
        if not np.isfinite(t).all():
            raise _other(f"{title}, column {sensor.latency + 1}", "n/a as a latency", "a time for every row")
    person = f"sub-{file.entities['sub']}"
    return Take(
        file.path,
        title,
        t,
        table[:, : len(sensor.places)] * [to_si(unit, title) for unit in sensor.units],
        _labels(archive, sidecars, file, t),
        people.get(person, {}).get("name") or file.entities["sub"],
        _recording(archive, sidecars, file),
        sensor.units,
        sensor.channels,
    )


def _numbers(content: bytes, title: str, places: list[int], width: int) -> NDArray[np.float64]:
    """Some columns as float64 ``[row, place]``, NaN where a value is not available."""
    lines = content.decode("utf-8", "replace").splitlines()
    # numpy reads numbers that the specification does not know.
    if lines and not _NO_NUMBER.search(content) and all(line.count("\t") == width - 1 for line in lines):
        try:
            text = io.StringIO(content.decode("utf-8", "replace").replace(NOT_AVAILABLE, "nan"))
            return np.loadtxt(text, delimiter="\t", comments=None, ndmin=2, usecols=places)
        except ValueError:
            pass
    raise _bad_row(lines, title, places, width)


def _bad_row(lines: list[str], title: str, places: list[int], width: int) -> DataError:
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if len(cells) != width:
            return _other(
                f"{title}, line {number}", counted(len(cells), "column"), f"{width}, as …_channels.tsv has rows"
            )
        for place in places:
            if cells[place] != NOT_AVAILABLE and not re.fullmatch(r"\s*[-+.\deE]+\s*", cells[place]):
                return _other(f"{title}, line {number}, column {place + 1}", repr(cells[place][:40]), "a number or n/a")
    return _other(title, "numbers that cannot be read" if lines else "no row", "rows of numbers without a header")


def _rate(archive: Archive, sidecars: Sidecars, file: BidsName) -> float:
    """The effective rate if it is known, else the nominal one."""
    said: dict[str, Any] = {}
    for path in sidecars.all_of(file, "motion", "json"):
        content = _json(archive, path)
        said.update(content)
    for key in ("SamplingFrequencyEffective", "SamplingFrequency"):
        value = said.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
            return float(value)
    found = f"{said.get('SamplingFrequency')!r}" if said else "no file …_motion.json for it"
    raise _other(f"{archive.title(file.path)}: SamplingFrequency", found, "a number of Hz in …_motion.json")


def _json(archive: Archive, path: str) -> Mapping[str, Any]:
    try:
        content = parse_json(archive.read(path))
    except (ValueError, OverflowError) as error:
        raise _other(archive.title(path), f"no JSON ({error})", "an object of JSON") from error
    if not isinstance(content, Mapping):
        raise _other(archive.title(path), "no object", "an object of JSON")
    return content


def _labels(archive: Archive, sidecars: Sidecars, file: BidsName, t: NDArray[np.float64]) -> str | list[str]:
    """One label a row: the type of the last event that began before it and is not over."""
    path = sidecars.nearest(file, "events", "tsv")
    if path is None or not len(t):
        return ""
    title = archive.title(path)
    labels = np.full(len(t), "", dtype=object)
    rounding = _ROUNDING * float(np.nanmedian(np.diff(t))) if len(t) > 1 else 0.0
    for row in table_rows(archive.read(path), title, ("onset", "duration")):
        label = _cell(row, "trial_type")
        if not label or NOT_AVAILABLE in (row["onset"], row["duration"]):
            continue
        onset, duration = _number(row["onset"], title), _number(row["duration"], title)
        first, last = np.searchsorted(t - t[0], [onset - rounding, onset + duration - rounding])
        labels[first:last] = label
    return labels.tolist()


def _number(cell: str, title: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _other(title, repr(cell[:40]), "onsets and durations in seconds")
    return number


def _people(archive: Archive) -> dict[str, dict[str, str]]:
    """Rows of ``participants.tsv`` by participant."""
    found = [name for name in archive.names() if name == "participants.tsv" or name.endswith("/participants.tsv")]
    return {
        row["participant_id"]: {key: _cell(row, key) for key in row}
        for name in found
        for row in table_rows(archive.read(name), archive.title(name), ("participant_id",))
    }


def _recording(archive: Archive, sidecars: Sidecars, file: BidsName) -> str:
    """The name that ``…_scans.tsv`` has, else what tells the file from others of the subject."""
    path = sidecars.nearest(file, "scans", "tsv")
    if path is not None:
        for row in table_rows(archive.read(path), archive.title(path), ("filename",)):
            if file.path.endswith(row["filename"]) and _cell(row, "recording"):
                return row["recording"]
    kept = {key: value for key, value in file.entities.items() if key not in ("sub", "tracksys")}
    return "_".join(f"{key}-{value}" for key, value in kept.items()) or "1"


def table_rows(content: bytes, title: str, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a table of BIDS by column.

    Raises:
        DataError: if it is no text, lacks a column, or has a row of another length.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter="\t"))
    except (UnicodeError, csv.Error) as error:
        raise _other(title, f"no table ({error})", "a table with tabs in UTF-8") from error
    header = [name.strip() for name in rows[0]] if rows else []
    if missing := [name for name in needed if name not in header]:
        raise _other(title, f"no column {', '.join(missing)}", f"the columns {', '.join(needed)}")
    for number, row in enumerate(rows, 1):
        if row and len(row) != len(header):
            raise _other(f"{title}, row {number}", counted(len(row), "column"), f"{len(header)} as in the header")
    return [dict(zip(header, row, strict=True)) for row in rows[1:] if row]


def _cell(row: Mapping[str, str], column: str) -> str:
    """A cell, empty if there is no such column, or its value is not available."""
    cell = row.get(column, "")
    return "" if cell == NOT_AVAILABLE else cell


def _other(place: str, found: str, expected: str) -> DataError:
    return DataError(place, found=found, expected=expected, next_step=_NEXT)
