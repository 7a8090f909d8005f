from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, edit_labels, parse_merge, parse_rename

NAMES = ("lie", "sit", "stand", "walk")


@pytest.fixture
def dataset(make_recording) -> Dataset:
    return Dataset((make_recording([0, 1, 2, 3, -1]), make_recording([3, 3, 0])), NAMES, name="d")


def _labels(dataset: Dataset) -> list[list[str | None]]:
    return [[dataset.label_names[i] if i >= 0 else None for i in r.labels] for r in dataset.recordings]


def test_merged_renamed_and_dropped_at_once(dataset: Dataset) -> None:
    edited = edit_labels(dataset, merge={"still": ("sit", "stand")}, rename={"walk": "lie", "lie": "walk"})
    assert edited.label_names == ("walk", "still", "lie")
    assert _labels(edited) == [["walk", "still", "still", "lie", None], ["lie", "lie", "walk"]]
    dropped = edit_labels(dataset, drop=("lie", "stand"))
    assert dropped.label_names == ("sit", "walk")
    assert _labels(dropped) == [[None, "sit", None, "walk", None], ["walk", "walk", None]]


def test_a_merged_label_may_keep_the_name_of_one_of_them(dataset: Dataset) -> None:
    assert edit_labels(dataset, merge={"sit": ("sit", "stand")}).label_names == ("lie", "sit", "walk")


def test_signals_subjects_and_oddities_stay(dataset: Dataset) -> None:
    edited = edit_labels(dataset, drop=("lie",))
    for old, new in zip(dataset.recordings, edited.recordings, strict=True):
        assert np.array_equal(old.signals, new.signals)
        assert (old.subject, old.name, old.rate_hz) == (new.subject, new.name, new.rate_hz)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"drop": ["run"]}, "d: label run: found no such label, expected some of lie, sit, stand, walk"),
        ({"drop": ["sit"], "rename": {"sit": "s"}}, "d: label sit: found named twice"),
        ({"rename": {"sit": "walk"}}, "d: label walk: found a new name that another label has"),
        ({"merge": {"walk": ["sit", "stand"]}}, "d: label walk: found a new name that another label has"),
        ({"merge": {"x": ["sit"]}, "rename": {"lie": "x"}}, "d: label x: found a new name that another label has"),
        ({"rename": {"sit": "unlabelled"}}, "d: label unlabelled: found a new name that means no label"),
    ],
)
def test_edits_that_cannot_be_meant_are_refused(dataset: Dataset, edits: dict, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        edit_labels(dataset, **edits)


@given(data=st.data())
def test_every_sample_gets_what_its_label_became(data: st.DataObject) -> None:
    from deseptr.data import Recording

    labels = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=1, max_size=20)), np.int16)
    whole = Dataset((Recording(np.zeros((len(labels), 6)), 50.0, "1", labels),), NAMES)
    becomes = data.draw(st.fixed_dictionaries({name: st.sampled_from([name, None, "a", "b"]) for name in NAMES}))
    merge = {new: [old for old in NAMES if becomes[old] == new] for new in ("a", "b")}
    edited = edit_labels(
        whole, merge={n: o for n, o in merge.items() if o}, drop=[n for n in NAMES if becomes[n] is None]
    )
    assert _labels(edited) == [[becomes[NAMES[i]] if i >= 0 else None for i in labels]]
    assert set(edited.label_names) == {new for new in becomes.values() if new}


def test_lists_as_people_write_them() -> None:
    assert parse_merge("still=2-3, move=walk + 1", NAMES) == {"still": ("sit", "stand"), "move": ("walk", "lie")}
    assert parse_rename("a = b,c=d") == {"a": "b", "c": "d"}


@pytest.mark.parametrize("text", ["", "a", "=b", "a=", "a=b,", "a=b,a=c"])
def test_other_lists_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="correct the list"):
        parse_rename(text)


def test_unknown_labels_of_a_merge_are_named() -> None:
    with pytest.raises(DataError, match="the entry 'run'"):
        parse_merge("move=walk+run", NAMES)
