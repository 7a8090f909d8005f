"""ActiGraph's ``.gt3x`` files: GT3X+, wGT3X-BT, GT9X Link and their kin.

A zip of ``info.txt``, lines of a name and a value, and ``log.bin``, records of a second each: ActiGraph,
"GT3X-File-Format". Acceleration is in records ACTIVITY or ACTIVITY2; the Link's second sensor, which has a gyroscope,
in SENSOR_DATA, described by SENSOR_SCHEMA. While the device is in idle sleep mode it writes nothing: there is a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, ArchiveError, DataError, ZipReader

from .archive import Archive
from .gt3x_records import Column, Log, Schema, read_log
from .read_options import ReadOptions
from .recording import HIGHEST_RATE_HZ, Dataset
from .takes import Take, beside, dataset_of_takes, units_in
from .units import DEGREE

_INFO, _LOG, _OLD_LOG = "info.txt", "log.bin", "activity.bin"
_LARGEST_INFO = 2**16
# Counts of a g, by the first letters of the serial number; MOS0 to MOS4 are the wGT3X-BT, TAS the Link.
_COUNTS_PER_G = {"NEO": 341.0, "CLE": 341.0, "MRA": 341.0, "MOS": 256.0, "TAS": 256.0}


class _File(NamedTuple):
    """A ``.gt3x`` file, or what was unpacked from it.

    Args:
        path: inside the archive.
        info: name of its ``info.txt``.
        log: name of its ``log.bin``.
        packed: whether they are members of a zip of that path.
    """

    path: str
    info: str
    log: str
    packed: bool


def is_gt3x(archive: Archive) -> bool:
    """Whether there is a recording of an ActiGraph device."""
    return bool(_files(archive))


def read_gt3x(archive: Archive, options: ReadOptions) -> Dataset:
    """Read every ``.gt3x`` file; the subject's name that was given to the device is the subject.

    Records that are damaged are left out and counted: there is a gap then.

    Raises:
        DataError: if a file is broken, or of the form of firmware before 3.0.
    """
    notes: list[str] = []
    takes = [take for file in _files(archive) for take in _takes(archive, file, notes)]
    return dataset_of_takes(takes, archive.path.stem, options, notes)


def _files(archive: Archive) -> list[_File]:
    names = archive.names()
    found = [_File(name, _INFO, _LOG, True) for name in names if name.lower().endswith(".gt3x")]
    for name in names:
        folder, _, own = name.rpartition("/")
        if own == _INFO:
            start = f"{folder}/" if folder else ""
            log = next((start + each for each in (_LOG, _OLD_LOG) if start + each in names), None)
            if log:
                found.append(_File(folder or archive.path.name, name, log, False))
    return found


def _takes(archive: Archive, file: _File, notes: list[str]) -> Iterator[Take]:
    title = archive.title(file.path) if file.packed else archive.title(file.log)
    text, content = _contents(archive, file, title)
    info = _pairs(text)
    log = read_log(content, title)
    _note(file.path, log, notes)
    rate = info.get("Sample Rate", "")
    sensor = _second_sensor(log)
    if sensor is None:
        t, acc = _acceleration(log, info, rate, title)
        sensor = t, *beside(acc, None)
    t, signals, channels = sensor
    yield Take(
        file.path,
        title,
        t,
        signals,
        subject=info.get("Subject Name") or None,
        units=units_in(channels, "g", "dps"),
        channels=channels,
    )


def _contents(archive: Archive, file: _File, title: str) -> tuple[str, bytes]:
    """The text of ``info.txt``, and ``log.bin``."""
    if not file.packed:
        if file.log.endswith(_OLD_LOG):
            raise _old(title)
        return archive.read(file.info)[:_LARGEST_INFO].decode("utf-8-sig", "replace"), archive.read(file.log)
    try:
        with ZipReader(archive.read(file.path)) as inner:
            if _LOG not in inner.names() and _OLD_LOG in inner.names():
                raise _old(title)
            return inner.read(_INFO)[:_LARGEST_INFO].decode("utf-8-sig", "replace"), inner.read(_LOG)
    except ArchiveError as error:
        raise DataError(
            title, found=error, expected="a zip with info.txt and log.bin", next_step="download the device again"
        ) from error


def _old(title: str) -> DataError:
    return DataError(
        title,
        found="activity.bin, the form of firmware before 3.0",
        expected="log.bin",
        next_step="export it as CSV with ActiLife",
    )


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _note(path: str, log: Log, notes: list[str]) -> None:
    if log.damaged:
        notes.append(f"{path}: {log.damaged} of {log.damaged + log.whole} records were damaged and left out")
    if log.sleeps:
        notes.append(f"{path}: idle sleep mode left {log.sleeps} gap{'s' * (log.sleeps != 1)} without samples")


def _acceleration(
    log: Log, info: dict[str, str], rate: str, title: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and acceleration ``[sample, 3]`` of the first sensor, m/s^2."""
    if not log.activity:
        raise DataError(
            title, found="no record of acceleration", expected="raw data", next_step="download the device with raw data"
        )
    t = _times([(record.second, len(record.counts)) for record in log.activity], _rate(rate, title))
    counts = np.concatenate([record.counts for record in log.activity])
    return t, counts / _counts_per_g(log, info, title) * STANDARD_GRAVITY


def _counts_per_g(log: Log, info: dict[str, str], title: str) -> float:
    serial = info.get("Serial Number", "")
    said = log.acc_scale or _number(info.get("Acceleration Scale", "")) or _COUNTS_PER_G.get(serial[:3])
    if not said or not 1 <= said <= 2**15:
        raise DataError(
            title,
            found=f"no scale, and the serial number {serial[:20]!r}",
            expected=f"a scale, or a serial number that begins with {', '.join(_COUNTS_PER_G)}",
            next_step="export it as CSV with the maker's program",
        )
    return said


def _second_sensor(log: Log) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]] | None:
    """Times, rows and names of the channels of the sensor of SENSOR_DATA, if it has acceleration and angular rate."""
    for schema in log.schemas.values():
        columns = [_column(schema, word, axis) for word in ("accel", "gyro") for axis in "xyz"]
        chosen = [column for column in columns if column is not None]
        records = [record for record in log.sensor_data if record.schema == schema.number]
        if len(chosen) < 6 or not records:
            continue
        values = np.concatenate([_decoded(record.raw, schema, chosen) for record in records])
        t = _times([(record.second, schema.samples) for record in records], float(schema.samples))
        return t, *beside(values[:, :3] * STANDARD_GRAVITY, values[:, 3:] * DEGREE)
    return None


def _column(schema: Schema, word: str, axis: str) -> Column | None:
    return next(
        (each for each in schema.columns if word in each.label.lower() and each.label.lower().endswith(axis)), None
    )


def _decoded(raw: bytes, schema: Schema, chosen: list[Column]) -> NDArray[np.float64]:
    """Values of some columns ``[sample, column]``, in the unit of each."""
    rows = np.frombuffer(raw, np.uint8, schema.samples * schema.row_bytes).reshape(schema.samples, schema.row_bytes)
    return np.stack(
        [np.ascontiguousarray(rows[:, c.at : c.at + c.bytes]).view(c.dtype)[:, 0] / c.scale for c in chosen], 1
    )


def _times(records: list[tuple[int, int]], rate_hz: float) -> NDArray[np.float64]:
    """Times of the samples of records, which are stamped with their whole second.

    A record may have a sample more than the rate, as where a clock was corrected; its second has no room for it.
    """
    return np.concatenate([second + np.arange(count) / max(rate_hz, count) for second, count in records])


def _rate(text: str, title: str) -> float:
    rate = _number(text)
    if not 0 < rate <= HIGHEST_RATE_HZ:
        raise DataError(
            f"{title}: Sample Rate",
            found=repr(text[:40]),
            expected="a number of Hz in info.txt",
            next_step="download the device again",
        )
    return rate


def _number(text: str) -> float:
    """A number, with a decimal comma too; 0 for anything else."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return 0.0
    return number if np.isfinite(number) else 0.0
