import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.evaluate.continuous.segment_errors import KINDS, segment_errors
from deseptr.evaluate.continuous.track import NONE, Track

# Frames are drawn as stretches, so that all kinds of errors come up.
values = st.lists(st.tuples(st.integers(NONE, 2), st.integers(1, 4)), min_size=1, max_size=12)


def drawn(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.concatenate([np.full(length, value) for value, length in pairs])


def track_of(truth: list[tuple[int, int]], shown: list[tuple[int, int]]) -> Track:
    true, seen = drawn(truth), drawn(shown)
    length = min(len(true), len(seen))
    return Track("ada", true[:length], seen[:length], 50.0)


def masked(length: int, *events: tuple[int, int]) -> np.ndarray:
    frames = np.ones(length, int)
    for start, stop in events:
        frames[start:stop] = 0
    return frames


def test_example_of_an_open_implementation():
    # Example 1 of ward-metrics (P. Hevesi), frames 2 to 241; armetrics 0.1.14 gives the same numbers for it.
    truth = masked(241, (40, 60), (73, 75), (90, 100), (125, 135), (150, 157), (190, 215))
    shown = masked(241, (10, 20), (45, 52), (70, 80), (120, 180), (195, 200), (207, 213))
    errors = segment_errors(Track("ada", truth[2:], shown[2:], 1.0), classes=2)
    assert dict(zip(KINDS, errors.frames[0].tolist(), strict=True)) == {
        "true_positive": 37,
        "true_negative": 104,
        "deletion": 10,
        "fragmentation": 7,
        "start_underfill": 10,
        "end_underfill": 10,
        "insertion": 10,
        "merge": 15,
        "start_overfill": 8,
        "end_overfill": 28,
    }
    stretches = dict(zip(KINDS, errors.stretches[0].tolist(), strict=True))
    assert (stretches["true_positive"], stretches["merge"], stretches["end_overfill"]) == (6, 1, 2)


@pytest.mark.parametrize(
    ("truth", "shown", "kinds"),
    [
        ("AAAABBBB", "AAAAAABB", {"start_underfill": 2, "end_overfill": 2}),
        ("AAAABBBB", "AABBBBBB", {"end_underfill": 2, "start_overfill": 2}),
        ("AAAAAAAA", "AAABBAAA", {"fragmentation": 2, "insertion": 2}),
        ("AABAAAAA", "AAAAAAAA", {"deletion": 1, "merge": 1}),
        ("AAAABBBB", "CCCCBBBB", {"deletion": 4, "insertion": 4}),
        ("AAAA", "AA..", {"end_underfill": 2}),
        # What is unlabelled is left out: the label goes on over it.
        ("AA..BB", "AAAAAB", {"start_underfill": 1, "end_overfill": 1}),
    ],
)
def test_kinds_by_hand(truth: str, shown: str, kinds: dict[str, int]):
    frames = [np.array([".ABC".index(each) - 1 for each in text]) for text in (truth, shown)]
    errors = segment_errors(Track("ada", *frames, 50.0), classes=3)
    found = {**errors.by_truth(), **errors.by_label()}
    assert {kind: count for kind, count in found.items() if count and kind in KINDS} == kinds


@given(values, values)
def test_every_frame_is_of_one_kind(truth: list[tuple[int, int]], shown: list[tuple[int, int]]):
    track = track_of(truth, shown)
    errors = segment_errors(track, classes=3)
    assert sum(errors.by_truth().values()) == len(track)
    assert sum(errors.by_label().values()) == len(track)
    assert (errors.frames.sum(axis=1) == len(track) - errors.unlabelled).all()


@given(values, values)
def test_a_cut_where_truth_and_label_change_changes_no_kind(truth: list[tuple[int, int]], shown: list[tuple[int, int]]):
    track = track_of(truth, shown)
    whole = segment_errors(track, classes=3)
    both = (np.diff(track.truth) != 0) & (np.diff(track.shown) != 0)
    labelled = (track.truth[1:] != NONE) & (track.truth[:-1] != NONE)
    for frame in np.flatnonzero(both & labelled) + 1:
        first, second = (segment_errors(part, classes=3) for part in track.cut(int(frame)))
        together = first + second
        assert (together.frames == whole.frames).all()
        assert (together.by_truth(), together.by_label()) == (whole.by_truth(), whole.by_label())
        wrong = [KINDS.index(kind) for kind in KINDS if not kind.startswith("true")]
        assert (together.stretches[:, wrong] == whole.stretches[:, wrong]).all()
