"""Samples in Edge Impulse's data acquisition format, as JSON or CBOR: one file, or the folder or zip of an export.

As specified on https://docs.edgeimpulse.com/reference/data-ingestion/data-acquisition-format: ``payload`` has
``interval_ms``, ``sensors`` with names and units, and ``values``, a row a sample. Sensors are told by their names, as
``accX`` or ``gyrZ``. The signature is not checked, since its key is a secret of the project.

Labels are those of ``info.labels`` beside the files, which the studio exports and ``edge-impulse-uploader --info-file``
takes, else the part of a file's name before its first point, as in ``walking.3kq2.json``. The axes and their signs are
those of the device that sent them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ALL_CHANNELS, CHANNELS, DataError, channels_of
from deseptr.contract.extras import needing_extra

from .app_table import without
from .archive import Archive
from .column_names import role_of
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes
from .units import UNITS_OF, to_si

_SUFFIXES = (".json", ".cbor")
_LABELS = "info.labels"
_TESTING = "testing"
_SPELLINGS = {
    **dict.fromkeys(("m/s2", "m/s^2", "m/s\N{SUPERSCRIPT TWO}", "m/s/s", "ms2"), "m/s^2"),
    **dict.fromkeys(("g", "gs"), "g"),
    "mg": "mg",
    **dict.fromkeys(("dps", "deg/s", "degrees/s", "\N{DEGREE SIGN}/s"), "dps"),
    "mdps": "mdps",
    **dict.fromkeys(("rad/s", "rads", "radians/s"), "rad/s"),
    **dict.fromkeys(("ut", "\N{MICRO SIGN}t", "\N{GREEK SMALL LETTER MU}t"), "uT"),
    "nt": "nT",
    "mt": "mT",
}
# What the tools write where nobody named a unit.
_NO_UNIT = ("", "n/a", "undefined", "none")
_LONGEST_INTERVAL_MS = 1e7
_NEXT = "send or export the sample again"
_WANTED = "three axes of acceleration, of angular rate, or of both, as accX and gyrX"


def is_edge_impulse(archive: Archive) -> bool:
    """Whether there is a file with the header that both forms begin with."""
    return any(_is_sample(archive, name) for name in archive.names())


def read_edge_impulse(archive: Archive, options: ReadOptions) -> Dataset:
    """Read all samples; the device's name is the subject, held out if all of its samples are in ``testing``.

    Raises:
        DataError: if a file is broken, a unit is unknown, or a sample lacks a channel.
        SetupError: if a file is CBOR, and the extra ``cbor`` is not installed.
    """
    oddities: list[str] = []
    files = [name for name in archive.names() if _is_sample(archive, name)]
    labels = _Labels(archive)
    takes = [_take(archive, name, labels, options, oddities) for name in files]
    if labels.of_names and not (options.label or options.label_from):
        oddities.append("labels were taken from the files' names, up to the first point; --label-from says otherwise")
    dataset = dataset_of_takes(takes, archive.path.stem, options, oddities)
    held_out = set() if options.subject_from else _held_out(takes)
    return replace(dataset, test_subjects=tuple(subject for subject in dataset.subjects if subject in held_out))


def _held_out(takes: Sequence[Take]) -> set[str | None]:
    """Subjects who are in ``testing`` alone, if there is anything else."""
    testing = {take.subject for take in takes if _TESTING in PurePosixPath(take.path).parts[:-1]}
    training = {take.subject for take in takes if _TESTING not in PurePosixPath(take.path).parts[:-1]}
    return testing - training if training else set()


def _is_sample(archive: Archive, name: str) -> bool:
    if not name.lower().endswith(_SUFFIXES):
        return False
    head = archive.head(name)
    first = head.lstrip()[:1]
    # Either an object of JSON, or a map of CBOR (RFC 8949, major type 5).
    known = first == b"{" or 0xA0 <= head[:1].ljust(1, b"\0")[0] <= 0xBF
    return known and b"payload" in head and (b"protected" in head or b"interval_ms" in head)


class _Labels:
    """The labels of ``info.labels`` by path, else those of names, which are counted."""

    def __init__(self, archive: Archive) -> None:
        self._by_path: dict[str, Any] = {}
        self.of_names = 0
        for name in archive.names():
            path = PurePosixPath(name)
            if path.name == _LABELS:
                for file in _files(archive, name):
                    self._by_path[(path.parent / str(file.get("path"))).as_posix()] = file.get("label")

    def of(self, name: str, rows: int, title: str) -> str | list[str]:
        """The label of a file, or one a row."""
        if name not in self._by_path:
            stem = PurePosixPath(name).name.rpartition(".")[0]
            self.of_names += "." in stem
            return stem.partition(".")[0] if "." in stem else ""
        label = self._by_path[name]
        kind = label.get("type") if isinstance(label, Mapping) else None
        if kind == "label":
            return str(label.get("label", ""))
        if kind == "multi-label":
            return _by_row(label.get("labels"), rows, title)
        if kind == "unlabeled":
            return ""
        raise _other(f"{title}: its label in {_LABELS}", repr(label), "type label, multi-label or unlabeled")


def _files(archive: Archive, name: str) -> list[Mapping[str, Any]]:
    content = _parsed(archive.read(name), archive.title(name))
    files = content.get("files")
    if not isinstance(files, list) or not all(isinstance(file, Mapping) for file in files):
        raise _other(archive.title(name), "no list of files", "a list `files`")
    return files


def _by_row(labels: Any, rows: int, title: str) -> list[str]:
    names = [""] * rows
    try:
        for each in labels:
            first, last = int(each["startIndex"]), int(each["endIndex"])
            if not 0 <= first <= last:
                raise ValueError(f"rows {first} to {last}")
            # The last row is one of the label's.
            last = min(last, rows - 1)
            names[first : last + 1] = [str(each["label"])] * (last + 1 - first)
    except (TypeError, KeyError, ValueError) as error:
        place = f"{title}: its labels in {_LABELS}"
        raise _other(place, f"broken ones ({error})", "label, startIndex and endIndex each") from error
    return names


def _take(archive: Archive, name: str, labels: _Labels, options: ReadOptions, oddities: list[str]) -> Take:
    title = archive.title(name)
    payload = _parsed(archive.read(name), title).get("payload")
    if not isinstance(payload, Mapping):
        raise _other(title, "no payload", "an object `payload`")
    interval = payload.get("interval_ms")
    if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0 < interval <= _LONGEST_INTERVAL_MS:
        raise _other(f"{title}: interval_ms", repr(interval), "a positive number of milliseconds")
    places, units, channels = _channels(payload.get("sensors"), options, title)
    values = _values(payload, title)[:, places]
    signals = values * np.array([to_si(unit, title) for unit in units])
    subject = payload.get("device_name")
    if isinstance(subject, str) and subject and not options.subject_from:
        oddities.append("the device's name is the subject; --subject-from takes it from the path")
    return Take(
        name,
        title,
        np.arange(len(signals), dtype=np.float64) * (float(interval) / 1000),
        signals,
        labels.of(name, len(signals), title),
        subject if isinstance(subject, str) and subject else None,
        units=units,
        channels=channels,
    )


def _parsed(content: bytes, title: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(content) if content.lstrip()[:1] == b"{" else _of_cbor(content)
        if not isinstance(parsed, Mapping):
            raise ValueError("no object")
    except (ValueError, RecursionError, OverflowError, TypeError) as error:
        raise _other(title, f"a broken file ({error})", "JSON or CBOR of Edge Impulse") from error
    return parsed


def _of_cbor(content: bytes) -> Any:
    with needing_extra("recordings in CBOR"):
        import cbor2
    try:
        return cbor2.loads(content)
    except cbor2.CBORError as error:
        raise ValueError(str(error)) from error


def _channels(sensors: Any, options: ReadOptions, title: str) -> tuple[list[int], tuple[str, ...], tuple[str, ...]]:
    """Places of the channels in a row, their units and their names."""
    if not isinstance(sensors, list) or not all(isinstance(sensor, Mapping) for sensor in sensors):
        raise _other(f"{title}: sensors", "no list of them", "a list with name and units each")
    chosen = dict(options.columns)
    names = [str(sensor.get("name")) for sensor in sensors]
    roles = [role_of(chosen.get(name, name)) for name in names]
    by_role = {role: (place, unit) for place, (role, unit) in enumerate(roles) if role in ALL_CHANNELS}
    # A sensor with one axis or two lacks the others; one without any is not there.
    begun = {role.partition("_")[0] for role in by_role}
    channels = channels_of(begun) or CHANNELS
    if missing := [channel for channel in channels if channel not in by_role]:
        found = f"no {', '.join(missing)} (only {', '.join(names)})"
        next_step = "sample all axes, or name them with --columns THEIRS=OURS,…"
        raise without(_WANTED, title, found, next_step)
    units = tuple(
        _unit(channel, by_role[channel][1] or sensors[by_role[channel][0]].get("units"), options, title)
        for channel in channels
    )
    return [by_role[channel][0] for channel in channels], units, channels


def _unit(channel: str, said: Any, options: ReadOptions, title: str) -> str:
    sensor = channel.partition("_")[0]
    allowed = UNITS_OF[sensor]
    text = str(said or "").strip().lower()
    unit = _SPELLINGS.get(text, text)
    if unit in allowed:
        return unit
    if text in _NO_UNIT and (chosen := options.unit_of(sensor)):
        return chosen
    raise DataError(
        f"{title}: units of {channel}",
        found=repr(said),
        expected=f"one of {', '.join(allowed)}",
        next_step="say it with --units, as g,dps" if text in _NO_UNIT else "correct the file",
    )


def _values(payload: Mapping[str, Any], title: str) -> NDArray[np.float64]:
    """The rows as float64 ``[row, sensor]``."""
    rows, width = payload.get("values"), len(payload["sensors"])
    if not isinstance(rows, list) or not rows:
        raise _other(f"{title}: values", "no row", "a list of rows")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != width or not all(map(_is_number, row)):
            raise _other(f"{title}: values, row {number}", _short(row), f"{width} finite numbers, one a sensor")
    return np.array(rows, np.float64)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _other(place: str, found: str, expected: str) -> DataError:
    return DataError(place, found=found, expected=expected, next_step=_NEXT)
