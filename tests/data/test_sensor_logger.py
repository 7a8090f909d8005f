"""Recordings of Sensor Logger as its exports have them, with the right values."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from app_files import (
    EPOCH_NS,
    sensor_logger_meta as meta,
    sensor_logger_table as table,
    unpacked,
    zipped,
)

from deseptr.contract import CHANNELS, DataError
from deseptr.data import Dataset, ReadOptions, import_dataset, load_dataset

T = np.arange(100) / 100
LINEAR = np.tile([0.1, -0.2, 0.3], (100, 1))
FACE_UP_IOS = np.tile([0.0, 0.0, -9.80665], (100, 1))
TURN = np.tile([0.5, -1.0, 2.0], (100, 1))


def _ios(standard: str = "false") -> dict[str, str]:
    return {
        "Accelerometer.csv": table(T, LINEAR),
        "Gravity.csv": table(T, FACE_UP_IOS if standard == "false" else -FACE_UP_IOS),
        "Gyroscope.csv": table(T, TURN),
        "Metadata.csv": meta("ios", standard),
    }


def _android() -> dict[str, str]:
    return {
        "Accelerometer.csv": table(T, LINEAR),
        "TotalAcceleration.csv": table(T, LINEAR - FACE_UP_IOS),
        "Gyroscope.csv": table(T, TURN),
        "Metadata.csv": meta("android", name="Pixel 6"),
    }


def _load(path: Path, files: dict[str, str], packed: bool = True, options: ReadOptions | None = None) -> Dataset:
    if not packed:
        return load_dataset(unpacked(path / "walk", files), options)
    (path / "walk.zip").write_bytes(zipped(files))
    return load_dataset(path / "walk.zip", options)


@pytest.mark.parametrize("packed", [True, False])
def test_acceleration_of_ios_is_the_sum_with_gravity_and_turned(tmp_path: Path, packed: bool) -> None:
    dataset = _load(tmp_path, _ios(), packed)
    (recording,) = dataset.recordings
    assert (recording.subject, recording.name, recording.rate_hz, len(recording)) == ("iPhone", "walk", 100.0, 100)
    np.testing.assert_allclose(recording.signals[7], [-0.1, 0.2, 9.50665, 0.5, -1.0, 2.0], rtol=1e-5)
    assert "acceleration of iOS was turned to the sign of Android: the axis that points up reads +9.8 m/s^2" in (
        dataset.oddities
    )


def test_standardised_acceleration_of_ios_stays_as_it_is(tmp_path: Path) -> None:
    (recording,) = _load(tmp_path, _ios("true")).recordings
    np.testing.assert_allclose(recording.signals[7], [0.1, -0.2, 10.10665, 0.5, -1.0, 2.0], rtol=1e-5)


def test_android_has_its_total_acceleration(tmp_path: Path) -> None:
    (recording,) = _load(tmp_path, _android()).recordings
    np.testing.assert_allclose(recording.signals[7], [0.1, -0.2, 10.10665, 0.5, -1.0, 2.0], rtol=1e-5)


@pytest.mark.parametrize(
    ("platform", "standard", "up"), [("ios", "false", -1.0), ("ios", "true", 9.80665), ("android", "false", 9.80665)]
)
def test_uncalibrated_acceleration_is_in_g_on_ios_alone(
    tmp_path: Path, platform: str, standard: str, up: float
) -> None:
    files = {
        "AccelerometerUncalibrated.csv": table(T, np.tile([0, 0, up], (100, 1))),
        "GyroscopeUncalibrated.csv": table(T, TURN),
        "Metadata.csv": meta(platform, standard),
    }
    (recording,) = _load(tmp_path, files).recordings
    np.testing.assert_allclose(recording.signals[7], [0, 0, 9.80665, 0.5, -1.0, 2.0], rtol=1e-5)


def test_the_json_export_is_the_same(tmp_path: Path) -> None:
    names = [*meta("ios").split("\n")[0].split(",")]
    said = dict(zip(names, meta("ios").split("\n")[1].split(","), strict=True))
    records: list[dict[str, str]] = [{"sensor": "Metadata", **said}]
    for sensor in ("Accelerometer", "Gravity", "Gyroscope"):
        for line in _ios()[f"{sensor}.csv"].splitlines()[1:]:
            cells = dict(zip(("time", "seconds_elapsed", "z", "y", "x"), line.split(","), strict=True))
            records.append({"sensor": sensor, **cells})
    (tmp_path / "walk.json").write_text(json.dumps(records))
    (recording,) = load_dataset(tmp_path / "walk.json").recordings
    (other,) = _load(tmp_path, _ios()).recordings
    np.testing.assert_array_equal(recording.signals, other.signals)
    assert (recording.subject, recording.name) == ("iPhone", "walk")


def test_the_combined_table_has_a_column_for_each_axis(tmp_path: Path) -> None:
    names = ["time", "seconds_elapsed"]
    names += [f"{sensor}_{axis}" for sensor in ("accelerometer", "gyroscope", "totalAcceleration") for axis in "zyx"]
    names += ["annotation_text", "annotation_millisecond_press_duration"]
    lines = [",".join(names)]
    for row in range(60):
        # The gyroscope has every second row.
        gyro = "2.0,-1.0,0.5" if row % 2 == 0 else ",,"
        note = "walking,80" if row == 20 else ","
        lines.append(f"{EPOCH_NS + row * 10_000_000},{row / 100},0.3,-0.2,0.1,{gyro},10.1,-0.2,0.1,{note}")
    (tmp_path / "walk.csv").write_text("\n".join(lines) + "\n")
    dataset = load_dataset(tmp_path / "walk.csv")
    (recording,) = dataset.recordings
    assert (recording.rate_hz, len(recording), dataset.label_names) == (100.0, 59, ("walking",))
    np.testing.assert_allclose(recording.signals[7], [0.1, -0.2, 10.1, 0.5, -1.0, 2.0], rtol=1e-6)
    assert recording.labels.tolist() == [-1] * 20 + [0] * 39
    assert any(
        "has no Metadata: the sign of its acceleration was taken for that of Android" in o for o in dataset.oddities
    )


def test_the_authors_own_recipe_gives_the_same(tmp_path: Path) -> None:
    late = np.arange(0.003, 0.9, 0.02)
    rng = np.random.default_rng(2)
    files = {**_android(), "Gyroscope.csv": table(late, rng.normal(size=(len(late), 3)))}
    files["TotalAcceleration.csv"] = table(T, rng.normal(size=(100, 3)))
    (recording,) = _load(tmp_path, files).recordings
    # "Option 2: Interpolate one sensor onto the timestamps of another", in the README of awesome-sensor-logger.
    acc, gyro = (pd.read_csv(io.StringIO(files[f"{name}.csv"])) for name in ("TotalAcceleration", "Gyroscope"))
    inside = acc[(acc["time"] >= gyro["time"].iloc[0]) & (acc["time"] <= gyro["time"].iloc[-1])]
    turned = [np.interp(inside["time"], gyro["time"], gyro[axis]) for axis in "xyz"]
    np.testing.assert_allclose(recording.signals[:, :3], inside[["x", "y", "z"]], atol=1e-6)
    np.testing.assert_allclose(recording.signals[:, 3:], np.stack(turned, 1), atol=1e-4)


def test_annotations_are_labels_until_the_next(tmp_path: Path) -> None:
    rows = [(0.2, "walking", 100), (0.5, "", 90), (0.7, "sitting", 80)]
    text = "time,seconds_elapsed,text,millisecond_press_duration\n"
    text += "".join(f"{EPOCH_NS + round(at * 1e9)},{at},{name},{press}\n" for at, name, press in rows)
    dataset = _load(tmp_path, {**_android(), "Annotation.csv": text})
    assert dataset.label_names == ("sitting", "walking")
    assert dataset.recordings[0].labels.tolist() == [-1] * 20 + [1] * 30 + [-1] * 20 + [0] * 30
    assert _load(tmp_path, _android(), options=ReadOptions(label="running")).label_names == ("running",)


def test_the_watch_is_chosen_by_an_option(tmp_path: Path) -> None:
    header = "time,seconds_elapsed,rotationRateX,rotationRateY,rotationRateZ,gravityX,gravityY,gravityZ,"
    header += "accelerationX,accelerationY,accelerationZ,quaternionW,quaternionX,quaternionY,quaternionZ\n"
    rows = "".join(f"{EPOCH_NS + n * 20_000_000},{n / 50},1,2,3,0,-1,0,0.5,0,0,1,0,0,0\n" for n in range(50))
    files = {**_ios(), "WristMotion.csv": header + rows}
    dataset = _load(tmp_path, files)
    assert "the sensor phone was taken; --placement watch takes another" in dataset.oddities
    watch = _load(tmp_path, files, options=ReadOptions(placement="watch")).recordings[0]
    assert watch.rate_hz == 50.0
    np.testing.assert_allclose(watch.signals[3], [-4.903325, 9.80665, 0, 1, 2, 3], rtol=1e-5, atol=1e-6)
    only = {"WristMotion.csv": header + rows, "Metadata.csv": meta("ios")}
    np.testing.assert_array_equal(_load(tmp_path, only).recordings[0].signals, watch.signals)
    with pytest.raises(DataError, match="found no sensor ankle, expected one of phone, watch"):
        _load(tmp_path, files, options=ReadOptions(placement="ankle"))


def test_sensors_with_stamps_of_their_own_are_merged(tmp_path: Path) -> None:
    late = np.arange(0.003, 0.9, 0.02)
    files = {**_android(), "Gyroscope.csv": table(late, np.outer(late, [1, 2, 3]))}
    (recording,) = _load(tmp_path, files).recordings
    assert recording.rate_hz == 100.0
    at = T[1 : 1 + len(recording)]
    np.testing.assert_allclose(recording.signals[:, 3:], np.outer(at, [1, 2, 3]), atol=1e-4)


def test_times_for_people_do_not_matter(tmp_path: Path) -> None:
    files = {
        name: content.replace("time,seconds_elapsed", "datetime,time,seconds_elapsed").replace(
            f"\n{EPOCH_NS // 10**11}", f"\n2023-10-28 13:52:24.000,{EPOCH_NS // 10**11}"
        )
        for name, content in _android().items()
    }
    (recording,) = _load(tmp_path, files).recordings
    assert (recording.rate_hz, len(recording)) == (100.0, 100)


def test_a_folder_of_zips_is_one_dataset(tmp_path: Path) -> None:
    for person, ident in (("ada", "11111111-a"), ("eve", "22222222-b")):
        files = {**_android(), "Metadata.csv": meta("android", name="Pixel 6", ident=ident)}
        (tmp_path / person).mkdir()
        (tmp_path / person / "walk.zip").write_bytes(zipped(files))
    dataset = load_dataset(tmp_path)
    assert dataset.subjects == ("Pixel 6 11111111", "Pixel 6 22222222")
    options = ReadOptions.of({"subject_from": r"^(\w+)/", "label_from": r"(\w+)\.zip$"})
    dataset, kept = import_dataset(tmp_path, options)
    assert (dataset.subjects, dataset.label_names) == (("ada", "eve"), ("walk",))
    assert load_dataset(tmp_path).subjects == ("ada", "eve")
    assert kept == tmp_path / "recordings.toml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Gravity.csv": None}, "found only Accelerometer, Gyroscope, Metadata, expected acceleration with gravity"),
        ({"Gyroscope.csv": "time,seconds_elapsed,z,y\n1,2,3,4\n"}, r"no column x \(only time, seconds_elapsed, z, y\)"),
        (
            {"Gyroscope.csv": "time,seconds_elapsed,z,y,x\n1,2,3,4,nan\n"},
            "line 2, column x: found 'nan', expected a fin",
        ),
        ({"Gyroscope.csv": "time,seconds_elapsed,z,y,x\n1,2,3,4\n1,2,3,4,5\n"}, "line 2: found 4 columns, expected 5"),
    ],
)
def test_broken_recordings_are_one_line(tmp_path: Path, change: dict[str, str | None], message: str) -> None:
    files = {name: content for name, content in {**_ios(), **change}.items() if content is not None}
    with pytest.raises(DataError, match=message) as caught:
        _load(tmp_path, files)
    assert "\n" not in str(caught.value)


def test_a_torn_last_line_is_left_out_with_a_note(tmp_path: Path) -> None:
    files = _android()
    files["Gyroscope.csv"] = files["Gyroscope.csv"][:-9]
    dataset = _load(tmp_path, files)
    assert len(dataset.recordings[0]) == 99
    assert any("Gyroscope.csv was cut off in its last line" in oddity for oddity in dataset.oddities)


def test_a_truncated_zip_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(_android()))
    (tmp_path / "b.zip").write_bytes(zipped(_android())[:-30])
    with pytest.raises(DataError, match=r"b\.zip: found .* expected a whole zip archive"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    "content", [b'[{"sensor":"Gravity","seconds_elapsed":1', b'[{"sensor":1,"seconds_elapsed":2},3]']
)
def test_broken_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(DataError, match="found no JSON of Sensor Logger"):
        load_dataset(tmp_path / "x.json")


@pytest.mark.parametrize(
    "text", ['[{"x": 1}]', '[{"sensor": "a", "x": 1}]', '{"sensor": 1, "seconds_elapsed": "2"}', '[{"device id": "a"}]']
)
def test_json_of_another_app_is_not_taken_for_one_of_this(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=r"x\.json: found a \.json file, expected a \.npz file of this package"):
        load_dataset(tmp_path / "x.json")


def test_choices_for_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="found choices for reading text: time_unit, expected those that recordings of Se"
    ):
        _load(tmp_path, _android(), options=ReadOptions(time_unit="ms"))


@pytest.mark.parametrize("files", [_ios, _android])
def test_a_magnetometer_is_read_if_it_is_asked_for_and_keeps_its_sign(
    tmp_path: Path, files: Callable[[], dict[str, str]]
) -> None:
    field = np.tile([18.0, -44.0, 5.0], (100, 1))
    nine = {**files(), "Magnetometer.csv": table(T, field)}
    assert _load(tmp_path, nine).channels == CHANNELS
    (recording,) = _load(tmp_path, nine, options=ReadOptions.of({"channels": "acc,gyro,mag"})).recordings
    np.testing.assert_allclose(recording.axes("mag"), field, rtol=1e-5)
