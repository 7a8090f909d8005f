"""The UCI-HAR archive as published by UCI (``Inertial Signals``), or the unpacked folder.

Anguita, Ghio, Oneto, Parra and Reyes-Ortiz, "A Public Domain Dataset for Human Activity Recognition Using Smartphones",
ESANN 2013. 30 subjects, a Galaxy S II at the waist, 50 Hz; acceleration with gravity in g, angular rate in rad/s. Each
row of a file is a window of 128 samples whose first half repeats the second half of the row before it, unless another
stretch begins there: rows that fit together are joined, so that no sample is there twice.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, DataError
from deseptr.contract.counts import counted

from .archive import Archive, number_table
from .hapt import activity_names
from .recording import Dataset, Recording

RATE_HZ = 50.0
WINDOW, HALF = 128, 64
_PARTS = ("train", "test")
_SIGNALS = tuple(f"{sensor}_{axis}" for sensor in ("total_acc", "body_gyro") for axis in "xyz")
_PATH = re.compile(r"^(?P<root>(?:.*/)?)train/Inertial Signals/total_acc_x_train\.txt$")


def is_uci_har(names: Sequence[str]) -> bool:
    """Whether these are the file names of the UCI-HAR archive."""
    return any(_PATH.search(name) for name in names)


def read_uci_har(archive: Archive) -> Dataset:
    """Read both parts; the subjects of ``test`` are held out by default.

    Raises:
        DataError: if a file is missing or broken, or the files of a part have different numbers of rows.
    """
    names = archive.names()
    root = next(found["root"] for name in names if (found := _PATH.search(name)))
    labels = activity_names(archive, names)
    counts: dict[str, int] = {}
    recordings, parts = [], {}
    for part in _PARTS:
        own = list(_recordings(archive, root, part, len(labels), counts))
        parts[part] = {recording.subject for recording in own}
        recordings += own
    return Dataset(
        tuple(recordings),
        labels,
        name=archive.path.stem,
        original_units=("g",) * 3 + ("rad/s",) * 3,
        test_subjects=tuple(sorted(parts["test"] - parts["train"], key=int)),
    )


def _recordings(archive: Archive, root: str, part: str, classes: int, counts: dict[str, int]) -> Iterator[Recording]:
    subjects = _column(archive, f"{root}{part}/subject_{part}.txt", None)
    labels = _column(archive, f"{root}{part}/y_{part}.txt", len(subjects))
    if labels.min() < 1 or labels.max() > classes:
        raise _other(archive.title(f"{root}{part}/y_{part}.txt"), f"{labels.max()}", f"labels of 1 to {classes}")
    windows = np.stack(
        [
            _table(archive, f"{root}{part}/Inertial Signals/{signal}_{part}.txt", WINDOW, len(subjects))
            for signal in _SIGNALS
        ],
        2,
    )
    windows[:, :, :3] *= STANDARD_GRAVITY
    for first, last in _stretches(windows, subjects, labels):
        subject = str(subjects[first])
        counts[subject] = counts.get(subject, 0) + 1
        signals = np.concatenate([windows[first, :HALF], *windows[first:last, HALF:]])
        same = np.full(len(signals), labels[first] - 1, np.int16)
        yield Recording(signals.astype(np.float32), RATE_HZ, subject, same, str(counts[subject]))


def _stretches(
    windows: NDArray[np.float64], subjects: NDArray[np.int64], labels: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """First and last row, excluded, of rows that follow each other."""
    fits = (windows[1:, :HALF] == windows[:-1, HALF:]).all((1, 2))
    fits &= (subjects[1:] == subjects[:-1]) & (labels[1:] == labels[:-1])
    edges = [0, *(np.flatnonzero(~fits) + 1).tolist(), len(windows)]
    yield from itertools.pairwise(edges)


def _column(archive: Archive, path: str, rows: int | None) -> NDArray[np.int64]:
    table = _table(archive, path, 1, rows)[:, 0]
    if (table != np.rint(table)).any() or (np.abs(table) > np.iinfo(np.int16).max).any():
        raise _other(archive.title(path), "numbers with a fraction, or large ones", "a subject or label a row")
    return table.astype(np.int64)


def _table(archive: Archive, path: str, columns: int, rows: int | None) -> NDArray[np.float64]:
    table = number_table(archive.read(path), archive.title(path), columns=columns)
    if rows is not None and len(table) != rows:
        raise _other(archive.title(path), counted(len(table), "row"), f"{rows}, as subjects")
    return table


def _other(title: str, found: str, expected: str) -> DataError:
    return DataError(title, found=found, expected=expected, next_step="download the archive again")
