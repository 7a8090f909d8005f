"""Recordings of apps and devices become datasets by the rules of CSV files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.data import ReadOptions
from deseptr.data.archive import Archive
from deseptr.data.takes import Take, dataset_of_takes, merged

GRAVITY = np.array([0, 0, 9.8, 0, 0, 0])


def _take(path: str = "ada/walk.json", rows: int = 50, **said: object) -> Take:
    return Take(path, path, np.arange(rows) / 50, np.tile(GRAVITY, (rows, 1)), **said)  # type: ignore[arg-type]


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_without_a_subject_the_path_is_one() -> None:
    dataset = dataset_of_takes([_take(), _take("eve/walk.json", labels="walking")], "x", ReadOptions())
    assert [(r.subject, r.name, r.rate_hz, len(r)) for r in dataset.recordings] == [
        ("ada/walk", "1", 50.0, 50),
        ("eve/walk", "1", 50.0, 50),
    ]
    assert dataset.label_names == ("walking",)
    assert [set(r.labels.tolist()) for r in dataset.recordings] == [{-1}, {0}]


def test_choices_win_over_what_the_layout_says() -> None:
    options = ReadOptions.of({"subject_from": r"^(\w+)/", "label": "sitting"})
    take = _take(subject="phone", labels=["walking"] * 50, name="7")
    dataset = dataset_of_takes([take], "x", options)
    assert (dataset.subjects, dataset.label_names, dataset.recordings[0].name) == (("ada",), ("sitting",), "7")


def test_takes_of_a_subject_have_names_of_their_own() -> None:
    takes = [_take("1.json", subject="phone"), _take("2.json", subject="phone")]
    assert [r.name for r in dataset_of_takes(takes, "x", ReadOptions()).recordings] == ["1", "2"]


def test_names_that_are_alike_become_one_when_asked() -> None:
    takes = [_take("1.json", labels="Walking"), _take("2.json", labels="walking")]
    assert dataset_of_takes(takes, "x", ReadOptions()).label_names == ("Walking", "walking")
    assert dataset_of_takes(takes, "x", ReadOptions(merge_alike=True)).label_names == ("Walking",)


def test_a_clock_that_was_set_back_begins_another_recording() -> None:
    t = np.concatenate([np.arange(100) / 50, 1 + np.arange(100) / 50])
    dataset = dataset_of_takes([Take("x.json", "x.json", t, np.tile(GRAVITY, (200, 1)))], "x", ReadOptions())
    assert [(r.name, len(r)) for r in dataset.recordings] == [("1", 100), ("1-2", 100)]
    assert dataset.oddities[0] == (
        "subject x, trial 1: the clock was set back by 1 s: a recording ends there, and 1-2 begins"
    )


def test_sensors_of_two_rates_and_starts_are_merged() -> None:
    acc_t, gyro_t = np.arange(0, 2, 0.01), np.arange(0.005, 1.9, 0.02)
    acc = np.outer(acc_t, [1.0, 2.0, 3.0])
    gyro = np.outer(gyro_t, [4.0, 5.0, 6.0])
    t, rows, _ = merged((acc_t, acc), (gyro_t, gyro))
    (recording,) = dataset_of_takes([Take("x.json", "x.json", t, rows)], "x", ReadOptions()).recordings
    assert recording.rate_hz == 100.0
    at = 0.01 + np.arange(len(recording)) / 100
    np.testing.assert_allclose(recording.signals, np.outer(at, [1, 2, 3, 4, 5, 6]), rtol=1e-5)


@pytest.mark.parametrize(
    ("t", "value", "message"),
    [
        ([0.0, 0.1, np.nan], 0.0, "sample 3: found a value that is not finite"),
        ([0.0, 0.1, 0.2], np.inf, "sample 2: found a value that is not finite"),
        ([0.0, 0.0, 0.0], 0.0, "found times that go back again and again, or stand still"),
        ([0.2, 0.1, 0.0], 0.0, "found times that go back again and again"),
        ([0.0], 0.0, "found no two samples without a gap"),
    ],
)
def test_broken_takes_are_refused(t: list[float], value: float, message: str) -> None:
    signals = np.tile(GRAVITY, (len(t), 1))
    signals[-2:-1, 3] = value
    with pytest.raises(DataError, match=message):
        dataset_of_takes([Take("x.json", "x.json", np.array(t), signals)], "x", ReadOptions())


def test_zips_in_a_folder_are_folders(tmp_path: Path) -> None:
    inner = _zip({"a.csv": b"x" * 5000, "__MACOSX/a.csv": b"y"})
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "walk.zip").write_bytes(inner)
    (tmp_path / "b.txt").write_bytes(b"text")
    with Archive(tmp_path, nested=True) as archive:
        assert archive.names() == ["b.txt", "sub/walk.zip/a.csv"]
        assert archive.read("sub/walk.zip/a.csv") == b"x" * 5000
        assert archive.head("sub/walk.zip/a.csv") == b"x" * 4096
        assert archive.file("b.txt") == tmp_path / "b.txt"
        assert archive.file("sub/walk.zip/a.csv") is None
        assert archive.title("sub/walk.zip/a.csv") == f"{tmp_path}/sub/walk.zip!a.csv"
    with Archive(tmp_path) as archive:
        assert archive.names() == ["b.txt", "sub/walk.zip"]


def test_a_zip_beside_its_unpacked_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    (tmp_path / "walk" / "a.csv").write_bytes(b"x")
    (tmp_path / "walk.zip").write_bytes(_zip({"a.csv": b"x"}))
    with Archive(tmp_path, nested=True) as archive:
        assert archive.names() == ["walk/a.csv"]


def test_a_file_is_an_archive_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    with Archive(path) as archive:
        assert (archive.names(), archive.read("a.json"), archive.head("a.json")) == (["a.json"], b"{}", b"{}")
        assert archive.title("a.json") == str(path)


def test_a_broken_zip_in_a_folder_is_kept_for_the_reader(tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(_zip({"a.csv": b"x" * 5000})[:60])
    with Archive(tmp_path, nested=True) as archive:
        assert archive.names() == []
        assert "cut.zip" in str(archive.broken)


def test_the_beginning_of_a_bomb_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(_zip({"a.csv": bytes(2**27)}))
    with Archive(path) as archive:
        assert archive.head("a.csv") == bytes(4096)
        with pytest.raises(DataError, match="134,217,728 bytes, 67,108,864 are allowed"):
            archive.read("a.csv")
