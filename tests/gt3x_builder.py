"""Byte-exact ``.gt3x`` files after ActiGraph's "GT3X-File-Format", by other means than the reader's."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Sequence

INFO = "Serial Number: MOS2D12345678\r\nFirmware: 1.9.2\r\nSample Rate: 30\r\nSubject Name: ada\r\n"


def record(kind: int, second: int, payload: bytes) -> bytes:
    """A record with its checksum."""
    content = struct.pack("<BBIH", 0x1E, kind, second, len(payload)) + payload
    checksum = 0
    for byte in content:
        checksum ^= byte
    return content + bytes([~checksum & 0xFF])


def activity(samples: Sequence[Sequence[int]]) -> bytes:
    """Payload of ACTIVITY: x, y, z as twelve bits each, stored y first."""
    bits = "".join(f"{value & 0xFFF:012b}" for x, y, z in samples for value in (y, x, z))
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def activity2(samples: Sequence[Sequence[int]]) -> bytes:
    """Payload of ACTIVITY2: x, y, z as signed sixteen bits each."""
    return b"".join(struct.pack("<3h", *sample) for sample in samples)


def encoded_float(number: float) -> int:
    """A number as PARAMETERS and SENSOR_SCHEMA have them: a fraction of 24 bits and an exponent of eight."""
    fraction, exponent = math.frexp(number)
    return (int(fraction * 0x800000) & 0xFFFFFF) | (exponent & 0xFF) << 24


def parameters(*values: tuple[int, int, int]) -> bytes:
    """Payload of PARAMETERS: address space, identifier and value."""
    return b"".join(struct.pack("<HHI", *value) for value in values)


def schema(number: int, samples: int, columns: Sequence[tuple[str, int, int, float]]) -> bytes:
    """Payload of SENSOR_SCHEMA: label, flags (1 = big endian, 2 = signed), bits and scale of each column."""
    content, at = struct.pack("<HHH", number, len(columns), samples), 0
    for label, flags, bits, scale in columns:
        content += struct.pack("<BBBI16s", flags, at, bits, encoded_float(scale), label.ljust(16).encode())
        at += bits
    return content


def gt3x(log: bytes, info: str = INFO) -> bytes:
    """The file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("info.txt", info)
        archive.writestr("log.bin", log)
    return buffer.getvalue()
