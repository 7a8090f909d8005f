"""Axivity's ``.cwa`` files, as the loggers AX3 (accelerometer) and AX6 (with gyroscope) write them.

A header of 1024 bytes and blocks of 512, all little-endian: Open Movement, ``Docs/ax3/cwa.h``. A block has the samples
of about a second and one stamp, which holds at one of its samples; the clock of the samples is not that of the stamps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY, DataError

from .archive import Archive
from .read_options import ReadOptions
from .recording import Dataset, short_list
from .sample_times import shared_slope
from .takes import Take, beside, dataset_of_takes, units_in
from .units import DEGREE

_START = b"MD\xfc\x03"
_HEADER_BYTES, _BLOCK_BYTES = 1024, 512
_ANNOTATION = slice(64, 512)
_BLOCK = np.dtype(
    {
        "names": [
            "mark",
            "length",
            "fraction",
            "session",
            "sequence",
            "stamp",
            "scales",
            "rate",
            "format",
            "offset",
            "count",
            "samples",
        ],
        "formats": ["<u2", "<u2", "<u2", "<u4", "<u4", "<u4", "<u2", "u1", "u1", "<i2", "<u2", "V480"],
        "offsets": [0, 2, 4, 6, 10, 14, 18, 24, 25, 26, 28, 30],
        "itemsize": _BLOCK_BYTES,
    }
)
_MARK, _LENGTH = 0x5841, 508
_PACKED = 0x30
# Samples in a full block, by number of axes (upper four bits) and bytes of a value, 0 if three of them share four.
_CAPACITY = {_PACKED: 120, 0x32: 80, 0x62: 40, 0x92: 26}
_FRACTIONAL = 0x8000
_USUAL_DPS = 2000.0
# Oscillators of such sensors are within a few per cent.
_RATE_ERROR = 0.1


class _Stretch(NamedTuple):
    """Blocks of one session, rate and format.

    Args:
        session: number of the session.
        rate_hz: the rate that was set.
        blocks: in the order of the file.
        numbers: of the blocks in the file.
    """

    session: int
    rate_hz: float
    blocks: NDArray[Any]
    numbers: NDArray[np.int64]


def is_cwa(archive: Archive) -> bool:
    """Whether there is a recording of an Axivity logger."""
    return bool(_files(archive))


def read_cwa(archive: Archive, options: ReadOptions) -> Dataset:
    """Read every ``.cwa`` file; the subject code that was given to the logger is the subject.

    Blocks that are damaged are left out and counted: there is a gap then.

    Raises:
        DataError: if a file has no whole block.
    """
    notes: list[str] = []
    takes = [take for name in _files(archive) for take in _takes(archive, name, notes)]
    return dataset_of_takes(takes, archive.path.stem, options, notes)


def _files(archive: Archive) -> list[str]:
    names = archive.names()
    found = [name for name in names if len(names) == 1 or name.lower().endswith(".cwa")]
    return [name for name in found if archive.head(name)[: len(_START)] == _START]


def _takes(archive: Archive, name: str, notes: list[str]) -> Iterator[Take]:
    title, content = archive.title(name), archive.read(name)
    body = content[_HEADER_BYTES:]
    blocks = np.frombuffer(body, _BLOCK, len(body) // _BLOCK_BYTES)
    faults = _faults(blocks, body)
    _note_faults(name, len(blocks), faults, len(body) % _BLOCK_BYTES, notes)
    good = np.flatnonzero(~np.any(list(faults.values()), axis=0))
    if not len(good):
        raise DataError(
            title,
            found=f"no whole block among {len(blocks)}",
            expected="blocks of 512 bytes with samples",
            next_step="download the recording from the logger again",
        )
    stretches = list(_stretches(blocks[good], good))
    sessions = {stretch.session for stretch in stretches}
    for stretch in stretches:
        signals, channels = beside(*_values(stretch.blocks))
        yield Take(
            name,
            title,
            _times(stretch),
            signals,
            subject=_subject(content[_ANNOTATION]),
            name=f"session {stretch.session}" if len(sessions) > 1 else None,
            units=units_in(channels, "g", "dps"),
            channels=channels,
        )


def _faults(blocks: NDArray[Any], body: bytes) -> dict[str, NDArray[np.bool_]]:
    """Damaged blocks by what is wrong with them; each is counted once, for the first of its faults."""
    words = np.frombuffer(body, "<u2", len(blocks) * _BLOCK_BYTES // 2).reshape(len(blocks), _BLOCK_BYTES // 2)
    capacity = np.zeros(256, np.int64)
    capacity[list(_CAPACITY)] = list(_CAPACITY.values())
    known = (capacity[blocks["format"]] > 0) & (blocks["rate"] & 0x0F > 0)
    found = {
        "with another mark": (blocks["mark"] != _MARK) | (blocks["length"] != _LENGTH),
        "with a wrong checksum": words.sum(1, dtype=np.uint16) != 0,
        "of an unknown format": ~known | (blocks["count"] > capacity[blocks["format"]]),
        "without a sample": blocks["count"] == 0,
        "without a time": ~_is_date(blocks["stamp"]),
    }
    before = np.zeros(len(blocks), bool)
    for kind, wrong in found.items():
        found[kind] = wrong & ~before
        before |= wrong
    return found


def _note_faults(name: str, count: int, faults: dict[str, NDArray[np.bool_]], rest: int, notes: list[str]) -> None:
    bad = {kind: int(wrong.sum()) for kind, wrong in faults.items() if wrong.any()}
    if bad:
        kinds = ", ".join(f"{number} {kind}" for kind, number in bad.items())
        numbers = np.flatnonzero(np.any(list(faults.values()), axis=0)) + 1
        which = short_list(str(number) for number in numbers.tolist())
        notes.append(f"{name}: {len(numbers)} of {count} blocks were left out, {which}: {kinds}")
    if rest:
        notes.append(f"{name} was cut off in its last block, which was left out")


def _stretches(blocks: NDArray[Any], numbers: NDArray[np.int64]) -> Iterator[_Stretch]:
    changed = np.zeros(len(blocks) - 1, bool)
    for field in ("session", "rate", "format"):
        changed |= blocks[field][1:] != blocks[field][:-1]
    for part in np.split(np.arange(len(blocks)), np.flatnonzero(changed) + 1):
        first = blocks[part[0]]
        # Section of the rate code: 3200 Hz halved 15 - code times; the upper bits are the range.
        rate_hz = 3200 / (1 << (15 - int(first["rate"] & 0x0F)))
        yield _Stretch(int(first["session"]), rate_hz, blocks[part], numbers[part])


def _times(stretch: _Stretch) -> NDArray[np.float64]:
    """Seconds since 1970 by the logger's clock; evenly spaced between lost blocks, at the rate of the stamps."""
    blocks = stretch.blocks
    starts = np.cumsum([0, *blocks["count"].tolist()])
    fractional = (blocks["fraction"] & _FRACTIONAL) > 0
    fraction = np.where(fractional, (blocks["fraction"] & ~np.uint16(_FRACTIONAL)) / _FRACTIONAL, 0.0)
    # The offset was made smaller by the whole samples in the fraction, for readers that know no fractions.
    offset = blocks["offset"] + np.floor(fraction * int(stretch.rate_hz))
    index = starts[:-1] + offset
    stamp = _seconds(blocks["stamp"]) + fraction
    lost = (np.diff(blocks["sequence"].astype(np.int64)) != 1) | (np.diff(stretch.numbers) != 1)
    part = np.cumsum([0, *lost])
    period = shared_slope(index, stamp, part)
    # A stamp holds at a whole sample: a drift of less is none, and one of more than any oscillator has is a fault.
    off = abs(period * stretch.rate_hz - 1)
    if not 1 / max(1, index[-1] - index[0]) <= off < _RATE_ERROR:
        period = 1 / stretch.rate_hz
    begin = np.array([np.median((stamp - period * index)[part == number]) for number in range(part[-1] + 1)])
    return np.asarray(np.repeat(begin[part], blocks["count"]) + period * np.arange(starts[-1]))


def _is_date(stamp: NDArray[np.uint32]) -> NDArray[np.bool_]:
    month, day, hour, minute, second = _fields(stamp)[1:]
    return np.asarray((month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60), np.bool_)


def _seconds(stamp: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Seconds since 1970 of packed dates."""
    year, month, day, hour, minute, second = _fields(stamp)
    months = ((year + 30) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return np.asarray(((days * 24 + hour) * 60 + minute) * 60 + second, np.float64)


def _fields(stamp: NDArray[np.uint32]) -> tuple[NDArray[np.int64], ...]:
    """Year after 2000, month, day, hour, minute and second of ``YYYYYYMM MMDDDDDh hhhhmmmm mmssssss``."""
    bits = stamp.astype(np.int64)
    return tuple((bits >> shift) & mask for shift, mask in ((26, 63), (22, 15), (17, 31), (12, 31), (6, 63), (0, 63)))


def _values(blocks: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Acceleration in m/s^2 and angular rate in rad/s, if there is one, ``[sample, 3]`` each."""
    count, kind = blocks["count"], int(blocks["format"][0])
    present = np.arange(_CAPACITY[kind]) < count[:, None]
    acc_g = np.repeat(1.0 / (1 << (8 + (blocks["scales"] >> 13).astype(np.int64))), count)[:, None]
    raw = np.ascontiguousarray(blocks["samples"])
    if kind == _PACKED:
        return _unpacked(raw.view("<u4").reshape(present.shape)[present]) * acc_g * STANDARD_GRAVITY, None
    axes = kind >> 4
    values = (
        raw.view("<i2").reshape(len(blocks), 240)[:, : axes * present.shape[1]].reshape(*present.shape, axes)[present]
    )
    if axes == 3:
        return values * acc_g * STANDARD_GRAVITY, None
    code = (blocks["scales"] >> 10).astype(np.int64) & 7
    range_dps = np.repeat(np.where(code > 0, 8000.0 / (1 << code), _USUAL_DPS), count)[:, None]
    return values[:, 3:6] * acc_g * STANDARD_GRAVITY, values[:, :3] * range_dps / 32768 * DEGREE


def _unpacked(words: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Three signed values of ten bits and their shared exponent: ``eezzzzzz zzzzyyyy yyyyyyxx xxxxxxxx``."""
    bits = words.astype(np.int64)
    tens = np.stack([(bits >> shift) & 0x3FF for shift in (0, 10, 20)], 1)
    return np.asarray(((tens ^ 0x200) - 0x200) << (bits >> 30)[:, None])


def _subject(annotation: bytes) -> str | None:
    """The subject code among the pairs ``name=value`` that were given to the logger."""
    text = annotation.decode("ascii", "ignore").rstrip(" \0\xff")
    return dict(parse_qsl(text)).get("_sc") or None
