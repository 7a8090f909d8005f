"""Which windows stand for a pair of confused classes, from predictions written here by hand."""

from math import isnan

import numpy as np
from hypothesis import given, strategies as st

from deseptr.data import Dataset, Recording, cut_windows
from deseptr.evaluate.confused_windows import EXAMPLES, Origin, confused_windows, share_out, spread


def logits(*probabilities: tuple[float, ...]) -> np.ndarray:
    return np.log(np.array(probabilities))


def test_pairs_have_their_counts_the_largest_first():
    labels = np.array([0, 0, 0, 1, 1, 2])
    predicted = logits(
        (0.9, 0.05, 0.05),
        (0.2, 0.7, 0.1),
        (0.1, 0.1, 0.8),
        (0.6, 0.3, 0.1),
        (0.5, 0.4, 0.1),
        (0.1, 0.1, 0.8),
    )
    found = confused_windows(labels, predicted, np.array(["ada", "ada", "eve", "ada", "eve", "eve"]))
    assert [(pair.true, pair.given, pair.windows, pair.wearers) for pair in found.pairs] == [
        (1, 0, 2, 2),
        (0, 1, 1, 1),
        (0, 2, 1, 1),
    ]
    (first, second) = found.pairs[0].examples
    assert (first.subject, round(first.given, 6), round(first.true, 6)) == ("ada", 0.6, 0.3)
    assert (second.subject, round(second.given, 6), round(second.true, 6)) == ("eve", 0.5, 0.4)
    assert (first.trial, first.start_s, first.signals) == (None, None, None)
    assert (found.window_s, found.channels) == (0.0, ())


def test_nothing_is_confused_by_a_model_that_is_always_right():
    assert confused_windows(np.array([0, 1]), np.eye(2), np.array(["ada", "ada"])).pairs == ()
    assert confused_windows(np.empty(0, int), np.empty((0, 2)), np.empty(0, str)).pairs == ()


def test_a_model_of_one_class_confuses_nothing():
    assert confused_windows(np.array([0, 0]), np.zeros((2, 1)), np.array(["ada", "eve"])).pairs == ()


def test_logits_that_are_no_numbers_come_last():
    predicted = np.array([[np.nan, 0.0], [1.0, 0.0], [np.nan, np.nan]])
    (pair,) = confused_windows(np.array([1, 1, 1]), predicted, np.array(["ada", "eve", "bob"])).pairs
    assert (pair.true, pair.given, pair.windows) == (1, 0, 3)
    assert [each.subject for each in pair.examples] == ["eve", "ada", "bob"]
    assert isnan(pair.examples[1].given)


def test_each_wearer_has_a_window_before_any_has_a_second():
    confidence = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert spread(confidence, ["ada", "ada", "ada", "eve", "eve"]) == [0, 3, 1, 4, 2]
    assert spread([], []) == []


def test_no_pair_has_more_examples_than_its_share():
    assert share_out([9, 2, 1], each=6, limit=300) == [6, 2, 1]
    assert share_out([9, 2, 1], each=6, limit=4) == [2, 1, 1]
    assert share_out([9, 2, 1], each=6, limit=2) == [1, 1, 0]
    assert share_out([], each=6, limit=2) == []


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(0, 100))
def test_shares_use_up_the_limit_and_no_more(counts: list[int], limit: int):
    shares = share_out(sorted(counts, reverse=True), EXAMPLES, limit)
    assert sum(shares) == min(limit, sum(min(count, EXAMPLES) for count in counts))
    assert shares == sorted(shares, reverse=True)


def test_a_window_that_several_models_confuse_is_shown_once():
    labels, subjects = np.array([0, 0, 0, 0]), np.array(["ada", "ada", "ada", "ada"])
    predicted = logits((0.3, 0.7), (0.4, 0.6), (0.1, 0.9), (0.2, 0.8))
    (pair,) = confused_windows(labels, predicted, subjects, window=np.array([0, 1, 0, 1])).pairs
    assert pair.windows == 4
    assert [round(each.given, 6) for each in pair.examples] == [0.9, 0.8]


def test_examples_have_their_trial_time_and_signals():
    signals = np.arange(80 * 6, dtype=np.float32).reshape(80, 6)
    labels = np.repeat(np.array([0, 1], np.int16), 40)
    recordings = (
        Recording(signals, 20.0, "ada", labels, "first"),
        Recording(signals, 20.0, "eve", labels, "second", start_s=100.0),
    )
    dataset = Dataset(recordings, ("sit", "walk"))
    windows = cut_windows(dataset, window_length=20, hop_length=20, rate_hz=20.0, history=3)
    predicted = np.tile([1.0, 0.0], (len(windows), 1))
    found = confused_windows(windows.labels, predicted, windows.subjects, Origin(windows, dataset))
    (pair,) = found.pairs
    assert (pair.true, pair.given, pair.windows, pair.wearers) == (1, 0, 4, 2)
    assert [(each.subject, each.trial, each.start_s) for each in pair.examples] == [
        ("ada", "first", 2.0),
        ("eve", "second", 102.0),
        ("ada", "first", 3.0),
        ("eve", "second", 103.0),
    ]
    assert found.window_s == 1.0
    assert found.channels == dataset.channels
    # Without the samples before it.
    assert np.array_equal(pair.examples[1].signals, signals[40:60])


def test_the_limit_is_of_all_pairs_together():
    labels = np.array([0] * 5 + [1] * 3)
    predicted = np.eye(3)[[1, 1, 1, 1, 2, 0, 0, 2]]
    found = confused_windows(labels, predicted, np.array(["ada"] * 8), limit=5)
    assert [(pair.windows, len(pair.examples)) for pair in found.pairs] == [(4, 2), (2, 1), (1, 1), (1, 1)]
    assert found.crowded
    assert not confused_windows(labels, predicted, np.array(["ada"] * 8), limit=8).crowded
