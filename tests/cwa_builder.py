"""Byte-exact ``.cwa`` files after Open Movement's ``cwa.h``, by other means than the reader's: ``struct`` and lists."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime

AX3, AX6 = 0x17, 0x64
RATE_100_HZ_8_G = 0x4A


def cwa_stamp(moment: datetime) -> int:
    """A date in 32 bits."""
    return (
        (moment.year - 2000) << 26
        | moment.month << 22
        | moment.day << 17
        | moment.hour << 12
        | moment.minute << 6
        | moment.second
    )


def cwa_header(annotation: bytes = b"", *, hardware: int = AX3, session: int = 7, rate: int = RATE_100_HZ_8_G) -> bytes:
    """The header of 1024 bytes."""
    content = bytearray(b"\xff" * 1024)
    struct.pack_into("<2sHBHIH", content, 0, b"MD", 1020, hardware, 4660, session, 0)
    struct.pack_into("<BB", content, 35, 0 if hardware == AX3 else 2, rate)
    content[64:512] = annotation.ljust(448, b" ")
    return bytes(content)


def cwa_block(
    raw: bytes,
    count: int,
    kind: int,
    *,
    sequence: int,
    moment: datetime,
    offset: int = 0,
    fraction: float | None = None,
    session: int = 7,
    rate: int = RATE_100_HZ_8_G,
    acc_scale: int = 0,
    gyro_scale: int = 0,
) -> bytes:
    """A block of 512 bytes, whose words add up to zero.

    Args:
        raw: its samples, packed.
        count: how many.
        kind: number of axes and form of a value, as 0x30.
        sequence: number of the block.
        moment: whole seconds of its stamp.
        offset: sample at which the stamp holds, as it is stored.
        fraction: of a second, if the logger stores it.
        session: number of the session.
        rate: code of rate and range.
        acc_scale: a g is two to the power of eight and this.
        gyro_scale: the range is 8000 degrees per second divided by two to the power of this.
    """
    own = 4660 if fraction is None else 0x8000 | int(fraction * 0x8000)
    scales = acc_scale << 13 | gyro_scale << 10 | 123
    head = struct.pack(
        "<2sHHIIIHHBBBBhH",
        b"AX",
        508,
        own,
        session,
        sequence,
        cwa_stamp(moment),
        scales,
        300,
        0,
        180,
        rate,
        kind,
        offset,
        count,
    )
    content = head + raw.ljust(480, b"\0")
    total = sum(struct.unpack("<255H", content))
    return content + struct.pack("<H", -total & 0xFFFF)


def packed(samples: Sequence[tuple[int, int, int, int]]) -> bytes:
    """x, y, z of ten bits and the exponent, four bytes each."""
    return b"".join(
        struct.pack("<I", (x & 1023) | (y & 1023) << 10 | (z & 1023) << 20 | exponent << 30)
        for x, y, z, exponent in samples
    )


def words(samples: Sequence[Sequence[int]]) -> bytes:
    """Signed values of 16 bits."""
    return b"".join(struct.pack(f"<{len(sample)}h", *sample) for sample in samples)
