"""Exports of phyphox as its apps write them, with the right values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from app_files import phyphox_table, unpacked, zipped

from deseptr.contract import CHANNELS, DataError
from deseptr.data import ReadOptions, load_dataset

T = np.arange(50) / 50
UP = np.tile([0.5, -0.25, 9.80665], (50, 1))
TURN = np.tile([0.5, -1.0, 2.0], (50, 1))
ACC = ["Time (s)", *(f"Acceleration {axis} (m/s^2)" for axis in "xyz")]
GYRO = ["Time (s)", *(f"Gyroscope {axis} (rad/s)" for axis in "xyz")]
LINEAR = ["Time (s)", *(f"Linear Acceleration {axis} (m/s^2)" for axis in "xyz")]
DEVICE = '"property"{0}"value"\n"version"{0}"1.1.12"\n"deviceModel"{0}"Pixel 6"\n"accelerometer Name"{0}"LSM6DSR"\n'
TIMES = '"event","experiment time","system time","system time text"\n'


def _export(separator: str = ",", comma: bool = False) -> dict[str, str]:
    return {
        "Accelerometer.csv": phyphox_table(ACC, np.column_stack([T, UP]), separator, comma),
        "Gyroscope.csv": phyphox_table(GYRO, np.column_stack([T, TURN]), separator, comma),
        "Linear Acceleration.csv": phyphox_table(LINEAR, np.column_stack([T, 0 * UP]), separator, comma),
        "meta/device.csv": DEVICE.format(separator),
    }


def test_the_table_is_as_the_app_writes_it() -> None:
    assert _export(";", True)["Accelerometer.csv"].splitlines()[:3] == [
        '"Time (s)";"Acceleration x (m/s^2)";"Acceleration y (m/s^2)";"Acceleration z (m/s^2)"',
        "0,000000000E0;5,000000000E-1;-2,500000000E-1;9,806650000E0",
        "2,000000000E-2;5,000000000E-1;-2,500000000E-1;9,806650000E0",
    ]


@pytest.mark.parametrize(("separator", "comma"), [(",", False), ("\t", False), (";", False), ("\t", True), (";", True)])
@pytest.mark.parametrize("packed", [True, False])
def test_every_delimiter_and_decimal_mark(tmp_path: Path, separator: str, comma: bool, packed: bool) -> None:
    files = _export(separator, comma)
    path = unpacked(tmp_path / "walk", files)
    if packed:
        path = tmp_path / "walk.zip"
        path.write_bytes(zipped(files))
    (recording,) = load_dataset(path).recordings
    assert (recording.subject, recording.rate_hz, len(recording)) == ("walk", 50.0, 50)
    np.testing.assert_allclose(recording.signals[9], [0.5, -0.25, 9.80665, 0.5, -1.0, 2.0], rtol=1e-6)


def test_a_single_table_of_both_sensors(tmp_path: Path) -> None:
    for name in ("walk", "sit"):
        text = phyphox_table([*ACC, *GYRO[1:]], np.column_stack([T, UP, TURN]))
        (tmp_path / f"{name}.csv").write_text(text)
    assert load_dataset(tmp_path / "walk.csv").subjects == ("walk",)
    assert load_dataset(tmp_path).subjects == ("sit", "walk")


def test_names_in_another_language(tmp_path: Path) -> None:
    acc = [name.replace("Time", "Zeit").replace("Acceleration", "Beschleunigung") for name in ACC]
    linear = [name.replace("Beschleunigung", "Lineare Beschleunigung") for name in acc]
    gyro = [name.replace("Time", "Zeit").replace("Gyroscope", "Gyroskop") for name in GYRO]
    files = {
        "Lineare Beschleunigung.csv": phyphox_table(linear, np.column_stack([T, 0 * UP])),
        "Beschleunigung.csv": phyphox_table(acc, np.column_stack([T, UP])),
        "Gyroskop.csv": phyphox_table(gyro, np.column_stack([T, TURN])),
    }
    (recording,) = load_dataset(unpacked(tmp_path / "x", files)).recordings
    assert recording.signals[3, 2] == pytest.approx(9.80665)


def test_a_pause_is_a_gap(tmp_path: Path) -> None:
    events = [("START", 0.0, 1.7e9), ("PAUSE", 0.5, 1.7e9 + 0.5), ("START", 0.5, 1.7e9 + 60), ("PAUSE", 1, 1.7e9 + 61)]
    rows = "".join(f'"{event}",{at:.9E},{when:.3f},"2023-11-14 22:13:20.000 UTC+00:00"\n' for event, at, when in events)
    files = {**_export(), "meta/time.csv": TIMES + rows}
    recordings = load_dataset(unpacked(tmp_path / "walk", files)).recordings
    assert [(len(each), each.start_s) for each in recordings] == [(25, 0.0), (25, 60.0)]


def test_shorter_buffers_are_padded_with_nan(tmp_path: Path) -> None:
    rows = np.column_stack([T, UP])
    rows[40:] = np.nan
    files = {**_export(), "Accelerometer.csv": phyphox_table(ACC, rows)}
    (recording,) = load_dataset(unpacked(tmp_path / "walk", files)).recordings
    assert len(recording) == 40


def test_sensors_with_stamps_of_their_own_are_merged(tmp_path: Path) -> None:
    late = np.arange(0.004, 0.9, 0.01)
    files = {**_export(), "Gyroscope.csv": phyphox_table(GYRO, np.column_stack([late, np.outer(late, [1, 2, 3])]))}
    (recording,) = load_dataset(unpacked(tmp_path / "walk", files)).recordings
    assert recording.rate_hz == 100.0
    at = 0.004 + np.arange(len(recording)) / 100
    np.testing.assert_allclose(recording.signals[:, 3:], np.outer(at, [1, 2, 3]), atol=1e-6)
    np.testing.assert_allclose(recording.signals[:, 2], 9.80665, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Accelerometer.csv": None}, "Gyroscope x .* without it, expected the sensor Acceleration"),
        (
            {"Second.csv": phyphox_table(ACC, np.column_stack([T, UP]))},
            "found 2 tables of one sensor in one folder: Acce",
        ),
        ({"Gyroscope.csv": phyphox_table(GYRO, np.column_stack([T, TURN])).replace("E0", "Ex")}, "line 2, column Time"),
        ({"meta/time.csv": TIMES + '"START",x,1.0,""\n'}, "meta/time.csv, line 2, column experiment time: found 'x'"),
    ],
)
def test_broken_exports_are_one_line(tmp_path: Path, change: dict[str, str | None], message: str) -> None:
    files = {name: content for name, content in {**_export(), **change}.items() if content is not None}
    with pytest.raises(DataError, match=message):
        load_dataset(unpacked(tmp_path / "walk", files))


def test_a_table_with_more_than_phyphox_writes_is_read_as_text(tmp_path: Path) -> None:
    text = phyphox_table([*ACC, *GYRO[1:], "label"], np.column_stack([T, UP, TURN, T * 0]))
    (tmp_path / "mine.csv").write_text(text.replace(",0.000000000E0\n", ",walking\n"))
    assert load_dataset(tmp_path / "mine.csv").label_names == ("walking",)


@pytest.mark.parametrize("micro", ["\u00b5", "\u03bc"])
def test_a_magnetometer_is_read_if_it_is_asked_for(tmp_path: Path, micro: str) -> None:
    names = ["Time (s)", *(f"Magnetic field {axis} ({micro}T)" for axis in "xyz")]
    field = phyphox_table(names, np.column_stack([T, np.tile([18.0, -44.0, 5.0], (50, 1))]))
    folder = unpacked(tmp_path / "walk", {**_export(), "Magnetometer.csv": field})
    assert load_dataset(folder).channels == CHANNELS
    dataset = load_dataset(folder, ReadOptions.of({"channels": "acc,gyro,mag"}))
    np.testing.assert_allclose(
        dataset.recordings[0].signals[9], [0.5, -0.25, 9.80665, 0.5, -1, 2, 18, -44, 5], rtol=1e-6
    )


def test_an_experiment_of_a_magnetometer_alone_is_passed_over(tmp_path: Path) -> None:
    names = ["Time (s)", *(f"Magnetic field {axis} (\u00b5T)" for axis in "xyz")]
    files = {f"walk/{name}": text for name, text in _export().items()}
    folder = unpacked(tmp_path / "x", {**files, "field/Magnetometer.csv": phyphox_table(names, np.ones((50, 4)))})
    assert len(load_dataset(folder).recordings) == 1
