import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import lfilter

from deseptr.contract import SetupError
from deseptr.device.label.tracker import UNKNOWN, DecisionConfig, LabelTracker, share_of_newest

LABELS = ("sitting", "standing", "walking", "running")
HOP_S = 1.28
PLAIN = {"smoothing": "none", "threshold": 0.0, "margin": 0.0, "dwell_s": 0.0}

configs = st.builds(
    DecisionConfig,
    smoothing=st.sampled_from(["none", "exponential", "majority"]),
    horizon_s=st.floats(0.1, 30),
    threshold=st.floats(0, 1),
    margin=st.floats(0, 1),
    dwell_s=st.floats(0, 20),
)
weights = arrays(np.int64, st.tuples(st.integers(1, 60), st.just(4)), elements=st.integers(1, 1000))


def probabilities_of(weights):
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def track(config, rows, labels=LABELS, hop_s=HOP_S, gaps=()):
    tracker = LabelTracker(labels, config, hop_s)
    decisions = []
    for number, row in enumerate(rows):
        if number in gaps:
            tracker.gap()
        decisions.append(tracker.update(number * hop_s, row))
    return decisions


def one_hot(*numbers):
    return np.eye(len(LABELS), dtype=np.float32)[list(numbers)]


@given(configs, weights, st.sets(st.integers(0, 59)))
def test_each_decision_continues_the_previous_one(config, weights, gaps):
    decisions = track(config, probabilities_of(weights), gaps=gaps)
    assert [v.previous for v in decisions] == [None, *(v.label for v in decisions[:-1])]
    assert all(v.changed == (v.label != v.previous) for v in decisions)
    assert decisions[0].changed
    assert all(0 <= v.confidence <= 1 + 1e-6 for v in decisions)


@given(configs, weights, st.sets(st.integers(0, 59)))
def test_never_two_changes_within_the_dwell(config, weights, gaps):
    decisions = track(config, probabilities_of(weights), gaps=gaps)
    times = [number * HOP_S for number, decision in enumerate(decisions) if decision.changed]
    assert all(later - earlier >= config.dwell_s for earlier, later in pairwise(times))


@given(configs, weights, st.integers(0, 3))
def test_a_certain_class_becomes_the_label_in_bounded_time(config, weights, number):
    assume(config.margin <= 0.99)
    assume(config.threshold <= 0.99)
    start = probabilities_of(weights)
    # The low-pass is at most e^(-n hop/horizon) from its goal, and a class must come 0.005 near it; a majority forgets
    # everything after its horizon.
    windows = math.ceil((6 * config.horizon_s + config.dwell_s) / HOP_S) + 2
    decisions = track(config, np.concatenate([start, one_hot(*[number] * windows)]))
    assert decisions[-1].label == LABELS[number]


@given(
    configs.filter(lambda config: config.smoothing != "majority"),  # Votes can be even: then the first class wins.
    st.lists(st.lists(st.integers(1, 1000), min_size=4, max_size=4, unique=True), min_size=1, max_size=60),
    st.permutations(range(4)),
)
def test_result_does_not_depend_on_the_order_of_classes(config, rows, order):
    rows = probabilities_of(np.array(rows))
    here = track(config, rows)
    there = track(config, rows[:, order], tuple(LABELS[number] for number in order))
    assert [(v.label, v.confidence) for v in here] == [(v.label, v.confidence) for v in there]


@given(configs, weights, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_result_does_not_depend_on_the_unit_of_time(config, weights, factor):
    scaled = DecisionConfig(
        config.smoothing, config.horizon_s * factor, config.threshold, config.margin, config.dwell_s * factor
    )
    rows = probabilities_of(weights)
    assert track(config, rows) == track(scaled, rows, hop_s=HOP_S * factor)


@given(weights, st.floats(0, 1), st.floats(0, 1))
def test_unknown_if_and_only_if_no_class_reaches_the_threshold(weights, threshold, margin):
    rows = probabilities_of(weights)
    decisions = track(DecisionConfig("none", threshold=threshold, margin=margin, dwell_s=0), rows)
    for row, decision in zip(rows, decisions, strict=True):
        assert (decision.label == UNKNOWN) == (row.max() < threshold)


@given(weights)
def test_without_any_rule_the_label_is_the_most_probable_class(weights):
    rows = probabilities_of(weights)
    decisions = track(DecisionConfig(**PLAIN), rows)
    for row, decision in zip(rows, decisions, strict=True):
        assert row[LABELS.index(decision.label)] == row.max()
        assert decision.confidence == row.max()


@given(weights, st.floats(0.1, 30))
def test_exponential_smoothing_is_the_first_order_filter(weights, horizon_s):
    rows = probabilities_of(weights)
    config = DecisionConfig(**PLAIN | {"smoothing": "exponential", "horizon_s": horizon_s})
    share = 1 - math.exp(-HOP_S / horizon_s)
    first = rows[0].astype(float)
    expected, _ = lfilter([share], [1, share - 1], rows.astype(float), axis=0, zi=(1 - share) * first[None])
    decisions = track(config, rows)
    assert [v.confidence for v in decisions] == pytest.approx(
        [row[LABELS.index(v.label)] for row, v in zip(expected, decisions, strict=True)], abs=1e-9
    )
    assert [v.confidence for v in decisions] == pytest.approx(expected.max(1).tolist(), abs=1e-9)


def test_share_of_the_newest():
    assert share_of_newest(1.0, math.log(2)) == pytest.approx(0.5)
    assert share_of_newest(1e12, 1.0) == pytest.approx(1e-12, rel=1e-6)


@given(st.integers(0, 3), st.integers(1, 30), st.floats(0.1, 30))
def test_majority_of_a_constant_is_certain(number, windows, horizon_s):
    decisions = track(DecisionConfig("majority", horizon_s), one_hot(*[number] * windows))
    assert {(v.label, v.confidence) for v in decisions} == {(LABELS[number], 1.0)}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 20))
@example([0] * 5 + [1] * 3, 5)
def test_majority_is_the_share_of_the_latest_votes(votes, windows):
    config = DecisionConfig(**PLAIN | {"smoothing": "majority", "horizon_s": windows * HOP_S})
    for number, decision in enumerate(track(config, one_hot(*votes))):
        latest = votes[max(0, number + 1 - windows) : number + 1]
        assert decision.confidence == pytest.approx(latest.count(LABELS.index(decision.label)) / len(latest))
        assert decision.confidence == pytest.approx(max(map(latest.count, latest)) / len(latest))


@given(configs, weights, weights)
def test_no_average_spans_a_gap(config, before, after):
    before, after = probabilities_of(before), probabilities_of(after)
    config = DecisionConfig(config.smoothing, config.horizon_s, threshold=0, margin=0, dwell_s=0)
    with_past = track(config, np.concatenate([before, after]), gaps={len(before)})[len(before) :]
    fresh = track(config, after)
    # Of equal classes the one that is the label stays, so that only the probabilities must agree.
    assert [v.confidence for v in with_past] == [v.confidence for v in fresh]


def test_label_outlives_a_gap_until_decided_otherwise():
    config = DecisionConfig("none", threshold=0.6, margin=0.2, dwell_s=10)
    tracker = LabelTracker(LABELS, config, HOP_S)
    tracker.update(0, one_hot(2)[0])
    tracker.gap()
    decision = tracker.update(5, one_hot(0)[0])
    assert (decision.label, decision.changed) == ("walking", False)
    assert tracker.update(10, one_hot(0)[0]).label == "sitting"


def test_challenger_must_lead_by_the_margin():
    rows = np.array([[0.6, 0.4, 0, 0], [0.45, 0.55, 0, 0], [0.4, 0.6, 0, 0], [0.39, 0.61, 0, 0]], np.float32)
    decisions = track(DecisionConfig("none", threshold=0.5, margin=0.21, dwell_s=0), rows)
    assert [v.label for v in decisions] == ["sitting", "sitting", "sitting", "standing"]
    assert decisions[1].confidence == pytest.approx(0.45)


def test_reset_forgets_label_time_and_memory():
    tracker = LabelTracker(LABELS, DecisionConfig("majority"), HOP_S)
    for number, row in enumerate(one_hot(0, 0, 1)):
        tracker.update(100 + number, row)
    tracker.reset()
    decision = tracker.update(0, one_hot(3)[0])
    assert (decision.label, decision.previous, decision.confidence) == ("running", None, 1.0)


def test_a_class_named_unknown_is_the_unknown():
    decisions = track(
        DecisionConfig("none", threshold=0.9, margin=0, dwell_s=0),
        np.array([[0.95, 0.05], [0.6, 0.4], [0.05, 0.95]], np.float32),
        (UNKNOWN, "walking"),
    )
    assert [(v.label, v.changed) for v in decisions] == [(UNKNOWN, True), (UNKNOWN, False), ("walking", True)]


@given(configs, weights, st.sets(st.integers(0, 59)))
def test_a_window_without_a_label_makes_it_unknown_at_once_and_leaves_nothing_behind(config, weights, refused):
    rows = probabilities_of(weights)
    tracker = LabelTracker(LABELS, config, HOP_S)
    fresh = LabelTracker(LABELS, config, HOP_S)
    for number, row in enumerate(rows):
        decision = tracker.update(number * HOP_S, row, "implausible: stuck" if number in refused else None)
        if number in refused:
            assert (decision.label, decision.reason) == (UNKNOWN, "implausible: stuck")
            fresh = LabelTracker(LABELS, config, HOP_S)
            continue
        expected = fresh.update(number * HOP_S, row)
        assert (decision.label, decision.confidence, decision.reason) == (
            expected.label,
            expected.confidence,
            expected.reason,
        )
        assert (decision.reason is None) == (decision.label != UNKNOWN)


def test_reasons_of_unknown():
    tracker = LabelTracker(LABELS, DecisionConfig("none", threshold=0.9, margin=0, dwell_s=0), HOP_S)
    even = np.full(4, 0.25, np.float32)
    steps = [(even, None), (even, "implausible: stuck"), (even, None), (one_hot(2)[0], None)]
    decisions = [tracker.update(number, row, why) for number, (row, why) in enumerate(steps)]
    assert [(v.label, v.reason) for v in decisions] == [
        (UNKNOWN, "undecided"),
        (UNKNOWN, "implausible: stuck"),
        (UNKNOWN, "undecided"),
        ("walking", None),
    ]
    assert [v.changed for v in decisions] == [True, False, False, True]


def test_a_class_named_unknown_has_no_reason():
    tracker = LabelTracker((UNKNOWN, "walking"), DecisionConfig("none", threshold=0.9, margin=0, dwell_s=0), HOP_S)
    rows = np.array([[0.95, 0.05], [0.4, 0.6]], np.float32)
    assert [tracker.update(number, row).reason for number, row in enumerate(rows)] == [None, "undecided"]


def test_defaults_ignore_one_deviating_window_and_follow_two():
    calm, odd = [0.05, 0.05, 0.85, 0.05], [0.9, 0.03, 0.04, 0.03]
    decisions = track(DecisionConfig(), np.array([calm] * 6 + [odd] + [calm] * 6 + [odd] * 3, np.float32))
    assert [v.label for v in decisions] == ["walking"] * 14 + ["sitting"] * 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("smoothing", "median"),
        ("horizon_s", 0.0),
        ("horizon_s", math.inf),
        ("horizon_s", math.nan),
        ("threshold", 1.01),
        ("threshold", math.nan),
        ("margin", -0.1),
        ("dwell_s", -1.0),
    ],
)
def test_bad_config_is_refused(option, value):
    with pytest.raises(SetupError, match=f"^{option}: found {value}, expected "):
        DecisionConfig(**{option: value})


def test_the_first_window_after_implausible_ones_decides_as_the_first_of_a_run():
    undecided, sure = np.full(4, 0.25, np.float32), np.array([0.97, 0.01, 0.01, 0.01], np.float32)
    tracker = LabelTracker(LABELS, DecisionConfig("none", threshold=0.4, dwell_s=2.0), 1.0)
    windows = [(sure, None), (sure, "implausible: stuck"), (undecided, None), (sure, None), (sure, None)]
    decisions = [tracker.update(float(t), row, why) for t, (row, why) in enumerate(windows)]
    assert [(each.label, each.reason) for each in decisions[1:]] == [
        (UNKNOWN, "implausible: stuck"), (UNKNOWN, "undecided"), (UNKNOWN, "undecided"), (LABELS[0], None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("horizon_s", 3601), ("horizon_s", 1e300), ("horizon_s", 0), ("dwell_s", 86_401), ("dwell_s", -1)],
)
def test_times_beyond_their_limits_are_refused(name, value):
    with pytest.raises(SetupError, match=f"{name}: found "):
        DecisionConfig("majority", **{name: value})
    assert DecisionConfig("majority", horizon_s=3600, dwell_s=86_400).horizon_s == 3600


WITH_NEW = (*LABELS, "cycling")


def certain(number: int, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[number]


def test_other_labels_decide_anew_and_remember_what_was_shown():
    tracker = LabelTracker(LABELS, DecisionConfig(), hop_s=1.0)
    tracker.update(0.0, certain(1, len(LABELS)))
    tracker.relabel(WITH_NEW, DecisionConfig())
    # Neither dwell nor an average of the labels before holds it back.
    found = tracker.update(1.0, certain(len(LABELS), len(WITH_NEW)))
    assert (found.label, found.previous, found.changed) == ("cycling", LABELS[1], True)
    tracker.relabel(LABELS, DecisionConfig())
    found = tracker.update(2.0, certain(0, len(LABELS)))
    assert (found.label, found.previous, found.changed) == (LABELS[0], "cycling", True)


def test_the_same_label_under_other_labels_is_no_change():
    tracker = LabelTracker(LABELS, DecisionConfig(), hop_s=1.0)
    tracker.update(0.0, certain(1, len(LABELS)))
    tracker.relabel(WITH_NEW, DecisionConfig())
    assert not tracker.update(1.0, certain(1, len(WITH_NEW))).changed


def test_unknown_stays_unknown_under_other_labels():
    tracker = LabelTracker(LABELS, DecisionConfig(), hop_s=1.0)
    tracker.update(0.0, certain(1, len(LABELS)), "implausible: stuck")
    tracker.relabel(WITH_NEW, DecisionConfig())
    found = tracker.update(1.0, certain(1, len(WITH_NEW)), "implausible: stuck")
    assert (found.label, found.changed) == ("unknown", False)
