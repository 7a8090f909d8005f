import numpy as np
from hypothesis import given, strategies as st

from deseptr.evaluate.continuous.label_changes import LabelChanges, label_changes
from deseptr.evaluate.continuous.onsets import onsets
from deseptr.evaluate.continuous.track import NONE, Track, stretches

values = st.lists(st.integers(NONE, 2), min_size=1, max_size=40)


def track_of(truth: str, shown: str) -> Track:
    return Track("ada", *(np.array([".ABC".index(each) - 1 for each in text]) for text in (truth, shown)), 2.0)


def test_delays_by_hand():
    track = track_of("AAAA" + "BBBB" + "..CC" + "AAAA", ".AAA" + "AABB" + "BBAA" + "AAAA")
    delays = [(onset.value, onset.delay_s, onset.at_start) for onset in onsets(track)]
    # B is shown two frames of half a second late, C never, and the last A when it begins.
    assert delays == [(0, 0.5, True), (1, 1.0, False), (2, None, False), (0, 0.0, False)]
    assert [onset.value for onset in onsets(track, shortest_s=1.5)] == [0, 1, 0]
    assert [onset.value for onset in onsets(track, classes={2})] == [2]


def test_changes_by_hand():
    assert label_changes(track_of("AAAABBBB", "..AAAABB")) == LabelChanges(true=1, shown=1, spurious=0)
    # Wrong, then right once more.
    assert label_changes(track_of("AAAABBBB", "ACAABBBB")) == LabelChanges(true=1, shown=3, spurious=2)
    # Unknown for a while counts as a label of its own.
    assert label_changes(track_of("AAAAAAAA", "AA..AAAA")) == LabelChanges(true=0, shown=2, spurious=2)
    # Early, but the first to show what comes.
    assert label_changes(track_of("AAAABBBB", "AAABBBBB")) == LabelChanges(true=1, shown=1, spurious=0)
    # In what is unlabelled nobody can tell.
    assert label_changes(track_of("AA....BB", "AACCAABB")) == LabelChanges(true=1, shown=3, spurious=0)


@given(values, values, st.integers(0, 39))
def test_a_cut_at_a_border_of_the_truth_changes_no_delay(truth: list[int], shown: list[int], chosen: int):
    length = min(len(truth), len(shown))
    track = Track("ada", np.array(truth[:length]), np.array(shown[:length]), 50.0)
    borders = [each.start for each in stretches(track.truth)][1:]
    if not borders:
        return
    parts = track.cut(borders[chosen % len(borders)])
    cut = [(onset.value, onset.duration_s, onset.delay_s) for part in parts for onset in onsets(part)]
    assert cut == [(onset.value, onset.duration_s, onset.delay_s) for onset in onsets(track)]


@given(values, values)
def test_spurious_changes_are_changes(truth: list[int], shown: list[int]):
    length = min(len(truth), len(shown))
    track = Track("ada", np.array(truth[:length]), np.array(shown[:length]), 50.0)
    changes = label_changes(track)
    assert 0 <= changes.spurious <= changes.shown <= int((np.diff(track.shown) != 0).sum())
    perfect = label_changes(Track("ada", track.truth, track.truth, 50.0))
    assert perfect.spurious == 0
