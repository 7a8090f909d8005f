from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording, take_fraction


def _dataset(runs: list[tuple[str, int, int]]) -> Dataset:
    """One recording at 2 Hz for each subject, whose acceleration along x numbers its samples."""
    recordings = []
    for subject in ("a", "b"):
        labels = [label for who, label, length in runs if who == subject for _ in range(length)]
        signals = np.zeros((len(labels), 6))
        signals[:, 0] = np.arange(len(labels))
        recordings.append(Recording(signals, 2.0, subject, np.array(labels, np.int16)))
    return Dataset(tuple(recordings), ("x", "y"))


def _counts(dataset: Dataset) -> Counter[tuple[str, int]]:
    return Counter((r.subject, int(label)) for r in dataset.recordings for label in r.labels)


def _samples(dataset: Dataset) -> set[tuple[str, float]]:
    return {(r.subject, float(x)) for r in dataset.recordings for x in r.signals[:, 0]}


RUNS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(-1, 1), st.integers(1, 70)), min_size=1, max_size=6)


@given(runs=RUNS, fraction=st.floats(0.01, 1), seed=st.integers(0, 99))
def test_the_share_of_each_label_of_each_subject_is_exact(
    runs: list[tuple[str, int, int]], fraction: float, seed: int
) -> None:
    whole = _dataset(runs)
    part = take_fraction(whole, fraction, seed)
    assert _counts(part) == {group: math.ceil(round(fraction * count, 6)) for group, count in _counts(whole).items()}
    for recording in part.recordings:
        # Every sample is where it was.
        assert recording.signals[:, 0].tolist() == [2 * recording.start_s + i for i in range(len(recording))]


@given(runs=RUNS, low=st.floats(0.01, 1), high=st.floats(0.01, 1))
def test_a_larger_share_has_the_smaller_in_it(runs: list[tuple[str, int, int]], low: float, high: float) -> None:
    whole = _dataset(runs)
    low, high = sorted((low, high))
    assert _samples(take_fraction(whole, low)) <= _samples(take_fraction(whole, high))


def test_all_of_it_is_what_it_was() -> None:
    whole = _dataset([("a", 0, 70), ("b", 1, 9)])
    same = take_fraction(whole, 1.0)
    assert [len(r) for r in same.recordings] == [70, 9]
    assert [r.start_s for r in same.recordings] == [0.0, 0.0]


def test_the_seed_draws_other_pieces_of_ten_seconds() -> None:
    whole = _dataset([("a", 0, 400)])
    drawn = {frozenset(_samples(take_fraction(whole, 0.1, seed))) for seed in range(10)}
    assert len(drawn) > 3
    assert {min(x for _, x in each) % 20 for each in drawn} == {0}
    assert _samples(take_fraction(whole, 0.1, 7)) == _samples(take_fraction(whole, 0.1, 7))


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5, float("nan")])
def test_no_share_is_refused(fraction: float) -> None:
    with pytest.raises(DataError, match="above 0 and at most 1"):
        take_fraction(_dataset([("a", 0, 5)]), fraction)


def test_a_rate_below_one_sample_in_ten_seconds_is_drawn_from_sample_by_sample() -> None:
    recording = Recording(np.zeros((40, 6)), 0.01, "a", np.zeros(40, np.int16))
    assert take_fraction(Dataset((recording,), ("x",)), 0.25).samples == 10
