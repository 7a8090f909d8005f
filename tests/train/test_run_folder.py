"""The files of a run; its calibration windows are even over classes, and over subjects within them, in every prefix."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.data import Windows
from deseptr.train.run_folder import CALIBRATION_WINDOWS, HELD_OUT_WINDOWS, RunFolder, choose_calibration

CLASSES = ("a", "b", "c")
# Of each window: its class and its subject.
origins = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60)


def test_files_have_the_names_that_are_documented():
    folder = RunFolder(Path("runs/mine"))
    names = {
        name: getattr(folder, name).relative_to("runs/mine").as_posix()
        for name in (
            *("model", "teacher", "contract", "calibration", "predictions", "teacher_predictions"),
            *("metrics", "history", "labelled", "config"),
        )
    }
    assert names == {
        "model": "model.keras",
        "teacher": "teacher.keras",
        "contract": "contract.json",
        "calibration": "calibration.npz",
        "predictions": "predictions.npz",
        "teacher_predictions": "teacher_predictions.npz",
        "metrics": "metrics.json",
        "history": "history.csv",
        "labelled": "labelled.json",
        "config": "config.json",
    }


def windows(labels: list[int], subjects: list[int]) -> Windows:
    """Windows whose only sample is their index."""
    count = len(labels)
    signals = np.arange(count, dtype=np.float32).reshape(-1, 1, 1)
    named = np.array([f"s{subject}" for subject in subjects])
    zeros = np.zeros(count, np.int64)
    return Windows(signals, np.array(labels, np.int64), named, zeros, zeros, CLASSES, 50.0)


def drawn(source: Windows, seed: int) -> list[int]:
    chosen = choose_calibration(source, source, seed).windows
    return [int(value) for value in chosen[:, 0, 0]]


def assert_even(groups: list[int]) -> None:
    """In every prefix, who has fewer than another by two or more has no more to give."""
    total = np.bincount(groups, minlength=4)
    for length in range(len(groups) + 1):
        counts = np.bincount(groups[:length], minlength=4)
        left = counts < total
        assert not left.any() or counts.max() - counts[left].min() <= 1


@given(origins, st.integers(0, 5))
def test_every_prefix_is_even_over_classes_and_over_subjects_within_them(pairs: list[tuple[int, int]], seed: int):
    labels, subjects = (list(each) for each in zip(*pairs, strict=True))
    chosen = drawn(windows(labels, subjects), seed)
    assert sorted(chosen) == list(range(len(pairs)))
    assert_even([labels[index] for index in chosen])
    for label in range(len(CLASSES)):
        assert_even([subjects[index] for index in chosen if labels[index] == label])


@given(origins, st.integers(0, 5))
def test_same_seed_draws_the_same(pairs: list[tuple[int, int]], seed: int):
    labels, subjects = (list(each) for each in zip(*pairs, strict=True))
    source = windows(labels, subjects)
    assert drawn(source, seed) == drawn(source, seed)


def test_another_seed_draws_others():
    source = windows([0] * 300 + [1] * 300, [0, 1, 2] * 200)
    assert drawn(source, 0) != drawn(source, 1)


@pytest.mark.parametrize("count", [1, 5000])
def test_numbers_are_limited(count: int):
    source = windows([index % 3 for index in range(count)], [0] * count)
    found = choose_calibration(source, source, 0)
    assert len(found.windows) == min(count, CALIBRATION_WINDOWS // 3 * 3)
    assert len(found.held_out_windows) == len(found.held_out_labels) == min(count, HELD_OUT_WINDOWS)
