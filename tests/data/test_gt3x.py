from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from gt3x_builder import INFO, activity, activity2, encoded_float, gt3x, parameters, record, schema

from deseptr.contract import STANDARD_GRAVITY as G, DataError
from deseptr.data import ReadOptions, load_dataset
from deseptr.data.gt3x import _acceleration, _pairs
from deseptr.data.gt3x_records import Log, read_log

START = 1_700_000_000
DEGREE = np.pi / 180
# As a GT9X Link has them; the temperature between is no channel.
IMU = [
    ("Accelerometer X", 3, 16, 2048.0),
    ("Accelerometer Y", 3, 16, 2048.0),
    ("Accelerometer Z", 3, 16, 2048.0),
    ("Temperature", 3, 16, 333.87),
    ("Gyroscope X", 2, 16, 16.384),
    ("Gyroscope Y", 2, 16, 16.384),
    ("Gyroscope Z", 2, 16, 16.384),
]


def _imu(first: int) -> bytes:
    """A second of 100 samples whose acceleration along x numbers them."""
    import struct

    rows = [struct.pack(">4h", first + i, 0, -2048, 77) + struct.pack("<3h", 16384, -8192, 0) for i in range(100)]
    return b"\x05\x00" + b"".join(rows)


def _link(*seconds: int) -> bytes:
    log = record(24, START, schema(5, 100, IMU))
    for number, second in enumerate(seconds):
        log += record(26, START + second, activity2([(0, 0, 256)] * 30)) + record(
            25, START + second, _imu(100 * number)
        )
    return log


def _read(log: bytes, info: str = INFO) -> tuple[np.ndarray, np.ndarray]:
    """Times and acceleration of the first sensor."""
    pairs = _pairs(info)
    return _acceleration(read_log(log, "log.bin"), pairs, pairs.get("Sample Rate", ""), "x.gt3x")


def test_the_example_of_the_documentation() -> None:
    payload = bytes.fromhex("006008EBD007009EBF007008EBF0")
    log = Log()
    from deseptr.data.gt3x_records import _read_activity

    _read_activity(payload, START, log)
    assert log.activity[0].counts.tolist() == [[8, 6, -323], [9, 7, -321], [8, 7, -321]]


def test_the_parameters_of_the_documentation() -> None:
    payload = bytes.fromhex("0000310000004 00C 00003700 00000040 09".replace(" ", "").replace("0000004009", "00004009"))
    log = read_log(record(21, START, payload), "log.bin")
    assert log.acc_scale == 256.0
    assert encoded_float(256.0) == 0x09400000
    assert encoded_float(16.384) == 0x05418937


@pytest.mark.parametrize(("kind", "pack"), [(0, activity), (26, activity2)])
def test_acceleration_in_g_by_the_scale_of_the_device(kind: int, pack) -> None:
    samples = [(i, -2048, 2047) for i in range(30)]
    for info, log, scale in (
        (INFO, b"", 256),
        (INFO.replace("MOS2", "NEO1"), b"", 341),
        (INFO.replace("MOS2", "XYZ9") + "Acceleration Scale: 128,0\r\n", b"", 128),
        (INFO, record(21, START, parameters((0, 55, encoded_float(512.0)))), 512),
    ):
        t, acc = _read(log + record(kind, START, pack(samples)), info)
        np.testing.assert_allclose(acc, np.array(samples) / scale * G, rtol=1e-9)
        np.testing.assert_allclose(t, START + np.arange(30) / 30)


def test_an_odd_number_of_packed_samples_and_a_plug_into_a_computer() -> None:
    t, acc = _read(
        record(0, START, activity([(1, 2, 3)] * 3)) + record(0, START + 1, b"\0") + record(26, START + 1, b"\1")
    )
    assert acc.shape == (3, 3)
    assert len(t) == 3


def test_a_link_has_both_sensors_in_si_units(tmp_path: Path) -> None:
    (tmp_path / "link.gt3x").write_bytes(gt3x(_link(0, 1, 2), INFO.replace("MOS2", "TAS1")))
    dataset = load_dataset(tmp_path / "link.gt3x")
    (recording,) = dataset.recordings
    assert (recording.subject, recording.rate_hz, len(recording)) == ("ada", 100.0, 300)
    expected = [7 / 2048 * G, 0, -G, 1000 * DEGREE, -500 * DEGREE, 0]
    np.testing.assert_allclose(recording.signals[7], expected, rtol=1e-5)
    np.testing.assert_allclose(recording.signals[:, 0] * 2048 / G, np.arange(300), atol=1e-3)
    assert dataset.original_units == ("g",) * 3 + ("dps",) * 3


def test_idle_sleep_is_a_gap(tmp_path: Path) -> None:
    asleep = record(3, START + 2, b"\x08") + record(3, START + 60, b"\x09")
    (tmp_path / "a.gt3x").write_bytes(gt3x(_link(0, 1) + asleep + _link(60, 61)))
    dataset = load_dataset(tmp_path / "a.gt3x")
    assert [(len(r), r.start_s) for r in dataset.recordings] == [(200, 0.0), (200, 60.0)]
    assert "a.gt3x: idle sleep mode left 1 gap without samples" in dataset.oddities


def test_damaged_records_are_left_out_and_counted(tmp_path: Path) -> None:
    seconds = [record(25, START + i, _imu(100 * i)) for i in range(5)]
    seconds[1] = seconds[1][:40] + b"\x1e\x07" + seconds[1][42:]
    seconds[3] = seconds[3][:-2]
    log = record(24, START, schema(5, 100, IMU)) + b"\0\0\0".join(seconds) + b"\x1e\x19"
    (tmp_path / "a.gt3x").write_bytes(gt3x(log))
    dataset = load_dataset(tmp_path / "a.gt3x")
    assert dataset.oddities[0] == "a.gt3x: 3 of 7 records were damaged and left out"
    assert [(len(r), r.start_s) for r in dataset.recordings] == [(100, 0.0), (100, 2.0), (100, 4.0)]


def test_sensor_data_that_no_schema_describes_or_that_end_early_are_left_out(tmp_path: Path) -> None:
    log = record(24, START, schema(5, 100, IMU)) + record(25, START, _imu(0))
    log += record(25, START + 1, b"\x06\x00" + _imu(100)[2:]) + record(25, START + 2, _imu(200)[:-1])
    (tmp_path / "a.gt3x").write_bytes(gt3x(log + record(25, START + 3, _imu(300))))
    dataset = load_dataset(tmp_path / "a.gt3x")
    assert [(len(r), r.start_s) for r in dataset.recordings] == [(100, 0.0), (100, 3.0)]


def test_without_a_gyroscope_it_has_acceleration_alone(tmp_path: Path) -> None:
    (tmp_path / "a.gt3x").write_bytes(gt3x(record(26, START, activity2([(0, 0, 256)] * 30))))
    dataset = load_dataset(tmp_path / "a.gt3x")
    assert (dataset.channels, dataset.original_units) == (("acc_x", "acc_y", "acc_z"), ("g",) * 3)
    np.testing.assert_allclose(dataset.recordings[0].signals, np.tile([0, 0, 9.80665], (30, 1)), rtol=1e-6)


def test_a_folder_of_files_and_an_unpacked_one(tmp_path: Path) -> None:
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "a.gt3x").write_bytes(gt3x(_link(0)))
    with zipfile.ZipFile(tmp_path / "s1" / "a.gt3x") as archive:
        archive.extractall(tmp_path / "s2" / "unpacked")
    dataset = load_dataset(tmp_path, ReadOptions.of({"subject_from": r"^s(\d)", "label": "walking"}))
    assert [(r.subject, r.name) for r in dataset.recordings] == [("1", "s1/a"), ("2", "s2/unpacked")]
    assert dataset.label_names == ("walking",)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ("", "Sample Rate: found '', expected a number of Hz"),
        (INFO.replace("30", "1e400"), "Sample Rate: found '1e400'"),
        (INFO.replace("MOS2", "XYZ"), "found no scale, and the serial number 'XYZD12345678'"),
    ],
)
def test_an_info_that_says_too_little_is_named(info: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(record(26, START, activity2([(0, 0, 256)] * 30)), info)


def test_other_contents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gt3x"
    path.write_bytes(gt3x(b""))
    with pytest.raises(DataError, match="found no record of acceleration"):
        load_dataset(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("info.txt", INFO)
        archive.writestr("activity.bin", b"\0" * 9)
    with pytest.raises(DataError, match=r"the form of firmware before 3\.0, expected log\.bin; export it as CSV"):
        load_dataset(path)


def test_a_log_of_separators_alone_is_refused_soon() -> None:
    with pytest.raises(DataError, match="damaged records beside 0 whole ones"):
        read_log(b"\x1e" * 300_000, "log.bin")


def test_any_flipped_byte_of_a_record_is_seen() -> None:
    rng, whole = np.random.default_rng(0), record(26, START, activity2([(0, 0, 256)] * 30))
    for place in rng.integers(0, len(whole), 100):
        content = bytearray(whole)
        content[place] ^= int(rng.integers(1, 256))
        log = read_log(bytes(content) + whole, "log.bin")
        assert log.damaged >= 1
        assert [each.second for each in log.activity][-1:] == [START]


def test_a_whole_log_counts_its_records_and_looks_for_none() -> None:
    second = record(26, START, activity2([(0, 0, 256)] * 30))
    log = read_log(second * 3, "log.bin")
    assert (log.whole, log.damaged, log.searched, log.sleeps, log.acc_scale) == (3, 0, 0, 0, 0.0)
    assert len(log.activity) == 3
    # What is no record between two is one damaged, and the one behind it is found at the first place looked at.
    broken = read_log(second + b"\x01\x02" + second, "log.bin")
    assert (broken.whole, broken.damaged) == (2, 1)
