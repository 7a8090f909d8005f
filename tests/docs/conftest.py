"""The folder that a page of the documents takes for granted: recordings and models under the names it uses."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from doc_blocks import ROOT

from deseptr.data import Dataset, save_dataset, synthetic_dataset

PEOPLE = ("ada", "ben", "cem", "dora", "eve")


def named_recordings() -> Dataset:
    """Synthetic wearers with names instead of numbers."""
    dataset = synthetic_dataset(subjects=len(PEOPLE), seconds=12.0)
    named = [replace(recording, subject=PEOPLE[int(recording.subject) - 1]) for recording in dataset.recordings]
    return replace(dataset, recordings=tuple(named), test_subjects=())


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


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pages take for granted, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    dataset = named_recordings()
    for name in ("mine.csv", "mine.npz"):
        save_dataset(dataset, folder / name)
    for name in ("mine.tflite", "float.tflite"):
        shutil.copy(ROOT / "device" / "models" / "deseptr_motionsense.tflite", folder / name)
    motionsense_archive(folder / "A_DeviceMotion_data.zip")
    hapt_archive(folder / "HAPT_Data_Set.zip")
    uci_har_archive(folder / "UCI HAR Dataset.zip")
    return folder


@pytest.fixture
def page_folder(prepared: Path, tmp_path: Path) -> Path:
    """A folder of its own for a page."""
    shutil.copytree(prepared, tmp_path / "page")
    return tmp_path / "page"
