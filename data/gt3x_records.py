"""The records of ActiGraph's ``log.bin``.

A record is the byte 1Eh, a type, seconds since 1970 in four bytes, the size of its payload in two, the payload and a
checksum: all little-endian (ActiGraph, "GT3X-File-Format").
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

_SEPARATOR = 0x1E
_HEADER = struct.Struct("<BBIH")
_ACTIVITY, _EVENT, _PARAMETERS, _SENSOR_SCHEMA, _SENSOR_DATA, _ACTIVITY2 = 0, 3, 21, 24, 25, 26
# An event of this one byte: the device enters idle sleep mode.
_ASLEEP = b"\x08"
_ACC_SCALE = (0, 55)
_COLUMN_BYTES = 23
_BIG_ENDIAN, _SIGNED = 1, 2
# Bytes that look like a separator, after damage; a file of nothing else would keep the search busy for hours.
_MOST_SEARCHED = 100_000


class Activity(NamedTuple):
    """A second of acceleration.

    Args:
        second: since 1970.
        counts: ``[sample, 3]``, x, y and z.
    """

    second: int
    counts: NDArray[np.int16]


class Column(NamedTuple):
    """A column of a schema.

    Args:
        label: its name, as ``Gyroscope X``.
        at: its first byte in a row.
        bytes: one or two.
        dtype: of a value.
        scale: counts of its unit.
    """

    label: str
    at: int
    bytes: int
    dtype: str
    scale: float


class Schema(NamedTuple):
    """How the payload of SENSOR_DATA is to be read.

    Args:
        number: which records say that they are of this one.
        samples: rows in a record, which is a second.
        columns: of a row.
        row_bytes: of all columns.
    """

    number: int
    samples: int
    columns: tuple[Column, ...]
    row_bytes: int


class SensorData(NamedTuple):
    """A second of the sensor of a schema."""

    second: int
    schema: int
    raw: bytes


@dataclass
class Log:
    """What is in a log.

    Args:
        activity: seconds of the first sensor.
        sensor_data: seconds of other sensors, those of unknown schemas left out.
        schemas: by number.
        acc_scale: counts of a g of the first sensor, 0 if it isn't said.
        sleeps: times that the device went into idle sleep mode.
        whole: records that could be read.
        damaged: records that could not.
        searched: places that were looked at for a record after damage.
    """

    activity: list[Activity] = field(default_factory=list)
    sensor_data: list[SensorData] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    acc_scale: float = 0.0
    sleeps: int = 0
    whole: int = 0
    damaged: int = 0
    searched: int = 0


def read_log(content: bytes, title: str) -> Log:
    """Read the records of a log; damaged ones are counted, zeros between records are not.

    Args:
        content: of ``log.bin``.
        title: its name in messages.

    Raises:
        DataError: if so much of it is damaged that it is no log.
    """
    log = Log()
    at = 0
    while (found := content.find(_SEPARATOR, at)) >= 0:
        log.damaged += bool(content[at:found].strip(b"\0"))
        at = _read_record(content, found, log)
        if log.searched > _MOST_SEARCHED:
            raise DataError(
                title,
                found=f"{log.damaged} damaged records beside {log.whole} whole ones",
                expected="records of a type, a time and a checksum",
                next_step="download the device again",
            )
    log.damaged += bool(content[at:].strip(b"\0"))
    return log


def _read_record(content: bytes, at: int, log: Log) -> int:
    """Read the record that begins at a separator; returns where the next one is to be looked for."""
    end = _end(content, at)
    if end is None:
        log.damaged += 1
        return _next_record(content, at + 1, log)
    log.whole += 1
    _, kind, second, _ = _HEADER.unpack_from(content, at)
    reader = _READERS.get(kind)
    if reader:
        reader(content[at + _HEADER.size : end], second, log)
    return end + 1


def _next_record(content: bytes, at: int, log: Log) -> int:
    """The next place at which a whole record begins; the bytes before are what is left of a damaged one."""
    while (found := content.find(_SEPARATOR, at)) >= 0 and log.searched <= _MOST_SEARCHED:
        log.searched += 1
        if _end(content, found) is not None:
            return found
        at = found + 1
    return len(content)


def _end(content: bytes, at: int) -> int | None:
    """Place of the checksum of the record that begins at a separator; None if it is not whole."""
    begin = at + _HEADER.size
    if begin >= len(content):
        return None
    size: int = _HEADER.unpack_from(content, at)[3]
    end = begin + size
    return end if end < len(content) and _checksum(content[at:end]) == content[end] else None


def _checksum(record: bytes) -> int:
    """One's complement of all bytes, combined by exclusive or."""
    return 0xFF ^ int(np.bitwise_xor.reduce(np.frombuffer(record, np.uint8)))


def _read_activity(payload: bytes, second: int, log: Log) -> None:
    """Signed values of twelve bits, upper bits first, in the order y, x, z."""
    nibbles = np.frombuffer(payload, np.uint8).repeat(2).astype(np.int64)
    nibbles[0::2] >>= 4
    nibbles &= 15
    count = len(nibbles) // 9
    if not count:
        # The device was plugged into a computer.
        return
    twelves = nibbles[: 9 * count].reshape(-1, 3) @ np.array([256, 16, 1], np.int64)
    counts = ((twelves ^ 0x800) - 0x800).reshape(count, 3)[:, [1, 0, 2]]
    log.activity.append(Activity(second, counts.astype(np.int16)))


def _read_activity2(payload: bytes, second: int, log: Log) -> None:
    """Signed values of sixteen bits in the order x, y, z."""
    count = len(payload) // 6
    if count:
        counts = np.frombuffer(payload, "<i2", 3 * count).reshape(count, 3)
        log.activity.append(Activity(second, counts.astype(np.int16)))


def _read_event(payload: bytes, second: int, log: Log) -> None:
    log.sleeps += payload == _ASLEEP


def _read_parameters(payload: bytes, second: int, log: Log) -> None:
    for space, number, value in struct.iter_unpack("<HHI", payload[: len(payload) // 8 * 8]):
        if (space, number) == _ACC_SCALE:
            log.acc_scale = _decoded_float(value)


def _read_schema(payload: bytes, second: int, log: Log) -> None:
    """A schema whose columns are bytes or pairs of bytes; any other is passed over with its data."""
    if len(payload) < 6:
        return
    number, count, samples = struct.unpack_from("<HHH", payload)
    columns: list[Column] = []
    at = 0
    for start in range(6, 6 + _COLUMN_BYTES * count, _COLUMN_BYTES):
        if start + _COLUMN_BYTES > len(payload):
            return
        flags, _, bits, scale, label = struct.unpack_from("<BBBI16s", payload, start)
        if bits not in (8, 16):
            return
        order, sign = ">" if flags & _BIG_ENDIAN else "<", "i" if flags & _SIGNED else "u"
        name = label.decode("ascii", "replace").strip(" \0")
        columns.append(Column(name, at, bits // 8, f"{order}{sign}{bits // 8}", _decoded_float(scale) or 1.0))
        at += bits // 8
    if columns and samples:
        log.schemas[number] = Schema(number, samples, tuple(columns), at)


def _read_sensor_data(payload: bytes, second: int, log: Log) -> None:
    schema = log.schemas.get(int.from_bytes(payload[:2], "little"))
    if schema and len(payload) - 2 >= schema.samples * schema.row_bytes:
        log.sensor_data.append(SensorData(second, schema.number, payload[2:]))


def _decoded_float(value: int) -> float:
    """A number of a fraction of 24 bits and an exponent of eight, both signed."""
    fraction, exponent = (value & 0xFFFFFF ^ 0x800000) - 0x800000, (value >> 24 ^ 0x80) - 0x80
    return float(fraction / 0x800000 * 2.0**exponent)


_READERS: dict[int, Callable[[bytes, int, Log], None]] = {
    _ACTIVITY: _read_activity,
    _ACTIVITY2: _read_activity2,
    _EVENT: _read_event,
    _PARAMETERS: _read_parameters,
    _SENSOR_SCHEMA: _read_schema,
    _SENSOR_DATA: _read_sensor_data,
}
