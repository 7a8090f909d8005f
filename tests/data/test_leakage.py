from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import (
    Dataset,
    Windows,
    check_leakage,
    cut_windows,
    load_dataset,
    make_protocol,
    parse_labels,
    synthetic_dataset,
)

DATASET = synthetic_dataset(subjects=6, seconds=8)


def windows(dataset: Dataset = DATASET, length: int = 128) -> Windows:
    return cut_windows(dataset, window_length=length, hop_length=length // 2, rate_hz=50.0)


WINDOWS = windows()


def split(chosen: np.ndarray, of: Windows = WINDOWS) -> dict[str, Windows]:
    return {"training": of.take(~chosen), "test": of.take(chosen)}


@given(st.sets(st.sampled_from(DATASET.subjects), min_size=1, max_size=5))
def test_split_by_subject_passes(test_subjects: set[str]) -> None:
    parts = split(np.isin(WINDOWS.subjects, sorted(test_subjects)))
    check_leakage(parts)
    assert shared(parts) == (set(), set())
    assert set(parts["test"].subjects) == test_subjects


def shared(parts: dict[str, Windows]) -> tuple[set[str], set[bytes]]:
    """Subjects and windows that training and test have in common, looked up one by one."""
    training, test = parts["training"], parts["test"]
    same = {window.tobytes() for window in training.signals} & {window.tobytes() for window in test.signals}
    return set(training.subjects) & set(test.subjects), same


@given(seed=st.integers(0, 1000), share=st.floats(0.1, 0.9))
def test_random_window_split_is_refused(seed: int, share: float) -> None:
    chosen = np.random.default_rng(seed).random(len(WINDOWS)) < share
    with pytest.raises(DataError, match=r"training and test windows: found windows of subject .* in both.*memory"):
        check_leakage(split(chosen))


@given(index=st.integers(0, len(WINDOWS) - 1), subject=st.sampled_from(DATASET.subjects))
def test_one_window_of_a_test_subject_in_training_is_found_under_any_name(index: int, subject: str) -> None:
    parts = split(WINDOWS.subjects == subject)
    leaked = WINDOWS.take(np.array([index]))
    disguised = replace(leaked, subjects=np.array(["somebody else"]))
    training = join(parts["training"], disguised)
    if leaked.subjects[0] == subject:
        with pytest.raises(DataError, match=f"the same window of subject somebody else .* and of subject {subject}"):
            check_leakage({**parts, "training": training})
    else:
        check_leakage({**parts, "training": training})


def join(first: Windows, second: Windows) -> Windows:
    names = ("signals", "labels", "subjects", "recording", "start")
    return replace(first, **{n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in names})


def test_still_windows_are_alike_by_chance() -> None:
    still = replace(WINDOWS, signals=np.zeros_like(WINDOWS.signals))
    parts = split(still.subjects == "1", still)
    check_leakage(parts)
    assert shared(parts) == (set(), {still.signals[0].tobytes()})
    moving = replace(WINDOWS, signals=np.zeros_like(WINDOWS.signals) + np.arange(128, dtype=np.float32)[:, None])
    with pytest.raises(DataError, match="the same window of subject"):
        check_leakage(split(moving.subjects == "1", moving))


def test_every_pair_of_parts_is_looked_at() -> None:
    parts = {name: WINDOWS.of_subjects(subjects) for name, subjects in {"a": "1", "b": "2", "c": "31"}.items()}
    with pytest.raises(DataError, match="a and c windows: found windows of subject 1 in both"):
        check_leakage(parts)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["hapt.npz", "motionsense.npz"])
def test_real_protocols_do_not_leak(real_file, name: str) -> None:
    dataset = load_dataset(real_file(name))
    labels = parse_labels("1-6", dataset.label_names)
    for protocol in (make_protocol("arena", dataset), make_protocol("official", dataset, labels=labels)):
        cut = windows(dataset.select(labels=protocol.labels), round(50 * protocol.window_s))
        for fold in protocol.folds[:2]:
            parts = split(np.isin(cut.subjects, fold.test_subjects), cut)
            check_leakage(parts)
            assert shared(parts)[0] == set()
            assert set(parts["test"].subjects) == set(fold.test_subjects)


def test_the_same_window_after_another_history_is_found() -> None:
    cut = cut_windows(DATASET, window_length=128, hop_length=64, rate_hz=50.0, history=31)
    leaked = cut.take(np.array([0]))
    other = replace(leaked, signals=leaked.signals.copy(), subjects=np.array(["somebody"]))
    other.signals[:, :31] += 1
    with pytest.raises(DataError, match="found the same window of"):
        check_leakage({"training": leaked, "test": other})
