"""PAMAP2 and WISDM in miniature: same names, columns and units as the real ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from app_files import unpacked, zipped

from deseptr.contract import DataError
from deseptr.data import ReadOptions, load_dataset

# The first row of subject101.dat, and the same with a sample that the radio lost.
HAND = "30 2.37223 8.60074 3.51048 2.43954 8.76165 3.35465 -0.0922174 0.0568115 -0.0158445 14.6806 -69.2128 -5.58905"
CHEST = "31.8125 0.23808 9.80003 -1.68896 0.265304 9.81549 -1.41344 -0.00506495 -0.00678097 -0.00566295 "
CHEST += "0.47196 -51.0499 43.2903"
ANKLE = "30.3125 9.65918 -1.65569 -0.0997967 9.64689 -1.55576 0.310404 0.00830026 0.00925038 -0.0175803 "
ANKLE += "-61.1888 -38.9599 -58.1438"
HAND, CHEST, ANKLE = (f"{sensor} 1 0 0 0" for sensor in (HAND, CHEST, ANKLE))
LOST = " ".join(["NaN"] * 17)


def _pamap2(rows: int = 60) -> str:
    lines = []
    for row in range(rows):
        activity = 0 if row < 10 else 4 if row < 40 else 24
        heart = "104" if row % 11 == 0 else "NaN"
        lines.append(f"{8.38 + row / 100:.2f} {activity} {heart} {LOST if row == 20 else HAND} {CHEST} {ANKLE}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("packed", [True, False])
def test_pamap2_reads_the_wrist(tmp_path: Path, packed: bool) -> None:
    names = ("Protocol/subject101.dat", "Protocol/subject102.dat", "Optional/subject101.dat")
    files = {f"PAMAP2_Dataset/{name}": _pamap2() for name in names}
    path = unpacked(tmp_path / "x", files)
    if packed:
        path = tmp_path / "x.zip"
        path.write_bytes(zipped(files))
    dataset = load_dataset(path)
    assert [(r.subject, r.name, r.rate_hz, len(r)) for r in dataset.recordings] == [
        ("101", "Optional", 100.0, 60),
        ("101", "Protocol", 100.0, 60),
        ("102", "Protocol", 100.0, 60),
    ]
    assert dataset.label_names == ("rope jumping", "walking")
    assert dataset.recordings[0].labels.tolist() == [-1] * 10 + [1] * 30 + [0] * 20
    np.testing.assert_allclose(
        dataset.recordings[0].signals[3], [2.37223, 8.60074, 3.51048, -0.0922174, 0.0568115, -0.0158445], rtol=1e-6
    )
    assert "the sensor hand was taken; --placement chest or ankle takes another" in dataset.oddities
    assert "3 rows with an empty cell were left out" in dataset.oddities


@pytest.mark.parametrize(
    ("sensor", "expected"),
    [
        ("chest", [0.23808, 9.80003, -1.68896, -0.00506495, -0.00678097, -0.00566295]),
        ("ankle", [9.65918, -1.65569, -0.0997967, 0.00830026, 0.00925038, -0.0175803]),
    ],
)
def test_pamap2_has_other_places(tmp_path: Path, sensor: str, expected: list[float]) -> None:
    (tmp_path / "subject105.dat").write_text(_pamap2())
    dataset = load_dataset(tmp_path / "subject105.dat", ReadOptions(placement=sensor))
    assert (dataset.subjects, len(dataset.recordings[0])) == (("105",), 60)
    np.testing.assert_allclose(dataset.recordings[0].signals[3], expected, rtol=1e-6)


def test_pamap2_is_the_same_as_with_pandas(tmp_path: Path) -> None:
    (tmp_path / "subject105.dat").write_text(_pamap2())
    table = pd.read_csv(tmp_path / "subject105.dat", sep=" ", header=None)
    (recording,) = load_dataset(tmp_path / "subject105.dat", ReadOptions(placement="chest")).recordings
    # Columns of IMU_chest in the data set's own readme, from 1: 22 to 24 and 28 to 30.
    np.testing.assert_allclose(recording.signals, table[[21, 22, 23, 27, 28, 29]], rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("9.65918", "x", "line 2, column 39: found 'x', expected a finite number, or NaN"),
        ("9.65918", "inf", "line 2, column 39: found 'inf'"),
        ("8.40 0", "NaN 0", "line 3, column 1: found 'NaN'"),
        ("8.40 0", "8.40 8", "column 2: found the activity 8, expected one of 0, 1, 2"),
        ("8.40 0 NaN", "8.40 0", "line 3: found 53 columns, expected 54 numbers"),
    ],
)
def test_broken_rows_of_pamap2_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    first, rest = _pamap2(1), _pamap2().split("\n", 1)[1]
    (tmp_path / "subject105.dat").write_text(first + rest.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path / "subject105.dat", ReadOptions(placement="ankle"))


def _wisdm(device: str, sensor: str, subject: int, start_ns: int) -> str:
    lines = []
    for count, activity in enumerate("AE"):
        for row in range(40):
            at = start_ns + (count * 200 + row) * 50_000_000
            values = "-0.36476135,8.793503,1.0550842" if sensor == "accel" else "-0.20837402,-0.09616089,0.66357422"
            lines.append(f"{subject},{activity},{at},{values};")
    return "\n".join(lines) + "\n"


def _wisdm_files() -> dict[str, str]:
    return {
        f"wisdm-dataset/raw/{device}/{sensor}/data_{subject}_{sensor}_{device}.txt": _wisdm(
            device, sensor, subject, 252_207_666_810_782 + (10_000_000 if sensor == "gyro" else 0)
        )
        for device in ("phone", "watch")
        for sensor in ("accel", "gyro")
        for subject in (1600, 1601)
    }


@pytest.mark.parametrize("packed", [True, False])
def test_wisdm_merges_the_two_files_of_a_subject(tmp_path: Path, packed: bool) -> None:
    path = unpacked(tmp_path / "x", _wisdm_files())
    if packed:
        path = tmp_path / "x.zip"
        path.write_bytes(zipped(_wisdm_files()))
    dataset = load_dataset(path)
    assert [(r.subject, r.name, r.rate_hz, len(r)) for r in dataset.recordings] == [
        ("1600", "walking", 20.0, 39),
        ("1600", "standing", 20.0, 39),
        ("1601", "walking", 20.0, 39),
        ("1601", "standing", 20.0, 39),
    ]
    assert (dataset.label_names, dataset.recordings[0].labels[0]) == (("standing", "walking"), 1)
    np.testing.assert_allclose(
        dataset.recordings[0].signals[7],
        [-0.36476135, 8.793503, 1.0550842, -0.20837402, -0.09616089, 0.66357422],
        rtol=1e-6,
    )
    assert "the sensor watch was taken; --placement phone takes another" in dataset.oddities


def test_wisdm_is_the_same_as_with_pandas(tmp_path: Path) -> None:
    unpacked(tmp_path, _wisdm_files())
    (recording, *_) = load_dataset(tmp_path, ReadOptions(placement="phone")).recordings
    text = (tmp_path / "wisdm-dataset/raw/phone/accel/data_1600_accel_phone.txt").read_text()
    table = pd.read_csv(io.StringIO(text.replace(";", "")), header=None)
    walking = table[table[1] == "A"]
    np.testing.assert_allclose(recording.signals[:, :3], walking[[3, 4, 5]][: len(recording)], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            None,
            "data_1600_accel_watch.txt: found no gyro of subject 1600, expected the files of accelerometer and gyro",
        ),
        (
            "1600,A,252207676810782,1,2,3;\n1600,N,2,1,2,3;\n",
            "line 2: found '1600,N,2,1,2,3;', expected subject, activi",
        ),
        ("1600,A,252207676810782,1,2,3;\n1600,A,2,1,2,nan;\n", "line 2: found '1600,A,2,1,2,nan;'"),
        ("1600,A,252207676810782,1,2,3;\n1600,A,2,1,2\n", "line 2: found '1600,A,2,1,2'"),
    ],
)
def test_broken_files_of_wisdm_are_named(tmp_path: Path, change: str | None, message: str) -> None:
    files: dict[str, str | None] = {**_wisdm_files()}
    files["wisdm-dataset/raw/watch/gyro/data_1600_gyro_watch.txt"] = change
    unpacked(tmp_path, {name: content for name, content in files.items() if content is not None})
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path)


def test_the_older_wisdm_has_no_angular_rate(tmp_path: Path) -> None:
    path = tmp_path / "WISDM_ar_v1.1_raw.txt"
    path.write_text("33,Jogging,49105962326000,-0.6946377,12.680544,0.50395286;\n" * 3)
    with pytest.raises(
        DataError, match="found acceleration without angular rate, expected acceleration and angular rate"
    ):
        load_dataset(path)
