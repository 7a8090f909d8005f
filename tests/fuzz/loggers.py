"""Files of loggers for the fuzzer: small valid ones, and changes that leave their checksums right."""

from __future__ import annotations

import random
import struct
import sys
from datetime import datetime
from pathlib import Path

import mutators

sys.path.insert(0, str(Path(__file__).parents[1]))
from cwa_builder import AX6, cwa_block, cwa_header, packed, words
from gt3x_builder import activity, activity2, encoded_float, gt3x, parameters, record, schema

_NOON = datetime(2023, 11, 14, 12)
_SIGNED = 0.7


def cwa_files() -> tuple[bytes, ...]:
    """Of an AX6 and of an AX3."""
    six = [
        cwa_block(
            words([[100, 0, 0, 0, 4096, i]] * 40), 40, 0x62, sequence=i, moment=_NOON, acc_scale=4, offset=-40 * i
        )
        for i in range(3)
    ]
    three = cwa_block(packed([(0, 64, 1, 2)] * 120), 120, 0x30, sequence=0, moment=_NOON)
    return cwa_header(b"_sc=S07", hardware=AX6) + b"".join(six), cwa_header() + three


def of_cwa(rng: random.Random, content: bytes) -> bytes:
    """Change bytes, and mostly correct the checksums of the blocks."""
    changed = bytearray(mutators.of_bytes(rng, content))
    if rng.random() < _SIGNED:
        for start in range(1024, len(changed) - 511, 512):
            total = sum(struct.unpack_from("<255H", changed, start))
            struct.pack_into("<H", changed, start + 510, -total & 0xFFFF)
    return bytes(changed)


def gt3x_files() -> tuple[bytes, ...]:
    """Of a Link with its second sensor, and of a device with acceleration alone."""
    columns = [(f"{name} {axis}", 2, 16, 16.0) for name in ("Accelerometer", "Gyroscope") for axis in "XYZ"]
    rows = b"\x01\x00" + struct.pack("<6h", 0, 0, 16, 1, 2, 3) * 10
    link = record(24, 5, schema(1, 10, columns)) + b"".join(record(25, second, rows) for second in (5, 6, 9))
    plain = record(21, 5, parameters((0, 55, encoded_float(256.0)))) + record(0, 5, activity([(1, 2, 3)] * 30))
    plain += record(3, 6, b"\x08") + record(26, 9, activity2([(1, 2, 3)] * 30))
    return gt3x(link), gt3x(plain)


def of_log(rng: random.Random, content: bytes) -> bytes:
    """Change bytes of a member, and mostly correct the checksums of the records."""
    changed = bytearray(mutators.of_bytes(rng, content))
    at = 0
    while rng.random() < 0.95 and at + 9 <= len(changed) and changed[at] == 0x1E:
        end = at + 8 + int.from_bytes(changed[at + 6 : at + 8], "little")
        if end >= len(changed):
            break
        checksum = 0
        for byte in changed[at:end]:
            checksum ^= byte
        changed[end] = ~checksum & 0xFF
        at = end + 1
    return bytes(changed)
