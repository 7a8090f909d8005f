"""Logs of SensorLog as the app writes them, with the right values."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from app_files import zipped

from deseptr.contract import DataError
from deseptr.data import ReadOptions, load_dataset

RAW = [f"accelerometerAcceleration{axis}(G)" for axis in "XYZ"]
GYRO = [f"gyroRotation{axis}(rad/s)" for axis in "XYZ"]
MOTION = [f"motionRotationRate{axis}(rad/s)" for axis in "XYZ"]
USER = [f"motionUserAcceleration{axis}(G)" for axis in "XYZ"]
GRAVITY = [f"motionGravity{axis}(G)" for axis in "XYZ"]
PHONE = [
    "loggingTime(txt)",
    "loggingSample(N)",
    "deviceID(txt)",
    "accelerometerTimestamp_sinceReboot(s)",
    *RAW,
    "gyroTimestamp_sinceReboot(s)",
    *GYRO,
    "activity(txt)",
    "label(N)",
]
WATCH = ["loggingTime(txt)", "motionTimestamp_sinceReboot(s)", *MOTION, *USER, *GRAVITY, "label(N)"]


def _phone(rows: int = 100, label: str = "0", names: list[str] = PHONE, separator: str = ",") -> str:
    lines = [separator.join(names)]
    for row in range(rows):
        at = f"{405121.25 + row / 100:.6f}"
        cells = [f"2023-11-07T09:06:03.{10 * row % 1000:03d}+02:00", str(row), "my_iOS_device"]
        cells += [at, "0.500000", "-0.250000", "-1.000000", at, "0.500000", "-1.000000", "2.000000", "walking", label]
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_acceleration_is_turned_and_in_si(tmp_path: Path, separator: str) -> None:
    (tmp_path / "walk.csv").write_text(_phone(separator=separator))
    dataset = load_dataset(tmp_path / "walk.csv")
    (recording,) = dataset.recordings
    assert (recording.subject, recording.rate_hz, len(recording)) == ("walk", 100.0, 100)
    np.testing.assert_allclose(recording.signals[9], [-4.903325, 2.4516625, 9.80665, 0.5, -1.0, 2.0], rtol=1e-6)
    assert dataset.oddities[:1] == ("acceleration of iOS was turned: the axis that points up reads +9.8 m/s^2",)
    assert dataset.original_units == ("g",) * 3 + ("rad/s",) * 3
    assert dataset.label_names == ()


def test_a_watch_without_raw_sensors_has_device_motion(tmp_path: Path) -> None:
    lines = [",".join(WATCH)]
    for row in range(100):
        # Logged at 100 Hz, measured at 50: every value is there twice.
        at = f"{100 + row // 2 / 50:.6f}"
        lines.append(f"2023-11-07T09:06:03.591+02:00,{at},1,2,3,0.5,0,0,0,-1,0,{int(row >= 60)}")
    (tmp_path / "watch.csv").write_text("\n".join(lines) + "\n")
    dataset = load_dataset(tmp_path / "watch.csv")
    (recording,) = dataset.recordings
    assert (recording.rate_hz, len(recording), dataset.label_names) == (50.0, 50, ("1",))
    np.testing.assert_allclose(recording.signals[9], [-4.903325, 9.80665, 0, 1, 2, 3], rtol=1e-6, atol=1e-6)
    assert recording.labels.tolist() == [-1] * 30 + [0] * 20


@pytest.mark.parametrize("emptied", [("gyroTimestamp_sinceReboot(s)",), (GYRO[1],), (*GYRO,), tuple(PHONE[7:11])])
def test_rows_in_which_a_sensor_has_no_time_or_value_are_no_samples_of_it(tmp_path: Path, emptied: tuple[str, ...]):
    rows = list(csv.DictReader(io.StringIO(_phone())))
    for row in rows[1::3]:
        row |= dict.fromkeys(emptied, "")
    with (tmp_path / "walk.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, PHONE)
        writer.writeheader()
        writer.writerows(rows)
    (recording,) = load_dataset(tmp_path / "walk.csv").recordings
    assert len(recording) == 100
    np.testing.assert_allclose(recording.signals, recording.signals[[0]].repeat(100, axis=0), rtol=1e-6)
    np.testing.assert_allclose(recording.signals[0, 3:], [0.5, -1.0, 2.0])


def test_the_json_export_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "walk.csv").write_text(_phone(label="2"))
    records = [
        {name.partition("(")[0]: cell for name, cell in row.items()} for row in csv.DictReader(io.StringIO(_phone()))
    ]
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "walk.json").write_text(json.dumps(records, indent=2))
    (table,) = load_dataset(tmp_path / "walk.csv", ReadOptions(label="walking")).recordings
    dataset = load_dataset(tmp_path / "json" / "walk.json", ReadOptions(label="walking"))
    np.testing.assert_array_equal(dataset.recordings[0].signals, table.signals)
    assert (dataset.recordings[0].subject, dataset.label_names) == ("walk", ("walking",))


@pytest.mark.parametrize("form", ["2023-11-07T09:06:03.{:03d}+02:00", "2023-11-07 09:06:03.{:03d} +0200"])
def test_without_times_of_the_sensors_those_of_logging_are_taken(tmp_path: Path, form: str) -> None:
    names = ["loggingTime(txt)", *RAW, *MOTION]
    lines = [f"{form.format(20 * row)},0,0,-1,1,2,3" for row in range(50)]
    (tmp_path / "walk.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    (recording,) = load_dataset(tmp_path / "walk.csv").recordings
    assert (recording.rate_hz, len(recording)) == (50.0, 50)
    (tmp_path / "walk.csv").write_text("\n".join([",".join(names), *lines, "now,0,0,-1,1,2,3"]) + "\n")
    with pytest.raises(DataError, match=r"column loggingTime\(txt\): found Invalid isoformat string: 'now'"):
        load_dataset(tmp_path / "walk.csv")


def test_a_zip_of_logs_has_a_label_and_person_by_the_path(tmp_path: Path) -> None:
    files = {f"{who}/{what}.csv": _phone() for who in ("ada", "eve") for what in ("walking", "sitting")}
    (tmp_path / "logs.zip").write_bytes(zipped(files))
    options = ReadOptions.of({"subject_from": r"^(\w+)/", "label_from": r"(\w+)\.csv"})
    dataset = load_dataset(tmp_path / "logs.zip", options)
    assert (dataset.subjects, dataset.label_names) == (("ada", "eve"), ("sitting", "walking"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AccelerationX(G)", "AccelerationX(m/s^2)", r"found the unit m/s\^2, expected G"),
        ("accelerometerAccelerationY(G)", "other", "found no acceleration, expected the sensor Accelerometer, or"),
        ("-0.250000", "nan", "line 2, column accelerometerAccelerationY.*found 'nan', expected a finite number"),
        ("-0.250000", "x", "line 2, column accelerometerAccelerationY.*found 'x'"),
    ],
)
def test_broken_logs_are_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "walk.csv").write_text(_phone().replace(old, new))
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path / "walk.csv")


def test_broken_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"accelerometerAccelerationX": "1"')
    with pytest.raises(DataError, match="found no JSON of SensorLog"):
        load_dataset(tmp_path / "x.json")
