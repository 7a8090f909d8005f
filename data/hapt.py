"""The HAPT archive as published by UCI (``RawData`` only), or the unpacked folder.

Reyes-Ortiz, Oneto, Samà, Parra and Anguita, "Transition-aware human activity recognition using smartphones",
Neurocomputing 2016, doi 10.1016/j.neucom.2015.07.085. 30 subjects, a Galaxy S II at the waist, 50 Hz, acceleration with
gravity in g, angular rate in rad/s. The data may not be used commercially.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, DataError
from deseptr.contract.counts import counted

from .archive import Archive, number_table
from .recording import UNLABELLED, Dataset, Recording

TEST_SUBJECTS = ("2", "4", "9", "10", "12", "13", "18", "20", "24")
"""The subjects of the archive's ``Test`` folder; the same as in UCI-HAR."""

RATE_HZ = 50.0
_PATH = re.compile(r"(?:^|/)RawData/acc_exp(\d+)_user(\d+)\.txt$")
_LABELS = re.compile(r"(?:^|/)RawData/labels\.txt$")
_NAMES = re.compile(r"(?:^|/)activity_labels\.txt$")

Runs = dict[tuple[int, int], list[tuple[int, int, int]]]


def is_hapt(names: Sequence[str]) -> bool:
    """Whether these are the file names of the HAPT archive."""
    return any(_PATH.search(name) for name in names)


def read_hapt(archive: Archive) -> Dataset:
    """Read every experiment; samples not mentioned in ``labels.txt`` are unlabelled.

    Raises:
        DataError: if a file is missing or broken, or a label run lies outside its experiment.
    """
    names = archive.names()
    label_names = activity_names(archive, names)
    runs = _runs(archive, names, len(label_names))
    found = sorted((int(m[1]), int(m[2]), name) for m, name in ((_PATH.search(n), n) for n in names) if m)
    recordings = [_recording(archive, path, experiment, user, runs) for experiment, user, path in found]
    subjects = {recording.subject for recording in recordings}
    return Dataset(
        tuple(recordings),
        label_names,
        name=archive.path.stem,
        original_units=("g",) * 3 + ("rad/s",) * 3,
        test_subjects=tuple(subject for subject in TEST_SUBJECTS if subject in subjects),
    )


def _only(names: list[str], pattern: re.Pattern[str], archive: Archive, what: str) -> str:
    found = [name for name in names if pattern.search(name)]
    if not found:
        raise DataError(
            archive.path, found=f"no {what}", expected=f"one {what}", next_step="download the complete archive again"
        )
    return found[0]


def activity_names(archive: Archive, names: list[str]) -> tuple[str, ...]:
    """The labels of ``activity_labels.txt``, which UCI-HAR has as well.

    Raises:
        DataError: if there is no such file, or it has something else.
    """
    path = _only(names, _NAMES, archive, "activity_labels.txt")
    rows = [line.split() for line in archive.read(path).decode("ascii", "replace").splitlines() if line.strip()]
    if not rows or any(len(row) != 2 or row[0] != str(i) for i, row in enumerate(rows, 1)):
        raise DataError(
            archive.title(path),
            found="other content",
            expected="lines with a number, counting from 1, and a name",
            next_step="download the archive again",
        )
    return tuple(row[1].lower() for row in rows)


def _runs(archive: Archive, names: list[str], classes: int) -> Runs:
    path = _only(names, _LABELS, archive, "RawData/labels.txt")
    title = archive.title(path)
    runs: Runs = {}
    for row in number_table(archive.read(path), title, columns=5).astype(int).tolist():
        experiment, user, label, first, last = row
        if not (1 <= label <= classes and 1 <= first <= last):
            raise _bad_run(title, row, f"a label of 1 to {classes} and a start before its end")
        runs.setdefault((experiment, user), []).append((label, first, last))
    return runs


def _recording(archive: Archive, path: str, experiment: int, user: int, runs: Runs) -> Recording:
    acc = number_table(archive.read(path), archive.title(path), columns=3)
    gyro_path = path.replace("/acc_", "/gyro_") if "/" in path else path.replace("acc_", "gyro_")
    gyro = number_table(archive.read(gyro_path), archive.title(gyro_path), columns=3)
    if len(acc) != len(gyro):
        raise DataError(
            archive.title(gyro_path),
            found=counted(len(gyro), "row"),
            expected=f"{len(acc)} as in {path}",
            next_step="download the archive again",
        )
    labels = _labels(runs.get((experiment, user), []), len(acc), archive.title(path))
    signals = np.hstack([acc * STANDARD_GRAVITY, gyro]).astype(np.float32)
    return Recording(signals, RATE_HZ, str(user), labels, str(experiment))


def _labels(runs: list[tuple[int, int, int]], samples: int, title: str) -> NDArray[np.int16]:
    labels = np.full(samples, UNLABELLED, np.int16)
    for label, first, last in runs:
        if last > samples:
            raise _bad_run(title, [label, first, last], f"an end of at most {samples} samples")
        # labels.txt counts samples from 1 and includes the last one.
        labels[first - 1 : last] = label - 1
    return labels


def _bad_run(title: str, row: list[int], expected: str) -> DataError:
    return DataError(f"{title}: label run", found=f"{row}", expected=expected, next_step="download the archive again")
