"""The WISDM data set of 2019 as published by UCI, ``wisdm-dataset``, or a part of it.

Weiss, Yoneda and Hayajneh, "Smartphone and Smartwatch-Based Biometrics Using Activities of Daily Living", IEEE Access
2019, doi 10.1109/ACCESS.2019.2940729; files as ``WISDM-dataset-description.pdf`` says. 51 subjects with a phone in the
trouser pocket and a watch, 18 activities of three minutes, 20 Hz. ``raw/watch/accel/data_1600_accel_watch.txt`` and the
same for ``gyro`` and ``phone`` have a line ``1600,A,252207666810782,-0.36,8.79,1.05;`` a sample: subject, activity,
nanoseconds of the device's clock, m/s^2 with gravity or rad/s, with the signs of Android. The two sensors have stamps
of their own and are merged for each activity.

The older ``WISDM_ar_v1.1_raw.txt`` has the accelerometer alone, and is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

from .app_table import chosen_sensor, first_line, other_sensors, without
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes, merged

_FILE = re.compile(r"data_(?P<subject>\d+)_(?P<sensor>accel|gyro)_(?P<device>phone|watch)\.txt$")
_LINE = re.compile(r"\s*(\d+),([A-Z]),(\d+),([^,;\s]+),([^,;\s]+),([^,;\s]+);?\s*")
_OLD_LINE = re.compile(r"\s*\d+,[A-Z][a-z]+,\d+,[^,;]+,[^,;]+,[^,;]*;")
_DEVICES = ("watch", "phone")
_ACTIVITIES = {
    "A": "walking",
    "B": "jogging",
    "C": "stairs",
    "D": "sitting",
    "E": "standing",
    "F": "typing",
    "G": "teeth",
    "H": "soup",
    "I": "chips",
    "J": "pasta",
    "K": "drinking",
    "L": "sandwich",
    "M": "kicking",
    "O": "catch",
    "P": "dribbling",
    "Q": "writing",
    "R": "clapping",
    "S": "folding",
}
_BOTH = "the files of accelerometer and gyroscope, raw/…/accel and raw/…/gyro"
_NEXT = "unpack or download the data set again"

Numbers = NDArray[np.float64]


class _Samples(NamedTuple):
    """Activity and times in seconds of each row, and the three axes."""

    activities: NDArray[np.str_]
    t: Numbers
    values: Numbers


def is_wisdm(archive: Archive) -> bool:
    """Whether there is a file of the data set with such lines, or of the older one."""
    return any(_is_file(archive, name) or _is_old(archive, name) for name in archive.names())


def read_wisdm(archive: Archive, options: ReadOptions) -> Dataset:
    """Read one device's recordings: the watch's, unless ``--placement phone`` is asked for or there is no other.

    Raises:
        DataError: if a line is broken, an activity is unknown, or there is no file of the other sensor.
    """
    files: dict[str, dict[str, dict[str, str]]] = {device: {} for device in _DEVICES}
    for name in archive.names():
        found = _FILE.search(name)
        if found and _is_file(archive, name):
            files[found["device"]].setdefault(found["subject"], {})[found["sensor"]] = name
    present = [device for device in _DEVICES if files[device]]
    if not present:
        old = next(name for name in archive.names() if _is_old(archive, name))
        raise without(
            "acceleration and angular rate: six channels",
            archive.title(old),
            "acceleration without angular rate",
            "take the data set of 2019, wisdm-dataset",
        )
    device = chosen_sensor(present, options, str(archive.path))
    takes = [
        take
        for subject, sensors in sorted(files[device].items(), key=lambda each: int(each[0]))
        for take in _takes(archive, subject, sensors)
    ]
    return dataset_of_takes(takes, archive.path.stem, options, tuple(other_sensors(present, options)))


def _is_file(archive: Archive, name: str) -> bool:
    return _FILE.search(name) is not None and _LINE.fullmatch(first_line(archive, name)) is not None


def _is_old(archive: Archive, name: str) -> bool:
    return name.lower().endswith(".txt") and _OLD_LINE.match(first_line(archive, name)) is not None


def _takes(archive: Archive, subject: str, sensors: dict[str, str]) -> Iterator[Take]:
    """One recording for each activity, which each subject did once."""
    path = next(iter(sensors.values()))
    if len(sensors) < 2:
        raise without(
            _BOTH, archive.title(path), f"no {'gyro' if 'accel' in sensors else 'accel'} of subject {subject}"
        )
    acc, gyro = (_samples(archive.read(name), archive.title(name)) for name in (sensors["accel"], sensors["gyro"]))
    for activity in sorted({*acc.activities.tolist()} & {*gyro.activities.tolist()}):
        mine, other = acc.activities == activity, gyro.activities == activity
        label = _ACTIVITIES[activity]
        t, signals, _ = merged((acc.t[mine], acc.values[mine]), (gyro.t[other], gyro.values[other]))
        yield Take(PurePosixPath(path).as_posix(), archive.title(path), t, signals, label, subject, label)


def _samples(content: bytes, title: str) -> _Samples:
    activities: list[str] = []
    numbers: list[tuple[int, float, float, float]] = []
    for count, line in enumerate(io.StringIO(content.decode("ascii", "replace")), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        try:
            if found is None or found[2] not in _ACTIVITIES:
                raise ValueError(line)
            row = (int(found[3]), float(found[4]), float(found[5]), float(found[6]))
            if not np.isfinite(row).all():
                raise ValueError(line)
        except (ValueError, OverflowError, TypeError):
            raise DataError(
                f"{title}, line {count}",
                found=repr(line.strip()[:80]),
                expected="subject, activity of A to S, nanoseconds and three numbers, as 1600,A,252207666810782,1,2,3;",
                next_step=_NEXT,
            ) from None
        activities.append(found[2])
        numbers.append(row)
    table = np.array(numbers, np.float64).reshape(-1, 4)
    return _Samples(np.array(activities, np.str_), table[:, 0] * 1e-9, table[:, 1:])
