from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, Fold, FoldProtocol, Recording, load_dataset, make_protocol, parse_labels

NAMES = ("walk", "sit", "3d")


def _dataset(subjects: int, test_subjects: tuple[str, ...] = ()) -> Dataset:
    labels = np.arange(3, dtype=np.int16)
    recordings = tuple(
        Recording(np.zeros((3, 6), np.float32), 50.0, str(s), labels) for s in range(1, subjects + 1)
    )  # fmt: skip
    return Dataset(recordings, NAMES, name="made", test_subjects=test_subjects)


@given(subjects=st.integers(3, 40), name=st.sampled_from(["arena", "loso"]))
def test_folds_test_everyone_once_and_leave_someone_to_learn_from(subjects: int, name: str) -> None:
    dataset = _dataset(subjects)
    protocol = make_protocol(name, dataset)
    tested = [subject for fold in protocol.folds for subject in fold.test_subjects]
    assert sorted(tested) == sorted(dataset.subjects)
    assert len(protocol.folds) == (min(10, subjects) if name == "arena" else subjects)
    assert all(len(fold.test_subjects) <= subjects - 2 for fold in protocol.folds)


def test_arena_is_the_published_one() -> None:
    protocol = make_protocol("arena", _dataset(24))
    assert (protocol.window_s, protocol.overlap, protocol.labels) == (3.0, 0.5, NAMES)
    assert protocol.folds[3] == Fold("3", ("4", "14", "24"))


def test_official_tests_the_datasets_own_subjects_on_the_requested_labels() -> None:
    protocol = make_protocol("official", _dataset(12, ("10", "2")), labels=("sit", "walk"))
    assert protocol.folds == (Fold("test", ("2", "10")),)
    assert (protocol.window_s, protocol.overlap, protocol.labels) == (2.56, 0.5, ("sit", "walk"))
    with pytest.raises(DataError, match=r"made: test subjects: found none.*choose --protocol arena or loso"):
        make_protocol("official", _dataset(12))


def test_windows_can_be_chosen() -> None:
    protocol = make_protocol("loso", _dataset(3), window_s=4.0, overlap=0.75)
    assert (protocol.window_s, protocol.overlap) == (4.0, 0.75)


@pytest.mark.parametrize("name", ["random", "random-windows", "kfold", "Shuffled windows"])
def test_split_by_window_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="a split by window, which tests on wearers that were trained on"):
        make_protocol(name, _dataset(12))


def test_other_mistakes_are_named() -> None:
    with pytest.raises(DataError, match="protocol arenas: found no such protocol, expected arena, loso, official"):
        make_protocol("arenas", _dataset(12))
    with pytest.raises(DataError, match="found 2 subjects"):
        make_protocol("loso", _dataset(2))
    with pytest.raises(DataError, match="label fly"):
        make_protocol("loso", _dataset(3), labels=("fly",))


def test_protocol_refuses_a_subject_in_two_folds_and_an_empty_fold() -> None:
    with pytest.raises(DataError, match="subject 2: found in two parts"):
        FoldProtocol("own", (Fold("a", ("1", "2")), Fold("b", ("2",))), 3.0, 0.5, NAMES)
    with pytest.raises(DataError, match="own: fold b: found no test subject"):
        FoldProtocol("own", (Fold("a", ("1",)), Fold("b", ())), 3.0, 0.5, NAMES)


def test_folds_are_chosen_by_name() -> None:
    protocol = make_protocol("arena", _dataset(12))
    assert [fold.name for fold in protocol.choose(("3", "0"))] == ["0", "3"]
    with pytest.raises(DataError, match=r"fold 12: found no such fold, expected some of 0, 1, 2"):
        protocol.choose(("12",))


@pytest.mark.parametrize(
    ("text", "labels"),
    [("sit, walk", ("sit", "walk")), ("1-2", ("walk", "sit")), ("3,3d,1", ("3d", "walk")), ("2", ("sit",))],
)
def test_labels_are_names_or_numbers(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(text, NAMES) == labels


@pytest.mark.parametrize("text", ["", "fly", "0", "2-4", "3-1", "walk,"])
def test_parse_labels_refuses(text: str) -> None:
    with pytest.raises(DataError, match="or numbers from 1 to 3"):
        parse_labels(text, NAMES)


def test_protocol_is_plain_json() -> None:
    content = make_protocol("official", _dataset(4, ("2",))).to_dict()
    assert content["folds"] == [{"name": "test", "test_subjects": ["2"]}]
    assert content.keys() == {field.name for field in dataclasses.fields(FoldProtocol)}


@pytest.mark.real_data
def test_protocols_of_the_real_datasets(real_file) -> None:
    hapt = load_dataset(real_file("hapt.npz"))
    assert len(make_protocol("arena", hapt).folds) == 10
    official = make_protocol("official", hapt, labels=parse_labels("1-6", hapt.label_names))
    assert official.folds[0].test_subjects == ("2", "4", "9", "10", "12", "13", "18", "20", "24")
    assert official.labels[0] == "walking"
    assert official.labels[-1] == "laying"
