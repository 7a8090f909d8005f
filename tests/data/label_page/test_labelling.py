"""Labels survive the way from a dataset through a browser's JSON and back; nothing else is taken for labels."""

import json
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording
from deseptr.data.label_page import Labelling
from deseptr.data.recording import Segment

NAMES = ("walking", '<b>still</b> & "so"', "Treppe aufwärts")


def dataset(labels: list[list[int]], names: tuple[str, ...] = NAMES) -> Dataset:
    recordings = tuple(
        Recording(np.ones((len(each), 6)), 50.0, "ada", np.array(each, np.int16), str(number))
        for number, each in enumerate(labels, 1)
    )
    return Dataset(recordings, names)


def named(data: Dataset) -> list[list[str | None]]:
    names = (*data.label_names, None)
    return [[names[label] for label in recording.labels.tolist()] for recording in data.recordings]


LABELS = st.lists(st.lists(st.integers(-1, 2), min_size=1, max_size=40), min_size=1, max_size=3)


@given(LABELS)
def test_labels_survive_the_browser(labels: list[list[int]]):
    before = dataset(labels)
    text = json.dumps(Labelling.of(before).to_json())
    received = Labelling.from_json(json.loads(text), [len(each) for each in labels])
    bare = replace(
        before, recordings=tuple(replace(r, labels=np.full(len(r), -1)) for r in before.recordings), label_names=()
    )
    assert named(received.apply(bare)) == named(before)


@given(LABELS)
def test_runs_and_samples_without_a_label_are_counted(labels: list[list[int]]):
    labelling = Labelling.of(dataset(labels))
    assert labelling.runs() == sum(1 for each in labels for label, _ in groupby(each) if label >= 0)
    assert labelling.unlabelled([len(each) for each in labels]) == [each.count(-1) for each in labels]


@given(LABELS)
def test_only_used_names_are_written_in_their_order(labels: list[list[int]]):
    after = Labelling.of(dataset(labels)).apply(dataset(labels))
    used = {label for each in labels for label in each} - {-1}
    assert after.label_names == tuple(NAMES[label] for label in sorted(used))


@st.composite
def rows(draw: st.DrawFn) -> list[list[int]]:
    """Any three numbers a row; sometimes in order, often not."""
    number = st.integers(-2, 22)
    return draw(st.lists(st.tuples(number, number, st.integers(-1, 3)).map(list), max_size=4))


@given(rows())
def test_only_segments_in_order_within_the_recording_are_taken(content: list[list[int]]):
    edges = [edge for start, stop, _ in content for edge in (start, stop)]
    good = edges == sorted(edges) and all(0 <= start < stop <= 20 and 0 <= label < 3 for start, stop, label in content)
    sent = {"names": list(NAMES), "segments": [content]}
    if good:
        assert Labelling.from_json(sent, [20]).segments == (tuple(Segment(*row) for row in content),)
    else:
        with pytest.raises(DataError, match="reload the page"):
            Labelling.from_json(sent, [20])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no segments"),
        ([], "no segments"),
        ({"names": []}, "no segments"),
        ({"names": [], "segments": [[], []]}, "segments of 2 recordings"),
        ({"names": "walking", "segments": [[]]}, "no list of names"),
        ({"names": ["x"] * 1001, "segments": [[]]}, "no list of names"),
        ({"names": ["a", "a"], "segments": [[]]}, "a name twice"),
        ({"names": [""], "segments": [[]]}, "the name ''"),
        ({"names": ["  "], "segments": [[]]}, "the name '  '"),
        ({"names": ["x" * 101], "segments": [[]]}, "the name 'xxx"),
        ({"names": ["a\x1b[31m"], "segments": [[]]}, "the name"),
        ({"names": ["a\u200bb"], "segments": [[]]}, "the name"),
        ({"names": ["Unlabelled"], "segments": [[]]}, "the name 'Unlabelled'"),
        ({"names": [7], "segments": [[]]}, "the name 7"),
        ({"names": ["a"], "segments": ["ab"]}, "'ab'"),
        ({"names": ["a"], "segments": [[[0, 5]]]}, "[0, 5]"),
        ({"names": ["a"], "segments": [[[0, True, 0]]]}, "[0, True, 0]"),
        ({"names": ["a"], "segments": [[[0, 5.0, 0]]]}, "[0, 5.0, 0]"),
        ({"names": ["a"], "segments": [[[0, 1e99, 0]]]}, "1e+99"),
    ],
)
def test_anything_else_is_refused(content: Any, found: str):
    with pytest.raises(DataError) as refused:
        Labelling.from_json(content, [20])
    assert found in refused.value.found
