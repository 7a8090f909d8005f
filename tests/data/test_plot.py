from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deseptr.contract import DataError, SetupError
from deseptr.data import Dataset, plot_dataset


@pytest.mark.parametrize(("suffix", "mark"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture_is_written(synthetic: Dataset, tmp_path: Path, suffix: str, mark: bytes) -> None:
    path = tmp_path / f"x{suffix}"
    plot_dataset(synthetic, path)
    assert path.read_bytes().startswith(mark)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_replaces_only_pictures(make_recording, tmp_path: Path, suffix: str) -> None:
    path, dataset = tmp_path / f"x{suffix}", Dataset((make_recording([0] * 50),), ("a",))
    path.write_bytes(b"t,acc_x\n")
    with pytest.raises(SetupError, match="found something else, which would be lost"):
        plot_dataset(dataset, path)
    assert path.read_bytes() == b"t,acc_x\n"
    path.unlink()
    for _ in range(2):
        plot_dataset(dataset, path)


def test_a_dataset_without_labels_can_be_drawn(make_recording, tmp_path: Path) -> None:
    plot_dataset(Dataset((make_recording([-1] * 50),), ()), tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_a_class_without_samples_can_be_drawn(make_recording, tmp_path: Path) -> None:
    plot_dataset(Dataset((make_recording([0] * 50),), ("a", "b")), tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_names_with_dollar_signs_are_names(make_recording, tmp_path: Path) -> None:
    plot_dataset(Dataset((make_recording([0] * 50, subject="$5 and $6"),), ("$\\frac$",)), tmp_path / "x.svg")
    assert (tmp_path / "x.svg").stat().st_size > 1000


def test_another_suffix_is_refused(synthetic: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suffix \.txt"):
        plot_dataset(synthetic, tmp_path / "x.txt")


def test_without_matplotlib_the_error_names_the_package(
    synthetic: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SetupError, match=r"pip install 'deseptr\[train\]'"):
        plot_dataset(synthetic, tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []
