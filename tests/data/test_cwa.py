from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cwa_builder import AX6, cwa_block, cwa_header, packed, words

from deseptr.contract import STANDARD_GRAVITY as G, DataError
from deseptr.data import ReadOptions, load_dataset
from deseptr.data.archive import Archive
from deseptr.data.cwa import _takes, read_cwa

NOON = datetime(2023, 11, 14, 12, 0, 0)


def _gyro_block(sequence: int, samples: list[list[int]], second: float, **said: object) -> bytes:
    """Forty or fewer samples at 100 Hz, the first of them at so many seconds after noon, stamped with a fraction."""
    moment = NOON + timedelta(seconds=int(second))
    fraction = second % 1
    # As the firmware does: whole samples of the fraction are taken out of the offset.
    offset = -int(int(fraction * 0x8000) / 0x8000 * 100)
    shape = {"acc_scale": 4, "gyro_scale": 3, "fraction": fraction, "offset": offset}
    return cwa_block(words(samples), len(samples), 0x62, sequence=sequence, moment=moment, **{**shape, **said})


def _ax6(blocks: int, **said: object) -> list[bytes]:
    """Blocks of forty samples whose acceleration along x numbers the samples."""
    return [
        _gyro_block(i, [[16384, -8192, 0, 40 * i + j, -4096, 0] for j in range(40)], 0.4 * i, **said)
        for i in range(blocks)
    ]


def _write(path: Path, *blocks: bytes, annotation: bytes = b"") -> Path:
    path.write_bytes(cwa_header(annotation, hardware=AX6) + b"".join(blocks))
    return path


def test_an_ax6_has_both_sensors_in_si_units(tmp_path: Path) -> None:
    dataset = load_dataset(_write(tmp_path / "wrist.cwa", *_ax6(3), annotation=b"_c=Site&_sc=S%2007&_p=wrist"))
    (recording,) = dataset.recordings
    assert (recording.subject, recording.name, recording.rate_hz, len(recording)) == ("S 07", "wrist", 100.0, 120)
    # 4096 counts are a g, 32768 are 1000 degrees per second.
    degree = np.pi / 180
    expected = [5 / 4096 * G, -G, 0, 500 * degree, -250 * degree, 0]
    np.testing.assert_allclose(recording.signals[5], expected, rtol=1e-6)
    np.testing.assert_allclose(recording.signals[:, 0] * 4096 / G, np.arange(120), atol=1e-3)
    assert dataset.original_units == ("g",) * 3 + ("dps",) * 3
    assert dataset.oddities == ()


def test_an_ax3_has_acceleration_alone(tmp_path: Path) -> None:
    (tmp_path / "ax3.cwa").write_bytes(
        cwa_header() + cwa_block(packed([(0, 0, 64, 2)] * 120), 120, 0x30, sequence=0, moment=NOON)
    )
    dataset = load_dataset(tmp_path / "ax3.cwa")
    assert dataset.channels == ("acc_x", "acc_y", "acc_z")
    assert dataset.original_units == ("g",) * 3
    np.testing.assert_allclose(dataset.recordings[0].signals, np.tile([0, 0, 9.80665], (120, 1)), rtol=1e-6)
    with pytest.raises(DataError, match=r"ax3\.cwa: found the channels acc_x, acc_y, acc_z, expected gyro_x"):
        load_dataset(tmp_path / "ax3.cwa", ReadOptions.of({"channels": "gyro"}))


@pytest.mark.parametrize(
    ("raw", "kind", "scale", "counts"),
    [
        # 10 bits and an exponent: -1, 511 and -512 by eight, by one, by two.
        (
            packed([(-1, 511, -512, 3), (1, 2, 3, 0), (-256, 0, 256, 1)]),
            0x30,
            0,
            [[-8, 4088, -4096], [1, 2, 3], [-512, 0, 512]],
        ),
        (words([(-32768, 0, 32767), (1, 2, 3), (-4, -5, -6)]), 0x32, 3, [[-32768, 0, 32767], [1, 2, 3], [-4, -5, -6]]),
    ],
)
def test_both_forms_of_an_ax3(raw: bytes, kind: int, scale: int, counts: list[list[int]]) -> None:
    from deseptr.data.cwa import _BLOCK, _values

    block = cwa_block(raw, 3, kind, sequence=0, moment=NOON, acc_scale=scale)
    acc, gyro = _values(np.frombuffer(block, _BLOCK))
    assert gyro is None
    np.testing.assert_allclose(acc, np.array(counts) / (256 << scale) * G, rtol=1e-12)


def test_times_are_those_of_the_stamps(tmp_path: Path) -> None:
    # The oscillator is one per cent fast: 40 samples take 0.396 s. The first sample is at 0.15 s.
    blocks = [_gyro_block(i, [[0] * 6] * 40, 0.15 + 0.396 * i) for i in range(50)]
    with Archive(_write(tmp_path / "a.cwa", *blocks)) as archive:
        (take,) = _takes(archive, "a.cwa", [])
    noon = (NOON - datetime(1970, 1, 1)).total_seconds()
    assert take.t[0] - noon == pytest.approx(0.15, abs=0.01)
    assert np.diff(take.t).mean() == pytest.approx(0.0099, rel=2e-3)
    assert np.ptp(np.diff(take.t)) < 1e-6


def test_stamps_of_whole_seconds_of_older_loggers(tmp_path: Path) -> None:
    # The second begins at sample -20, and 20 before the block's end, ...
    blocks = [
        cwa_block(words([[0] * 6] * 40), 40, 0x62, sequence=i, moment=NOON + timedelta(seconds=s), offset=offset)
        for i, (s, offset) in enumerate([(1, 0), (1, -40), (2, 20), (2, -20), (2, -60)])
    ]
    with Archive(_write(tmp_path / "a.cwa", *blocks)) as archive:
        (take,) = _takes(archive, "a.cwa", [])
    noon = (NOON - datetime(1970, 1, 1)).total_seconds()
    np.testing.assert_allclose(take.t, noon + 1 + np.arange(200) / 100, atol=1e-5)


def _damaged(block: bytes, *changes: tuple[int, int]) -> bytes:
    content = bytearray(block)
    for place, value in changes:
        content[place] ^= value
    return bytes(content)


def test_damaged_blocks_are_left_out_and_counted(tmp_path: Path) -> None:
    blocks = _ax6(10)
    blocks[3] = _damaged(blocks[3], (100, 1))
    blocks[4] = b"\xff" * 512
    blocks[7] = _gyro_block(7, [[0] * 6] * 40, 2.8, rate=0)
    dataset = load_dataset(_write(tmp_path / "a.cwa", *blocks, b"AX"))
    assert dataset.oddities[:2] == (
        "a.cwa: 3 of 10 blocks were left out, 4, 5, 8: "
        "1 with another mark, 1 with a wrong checksum, 1 of an unknown format",
        "a.cwa was cut off in its last block, which was left out",
    )
    assert [len(r) for r in dataset.recordings] == [120, 80, 80]
    np.testing.assert_allclose([r.start_s for r in dataset.recordings], [0, 2.0, 3.2], atol=1e-3)
    numbers = np.concatenate([r.signals[:, 0] for r in dataset.recordings]) * 4096 / G
    np.testing.assert_allclose(numbers, [*range(120), *range(200, 280), *range(320, 400)], atol=1e-3)


def test_sessions_are_recordings(tmp_path: Path) -> None:
    other = [_gyro_block(i, [[0] * 6] * 40, 100 + 0.4 * i, session=8) for i in range(2)]
    dataset = load_dataset(_write(tmp_path / "a.cwa", *_ax6(2), *other))
    assert [(r.subject, r.name, len(r)) for r in dataset.recordings] == [("a", "session 7", 80), ("a", "session 8", 80)]


def test_choices_name_subject_and_label(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "s01").mkdir(parents=True)
    _write(folder / "s01" / "walk.CWA", *_ax6(2))
    (folder / "notes.txt").write_text("worn at the wrist")
    options = ReadOptions.of({"subject_from": r"s(\d+)", "label_from": r"/(\w+)\.CWA"})
    dataset = load_dataset(folder, options)
    assert (dataset.subjects, dataset.label_names) == (("01",), ("walk",))


def test_a_file_without_a_whole_block_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"AX", b"\0" * 1024):
        with pytest.raises(DataError, match=r"a\.cwa: found no whole block among \d, expected blocks of 512 bytes"):
            load_dataset(_write(tmp_path / "a.cwa", content))


def test_any_flipped_byte_is_seen(tmp_path: Path) -> None:
    block, rng = _ax6(2)[1], np.random.default_rng(0)
    for place in rng.integers(0, 512, 100):
        damaged = _damaged(block, (int(place), int(rng.integers(1, 256))))
        with Archive(_write(tmp_path / "a.cwa", *_ax6(1), damaged)) as archive:
            dataset = read_cwa(archive, ReadOptions())
        assert "1 of 2 blocks were left out, 2: 1" in dataset.oddities[0]
