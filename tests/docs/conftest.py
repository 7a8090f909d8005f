"""The folder that a page of the documents takes for granted: recordings and models under the names it uses."""

from __future__ import annotations

import shutil
import struct
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from app_files import edge_impulse_sample, sensor_logger_meta, sensor_logger_table, unpacked, zipped
from cwa_builder import AX6, cwa_block, cwa_header, words
from doc_blocks import ROOT
from gt3x_builder import gt3x, record, schema
from watch_log import write_watch_log

from deseptr.data import Dataset, Recording, save_dataset, synthetic_dataset

SCALES = {"Accelerometer": 2048.0, "Gyroscope": 16.384}
PEOPLE = ("ada", "ben", "cem", "dora", "eve")


def named_recordings() -> Dataset:
    """Synthetic wearers with names instead of numbers."""
    dataset = synthetic_dataset(subjects=len(PEOPLE), seconds=12.0)
    named = [replace(recording, subject=PEOPLE[int(recording.subject) - 1]) for recording in dataset.recordings]
    return replace(dataset, recordings=tuple(named), test_subjects=())


def fall_recordings() -> Dataset:
    """Synthetic wearers of whom each falls twice, onto the side: steps, an impact, and lying still."""
    dataset = named_recordings()
    rng = np.random.default_rng(0)
    falls = []
    for person in PEOPLE * 2:
        signals = rng.normal(0.0, 0.5, (1000, 6)).astype(np.float32)
        signals[:300, 1] += 9.8
        signals[300:310, :3] += rng.normal(0.0, 60.0, (10, 3))
        signals[310:, 0] += 9.8
        signals[400:] *= np.float32([1, 0.1, 0.1, 0.1, 0.1, 0.1])
        falls.append(
            Recording(signals, 50.0, person, np.full(1000, len(dataset.label_names)), name=f"fall {len(falls)}")
        )
    return replace(
        dataset, recordings=(*dataset.recordings, *falls), label_names=(*dataset.label_names, "fall"), name="falls"
    )


def motionsense_archive(path: Path) -> None:
    """An archive in MotionSense's layout with two trials."""
    names = [f"{kind}.{axis}" for kind in ("attitude", "gravity", "rotationRate", "userAcceleration") for axis in "xyz"]
    header = ",".join(["", *names])
    rows = "\n".join(f"{row}," + ",".join(f"{0.01 * row + column:.2f}" for column in range(12)) for row in range(50))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("A_DeviceMotion_data/wlk_7/sub_1.csv", f"{header}\n{rows}\n")
        archive.writestr("A_DeviceMotion_data/sit_5/sub_2.csv", f"{header}\n{rows}1\n")


def hapt_archive(path: Path) -> None:
    """An archive in HAPT's layout with one experiment."""
    rows = "\n".join(f"{0.01 * row:.3f} 1.0 {0.02 * row:.3f}" for row in range(100))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("RawData/acc_exp01_user01.txt", rows)
        archive.writestr("RawData/gyro_exp01_user01.txt", rows)
        archive.writestr("RawData/labels.txt", "1 1 1 1 40\n1 1 2 50 100\n")
        archive.writestr("activity_labels.txt", "1 WALKING\n2 STANDING\n")


def uci_har_archive(path: Path) -> None:
    """An archive in UCI-HAR's layout with two windows of one subject in each part."""
    windows = "\n".join(" ".join(f"{0.01 * (64 * row + at):.2f}" for at in range(128)) for row in range(2))
    with zipfile.ZipFile(path, "w") as archive:
        for part, subject in (("train", 1), ("test", 2)):
            for sensor in ("total_acc", "body_gyro"):
                for axis in "xyz":
                    archive.writestr(f"{part}/Inertial Signals/{sensor}_{axis}_{part}.txt", windows)
            archive.writestr(f"{part}/subject_{part}.txt", f"{subject}\n" * 2)
            archive.writestr(f"{part}/y_{part}.txt", "1\n1\n")
        archive.writestr("activity_labels.txt", "1 WALKING\n")


def logger_files(folder: Path) -> None:
    """A folder with a recording of an AX6, and one with a recording of a Link."""
    (folder / "logger" / "s07").mkdir(parents=True)
    blocks = [
        cwa_block(
            words([[0, 0, 0, 0, 4096, 10 * row] for row in range(40)]),
            40,
            0x62,
            sequence=number,
            moment=datetime(2023, 11, 14, 12),
            offset=-40 * number,
            acc_scale=4,
        )
        for number in range(5)
    ]
    (folder / "logger" / "s07" / "walk.cwa").write_bytes(cwa_header(hardware=AX6) + b"".join(blocks))
    columns = [(f"{name} {axis}", 2, 16, scale) for name, scale in SCALES.items() for axis in "XYZ"]
    rows = b"".join(struct.pack("<6h", 0, 2048, row, row, 0, 0) for row in range(100))
    log = record(24, 5, schema(1, 100, columns)) + record(25, 5, b"\x01\x00" + rows)
    (folder / "link").mkdir()
    (folder / "link" / "ada.gt3x").write_bytes(gt3x(log))


def app_files(folder: Path) -> None:
    """Recordings of phones, one folder a person, and samples of Edge Impulse."""
    t = np.arange(200) / 50
    still = np.tile([0.0, 0.0, 9.80665], (200, 1))
    files = {
        "TotalAcceleration.csv": sensor_logger_table(t, still),
        "Gyroscope.csv": sensor_logger_table(t, 0 * still),
        "Metadata.csv": sensor_logger_meta("android", name="Pixel 6"),
    }
    for person in ("ada", "ben"):
        for kind in ("phones", "impulse"):
            (folder / kind / person).mkdir(parents=True)
        for label in ("walking", "sitting"):
            (folder / "phones" / person / f"{label}.zip").write_bytes(zipped(files))
            (folder / "impulse" / person / f"{label}.3kq2.json").write_text(
                edge_impulse_sample([[0, 0, 1, 0, 0, 0]] * 99)
            )


def public_sets(folder: Path) -> None:
    """PAMAP2 and WISDM with one subject and one activity each."""
    sensor = "30 0 0 9.81 0 0 9.81 0 0 0 0 0 0 1 0 0 0"
    rows = "".join(f"{row / 100:.2f} 4 NaN {sensor} {sensor} {sensor}\n" for row in range(300))
    lines = "".join(f"1600,A,{10**14 + 50_000_000 * row},0.0,0.0,9.81;\n" for row in range(60))
    unpacked(folder / "PAMAP2_Dataset", {"Protocol/subject101.dat": rows})
    names = [f"raw/watch/{sensor}/data_1600_{sensor}_watch.txt" for sensor in ("accel", "gyro")]
    unpacked(folder / "wisdm-dataset", dict.fromkeys(names, lines))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pages take for granted, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    dataset = named_recordings()
    for name in ("mine.csv", "mine.npz"):
        save_dataset(dataset, folder / name)
    save_dataset(fall_recordings(), folder / "falls.npz")
    for name in ("mine.tflite", "float.tflite"):
        shutil.copy(ROOT / "device" / "models" / "deseptr_motionsense.tflite", folder / name)
    motionsense_archive(folder / "A_DeviceMotion_data.zip")
    hapt_archive(folder / "HAPT_Data_Set.zip")
    uci_har_archive(folder / "UCI HAR Dataset.zip")
    write_watch_log(folder / "wrist", seconds=8.0)
    logger_files(folder)
    app_files(folder)
    public_sets(folder)
    return folder


@pytest.fixture
def page_folder(prepared: Path, tmp_path: Path) -> Path:
    """A folder of its own for a page."""
    shutil.copytree(prepared, tmp_path / "page")
    return tmp_path / "page"
