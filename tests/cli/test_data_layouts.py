"""Recordings of every app and data set go through `data info` and `data import` without being told what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from app_files import (
    edge_impulse_sample,
    phyphox_table,
    sensor_logger_meta,
    sensor_logger_table,
    unpacked,
    zipped,
)
from click.testing import CliRunner, Result

from deseptr.cli.data import data
from deseptr.contract import DataError
from deseptr.data import load_dataset

T = np.arange(150) / 50
UP = np.tile([0.0, 0.0, 9.80665], (150, 1))
TURN = np.tile([0.5, -1.0, 2.0], (150, 1))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


def _sensor_logger() -> Mapping[str, str]:
    return {
        "TotalAcceleration.csv": sensor_logger_table(T, UP),
        "Gyroscope.csv": sensor_logger_table(T, TURN),
        "Metadata.csv": sensor_logger_meta("android"),
    }


def _phyphox() -> Mapping[str, str]:
    names = [
        f"{quantity} {axis} ({unit})"
        for quantity, unit in (("Acceleration", "m/s^2"), ("Gyroscope", "rad/s"))
        for axis in "xyz"
    ]
    return {
        "Accelerometer.csv": phyphox_table(["Time (s)", *names[:3]], np.column_stack([T, UP])),
        "Gyroscope.csv": phyphox_table(["Time (s)", *names[3:]], np.column_stack([T, TURN])),
    }


def _sensor_log() -> str:
    names = [f"accelerometerAcceleration{axis}(G)" for axis in "XYZ"] + [f"gyroRotation{axis}(rad/s)" for axis in "XYZ"]
    stamps = ["loggingTime(txt)", "accelerometerTimestamp_sinceReboot(s)", "gyroTimestamp_sinceReboot(s)"]
    rows = [f"2023-11-07T09:06:03.591+02:00,{at},{at},0,0,-1,0.5,-1,2" for at in T.tolist()]
    return "\n".join([",".join([*stamps, *names]), *rows]) + "\n"


def _pamap2() -> str:
    sensor = "30 0 0 9.80665 0 0 9.80665 0.5 -1 2 0 0 0 1 0 0 0"
    return "".join(f"{at:.2f} 4 NaN {sensor} {sensor} {sensor}\n" for at in T.tolist())


def _wisdm(values: str) -> str:
    return "".join(f"1600,A,{252_207_666_810_782 + round(at * 1e9)},{values};\n" for at in T.tolist())


def _each(content: str | bytes, suffix: str) -> dict[str, str | bytes]:
    """The same for two people and two activities."""
    return {f"{who}/{what}{suffix}": content for who in ("ada", "eve") for what in ("sitting", "walking")}


LAYOUTS: dict[str, dict[str, str | bytes]] = {
    "Sensor Logger": _each(zipped(_sensor_logger()), ".zip"),
    "phyphox": _each(zipped(_phyphox()), ".zip"),
    "SensorLog": _each(_sensor_log(), ".csv"),
    "Edge Impulse": _each(edge_impulse_sample([[0, 0, 1, 28.64788976, -57.29577951, 114.59155903]] * 150), ".1.json"),
    "PAMAP2": _each(_pamap2(), ".dat"),
    "WISDM": {
        f"{who}/{what}/data_160{person}{number}_{sensor}_watch.txt": _wisdm(values)
        for person, who in enumerate(("ada", "eve"))
        for number, what in enumerate(("sitting", "walking"))
        for sensor, values in (("accel", "0,0,9.80665"), ("gyro", "0.5,-1,2"))
    },
}
PATHS = ("--subject-from", r"^(\w+)/", "--label-from", "(sitting|walking)")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_is_shown_and_imported(tmp_path: Path, layout: str) -> None:
    folder = unpacked(tmp_path / "data", LAYOUTS[layout])
    result = _run("import", folder, "-o", tmp_path / "mine.npz", *PATHS)
    assert result.exit_code == 0, result.exception
    assert "4 recordings of 2 subjects" in result.output
    # From now on the choices lie beside the data.
    shown = json.loads(_run("info", folder, "--json").stdout)
    assert (shown["labels"], shown["subjects"], shown["rates_hz"][0]) == (["sitting", "walking"], ["ada", "eve"], 50.0)
    for recording in load_dataset(tmp_path / "mine.npz").recordings:
        assert len(recording) == 150
        np.testing.assert_allclose(recording.signals[9], [0, 0, 9.80665, 0.5, -1, 2], atol=2e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_single_one_is_recognised(tmp_path: Path, layout: str) -> None:
    folder = unpacked(tmp_path / "data", LAYOUTS[layout])
    path = folder / "ada" / "walking" if layout == "WISDM" else next((folder / "ada").glob("walking*"))
    result = _run("info", path, "--label", "walking", "--json")
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout)["label_minutes"]["walking"] == pytest.approx(0.05)


@pytest.mark.parametrize("layout", ["Sensor Logger", "phyphox"])
@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_truncated_zip_is_one_line(tmp_path: Path, layout: str, share: float) -> None:
    whole = LAYOUTS[layout]["ada/walking.zip"]
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])  # type: ignore[arg-type]
    result = _run("info", tmp_path / "cut.zip")
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 2
    assert "cut.zip: found" in str(result.exception)


@pytest.mark.parametrize("in_folder", [True, False])
def test_a_zip_bomb_is_refused(tmp_path: Path, in_folder: bool) -> None:
    bomb = {**_sensor_logger(), "Gyroscope.csv": "time,seconds_elapsed,z,y,x\n" + "0" * 2**27}
    (tmp_path / "bomb.zip").write_bytes(zipped(bomb))
    result = _run("info", tmp_path if in_folder else tmp_path / "bomb.zip")
    assert isinstance(result.exception, DataError)
    assert "unpacks to 134,217,755 bytes" in str(result.exception)


def test_a_zip_in_a_zip_stays_closed(tmp_path: Path) -> None:
    (tmp_path / "outer.zip").write_bytes(zipped({"inner.zip": zipped(_sensor_logger())}))
    result = _run("info", tmp_path / "outer.zip")
    assert isinstance(result.exception, DataError)
    assert "found 1 file of another format" in str(result.exception)
    assert "unpack it if it holds another archive" in str(result.exception)


@pytest.mark.parametrize("option", [("--columns", "a=acc_x"), ("--time-unit", "ms"), ("--encoding", "cp1252")])
def test_choices_for_text_are_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    (tmp_path / "walk.zip").write_bytes(zipped(_sensor_logger()))
    result = _run("info", tmp_path / "walk.zip", *option)
    assert "leave them out" in str(result.exception)


def test_what_is_of_another_layout_is_named(tmp_path: Path) -> None:
    unpacked(tmp_path / "a", _sensor_logger())
    unpacked(tmp_path / "b", _phyphox())
    (tmp_path / "mine.csv").write_text(
        "t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n0,0,9.8,0,0,0,0\n0.02,0,9.8,0,0,0,0\n"
    )
    oddities = load_dataset(tmp_path).oddities
    assert "exports of phyphox are there as well, and were passed over" in oddities
    assert "passed over, as tables of something else: b/Accelerometer.csv, b/Gyroscope.csv, mine.csv" in oddities
    (tmp_path / "b" / "Location.csv").write_text('"Time (s)","Latitude (°)"\n')
    unpacked(tmp_path / "c", _phyphox())
    (tmp_path / "c" / "notes.csv").write_text("when,what\n1,2\n")
    oddities = load_dataset(tmp_path / "c").oddities
    assert "passed over, as tables of something else: notes.csv" in oddities
    assert not any("passed over" in oddity for oddity in load_dataset(tmp_path / "b").oddities)
