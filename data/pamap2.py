"""The PAMAP2 data set as published by UCI, or single files of it: ``Protocol/subject101.dat`` and so on.

Reiss and Stricker, "Introducing a New Benchmarked Dataset for Activity Monitoring", ISWC 2012,
doi 10.1109/ISWC.2012.13; columns as its ``readme.pdf`` and ``DataCollectionProtocol.pdf`` say. Nine subjects, three
Colibri sensors at wrist, chest and ankle, 100 Hz. A row has 54 numbers: time in seconds, activity, heart rate, and 17
for each sensor: temperature, acceleration at +-16 g and at +-6 g in m/s^2 with gravity, angular rate in rad/s, magnetic
field, and an orientation that is not valid. The acceleration at +-16 g is read: that at +-6 g saturates. ``NaN`` is a
sample that the radio lost. Activity 0 is between others and unlabelled.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError
from deseptr.contract.counts import counted

from .app_table import chosen_sensor, first_line, other_sensors
from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset
from .takes import Take, dataset_of_takes

COLUMNS = 54
SENSORS = {"hand": 3, "chest": 20, "ankle": 37}
"""First column of each sensor."""
_ACC_16G, _GYRO = 1, 7
_ACTIVITIES = {
    0: "",
    1: "lying",
    2: "sitting",
    3: "standing",
    4: "walking",
    5: "running",
    6: "cycling",
    7: "Nordic walking",
    9: "watching TV",
    10: "computer work",
    11: "car driving",
    12: "ascending stairs",
    13: "descending stairs",
    16: "vacuum cleaning",
    17: "ironing",
    18: "folding laundry",
    19: "house cleaning",
    20: "playing soccer",
    24: "rope jumping",
}
_SUBJECT = re.compile(r"subject(\d+)\.dat$", re.IGNORECASE)


def is_pamap2(archive: Archive) -> bool:
    """Whether there is a ``.dat`` file whose first row has 54 numbers."""
    return any(_is_file(archive, name) for name in archive.names())


def read_pamap2(archive: Archive, options: ReadOptions) -> Dataset:
    """Read one sensor of every file: the wrist's, unless ``--placement chest`` or ``ankle`` is asked for.

    Raises:
        DataError: if a row has another length, a cell is no number, or an activity is unknown.
    """
    sensor = chosen_sensor(tuple(SENSORS), options, str(archive.path))
    files = [name for name in archive.names() if _is_file(archive, name)]
    takes = [_take(archive, name, sensor) for name in files]
    return dataset_of_takes(takes, archive.path.stem, options, tuple(other_sensors(tuple(SENSORS), options)))


def _is_file(archive: Archive, name: str) -> bool:
    cells = first_line(archive, name).split() if name.lower().endswith(".dat") else []
    return len(cells) == COLUMNS and all(map(_is_number, cells))


def _take(archive: Archive, name: str, sensor: str) -> Take:
    title = archive.title(name)
    table = _table(archive.read(name), title, SENSORS[sensor])
    found = _SUBJECT.search(name)
    part = PurePosixPath(name).parent.name
    return Take(
        name,
        title,
        table[:, 0],
        table[:, 2:],
        _labels(table[:, 1], title),
        found and found[1],
        # A subject is in the folders Protocol and Optional.
        part or None,
    )


def _table(content: bytes, title: str, first: int) -> NDArray[np.float64]:
    """Time, activity and the six channels of a sensor, ``[row, 8]``."""
    places = [0, 1, *range(first + _ACC_16G, first + _ACC_16G + 3), *range(first + _GYRO, first + _GYRO + 3)]
    try:
        table = np.loadtxt(_whole_lines(content), usecols=places, ndmin=2, comments=None)
    except ValueError:
        table = None
    if table is None or not np.isfinite(table[:, :2]).all() or np.isinf(table).any():
        raise _bad_row(content, title)
    return table


def _whole_lines(content: bytes) -> Iterator[str]:
    """Lines of 54 cells, which ``loadtxt`` does not count if it needs only some.

    Raises:
        ValueError: if a line has another number of them.
    """
    for line in io.TextIOWrapper(io.BytesIO(content), "ascii", errors="replace"):
        # Blanks are single ones, as a rule; to split every line takes as long as to read the numbers.
        if line.count(" ") != COLUMNS - 1 and len(line.split()) not in (0, COLUMNS):
            raise ValueError(line)
        yield line


def _labels(numbers: NDArray[np.float64], title: str) -> list[str]:
    unknown = sorted({*np.unique(numbers).tolist()} - set(_ACTIVITIES))
    if unknown:
        raise DataError(
            f"{title}, column 2",
            found=f"the activity {unknown[0]:g}",
            expected=f"one of {', '.join(map(str, _ACTIVITIES))}",
            next_step="download the data set again",
        )
    return [_ACTIVITIES[int(number)] for number in numbers.tolist()]


def _bad_row(content: bytes, title: str) -> DataError:
    for number, line in enumerate(content.decode("ascii", "replace").splitlines(), 1):
        cells = line.split()
        if cells and len(cells) != COLUMNS:
            return _broken(f"{title}, line {number}", counted(len(cells), "column"), f"{COLUMNS} numbers")
        for column, cell in enumerate(cells, 1):
            if not _is_number(cell) or "inf" in cell.lower() or (column < 3 and cell.lower() == "nan"):
                return _broken(f"{title}, line {number}, column {column}", repr(cell), "a finite number, or NaN")
    return _broken(title, "no row", f"rows of {COLUMNS} numbers")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _broken(place: str, found: str, expected: str) -> DataError:
    return DataError(place, found=found, expected=expected, next_step="download the data set again")
