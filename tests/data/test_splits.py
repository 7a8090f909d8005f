from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import (
    Dataset,
    Recording,
    Split,
    arena_folds,
    check_disjoint,
    load_dataset,
    parse_subjects,
    subject_split,
)


def _dataset(subjects: int, test_subjects: tuple[str, ...] = ()) -> Dataset:
    recordings = tuple(
        Recording(np.zeros((2, 6), np.float32), 50.0, str(s), np.zeros(2, np.int16)) for s in range(1, subjects + 1)
    )
    return Dataset(recordings, ("a", "b"), name="made", test_subjects=test_subjects)


@given(subjects=st.integers(3, 40), validation=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_parts_are_disjoint_cover_everyone_and_none_is_empty(subjects: int, validation: float, seed: int) -> None:
    dataset = _dataset(subjects)
    split = subject_split(dataset, validation=validation, seed=seed)
    parts = (*split.train, *split.validation, *split.test)
    assert sorted(parts) == sorted(dataset.subjects)
    assert split.train
    assert split.validation
    assert len(split.test) == max(1, round(subjects / 4))
    assert split == subject_split(dataset, validation=validation, seed=seed)


def test_the_seed_changes_the_draw() -> None:
    assert len({subject_split(_dataset(20), seed=seed) for seed in range(5)}) > 1


def test_held_out_subjects_are_the_given_ones_or_the_datasets_own() -> None:
    dataset = _dataset(12, test_subjects=("3", "11"))
    assert subject_split(dataset).test == ("3", "11")
    assert subject_split(dataset, test_subjects=["10", "2"]).test == ("2", "10")


def test_too_few_subjects_are_refused_with_a_next_step() -> None:
    with pytest.raises(DataError, match=r"made: split by subject: found 2 subjects \(1, 2\).*record more wearers"):
        subject_split(_dataset(2))
    with pytest.raises(DataError, match="3 of 4 subjects held out"):
        subject_split(_dataset(4), test_subjects=("1", "2", "3"))


def test_unknown_subjects_and_shares_are_refused() -> None:
    with pytest.raises(DataError, match=r"subject 99: .* expected some of 1, 2, 3, 4"):
        subject_split(_dataset(4), test_subjects=("99",))
    with pytest.raises(DataError, match=r"validation: found 1\.0"):
        subject_split(_dataset(4), validation=1.0)


def test_a_split_refuses_a_subject_in_two_parts() -> None:
    with pytest.raises(DataError, match="subject 2: found in two parts"):
        Split(("1", "2"), ("2",), ("3",))
    check_disjoint(("1",), ("2", "3"), ())


@given(subjects=st.integers(2, 40), folds=st.integers(2, 12))
def test_folds_test_everyone_once(subjects: int, folds: int) -> None:
    names = [str(s) for s in range(1, subjects + 1)]
    if folds > subjects:
        with pytest.raises(DataError, match="folds"):
            arena_folds(names, folds)
        return
    parts = arena_folds(names[::-1], folds)
    assert len(parts) == folds
    assert all(parts)
    assert sorted(s for part in parts for s in part) == sorted(names)


def test_arena_fold_is_index_modulo_ten() -> None:
    assert arena_folds([str(s) for s in range(1, 25)])[3] == ("4", "14", "24")


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("5", ("5",)),
        ("5,10, 12-14", ("5", "10", "12", "13", "14")),
        ("3,1-3", ("3", "1", "2")),
        ("anna,bob-2", ("anna", "bob-2")),
    ],
)
def test_parse_subjects(text: str, subjects: tuple[str, ...]) -> None:
    assert parse_subjects(text) == subjects


@pytest.mark.parametrize("text", ["", "1,,2", "7-5", "1,", "1-1000000000"])
def test_parse_subjects_refuses(text: str) -> None:
    with pytest.raises(DataError, match="rising ranges"):
        parse_subjects(text)


@pytest.mark.real_data
def test_official_subjects_of_the_real_datasets(real_file) -> None:
    hapt = load_dataset(real_file("hapt.npz"))
    assert subject_split(hapt).test == ("2", "4", "9", "10", "12", "13", "18", "20", "24")
    motionsense = load_dataset(real_file("motionsense.npz"))
    assert subject_split(motionsense).test == ("5", "10", "12", "22")
