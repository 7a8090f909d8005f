from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError, SetupError
from deseptr.data import Dataset, load_dataset, save_dataset


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".NPZ"])
def test_what_is_saved_is_loaded(synthetic: Dataset, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    save_dataset(synthetic.select(subjects=("1",)), path)
    back = load_dataset(str(path))
    assert [r.name for r in back.recordings] == ["1", "2", "3", "4", "5", "6"]
    np.testing.assert_allclose(back.recordings[0].signals, synthetic.recordings[0].signals, atol=2e-3)


def test_a_folder_of_csv_files(synthetic: Dataset, tmp_path: Path) -> None:
    for subject in ("1", "2"):
        save_dataset(synthetic.select(subjects=(subject,)), tmp_path / f"{subject}.csv")
    assert load_dataset(tmp_path).subjects == ("1", "2")


def test_a_missing_file_is_one_line_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "no.npz")
    assert "found no such file" in str(caught.value)
    assert "`synthetic`" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mat").write_bytes(b"MATLAB 5.0")
    with pytest.raises(DataError, match=r"found a \.mat file"):
        load_dataset(tmp_path / "x.mat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="nothing in it"):
        load_dataset(tmp_path / "empty")


def test_an_output_of_another_suffix_or_in_no_folder_is_refused(synthetic: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suffix \.mat, expected \.npz or \.csv"):
        save_dataset(synthetic, tmp_path / "x.mat")
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError):
        save_dataset(synthetic, tmp_path / "file" / "x.npz")
