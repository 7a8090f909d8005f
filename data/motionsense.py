"""The MotionSense archive as published by its authors, ``A_DeviceMotion_data.zip``, or the unpacked folder.

Malekzadeh, Clegg, Cavallaro and Haddadi, "Mobile sensor data anonymization", IoTDI 2019, doi 10.1145/3302505.3310068.
24 subjects, an iPhone 6s in the front trouser pocket, Core Motion at 50 Hz. Acceleration is gravity + user
acceleration, both in g, in iOS' sign convention, and rotation rate in rad/s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from deseptr.contract import STANDARD_GRAVITY, DataError

from .archive import Archive, column_positions, number_table
from .recording import Dataset, Recording

LABELS = {
    "dws": "downstairs",
    "ups": "upstairs",
    "sit": "sitting",
    "std": "standing",
    "wlk": "walking",
    "jog": "jogging",
}
TEST_SUBJECTS = ("5", "10", "12", "22")
"""Subjects that the authors hold out."""

RATE_HZ = 50.0
_PATH = re.compile(r"(?:^|/)(dws|ups|sit|std|wlk|jog)_(\d+)/sub_(\d+)\.csv$")
_COLUMNS = tuple(
    f"{sensor}.{axis}" for sensor in ("gravity", "userAcceleration", "rotationRate") for axis in ("x", "y", "z")
)


class _Member(NamedTuple):
    code: str
    trial: int
    subject: int
    path: str


def test_subjects(label_names: Sequence[str], subjects: Iterable[str]) -> tuple[str, ...]:
    """The authors' held-out subjects if labels and subjects are those of MotionSense, else none."""
    everyone = {str(subject) for subject in range(1, 25)}
    return TEST_SUBJECTS if tuple(label_names) == tuple(LABELS.values()) and set(subjects) == everyone else ()


def is_motionsense(names: Sequence[str]) -> bool:
    """Whether these are the file names of the MotionSense archive."""
    return any(_PATH.search(name) for name in names)


def read_motionsense(archive: Archive) -> Dataset:
    """Read every trial; byte-identical copies of earlier trials are left out and noted as oddities.

    Raises:
        DataError: if a file is broken, lacks a column or contains a value that is not a finite number.
    """
    recordings: list[Recording] = []
    oddities: list[str] = []
    seen: dict[bytes, str] = {}
    for member in _members(archive):
        content = archive.read(member.path)
        if content in seen:
            oddities.append(f"{member.path} is a byte-identical copy of {seen[content]} and was left out")
            continue
        seen[content] = member.path
        recordings.append(_recording(content, member, archive.title(member.path)))
    subjects = {recording.subject for recording in recordings}
    return Dataset(
        tuple(recordings),
        tuple(LABELS.values()),
        name=archive.path.stem,
        oddities=tuple(oddities),
        original_units=("g",) * 3 + ("rad/s",) * 3,
        test_subjects=tuple(subject for subject in TEST_SUBJECTS if subject in subjects),
    )


def _members(archive: Archive) -> list[_Member]:
    found = ((_PATH.search(name), name) for name in archive.names())
    return sorted(_Member(m[1], int(m[2]), int(m[3]), name) for m, name in found if m)


def _recording(content: bytes, member: _Member, title: str) -> Recording:
    header, _, body = content.decode("ascii", "replace").partition("\n")
    if not body:
        raise DataError(title, found="no row", expected="a header and rows", next_step="download the archive again")
    positions = column_positions(header, _COLUMNS, title)
    table = number_table(content, title, columns=header.count(",") + 1, delimiter=",", header=1)
    values = table[:, positions]
    signals = np.hstack([(values[:, :3] + values[:, 3:6]) * STANDARD_GRAVITY, values[:, 6:]])
    label = list(LABELS).index(member.code)
    labels = np.full(len(signals), label, np.int16)
    return Recording(signals.astype(np.float32), RATE_HZ, str(member.subject), labels, str(member.trial))
