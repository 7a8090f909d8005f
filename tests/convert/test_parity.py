import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

from deseptr.contract import DataError, Interval
from deseptr.convert.parity import Difference, Gate, Parity, compare, wilson_interval

LABELS = ("sit", "stand", "walk")
logits = arrays.arrays(np.float32, (12, 3), elements=st.floats(-8, 8, width=32))
truth = arrays.arrays(np.int64, 12, elements=st.integers(0, 2))
wearers = arrays.arrays(np.dtype("U1"), 12, elements=st.sampled_from("abc"))


def parity(ours: np.ndarray, theirs: np.ndarray, true: np.ndarray, subjects: np.ndarray, **options: Any) -> Parity:
    return compare("int8", ours, theirs, true, subjects, LABELS, **{"resamples": 50, **options})


def one_hot(classes: Any) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[np.asarray(classes)]


@given(logits, logits, truth, wearers)
def test_swapping_the_two_keeps_the_agreement_and_turns_the_differences(one: Any, other: Any, true: Any, subjects: Any):
    there, back = parity(one, other, true, subjects), parity(other, one, true, subjects)
    assert (there.agreement, there.agreement_interval) == (back.agreement, back.agreement_interval)
    assert there.error == back.error
    assert (there.scores.confusion == back.reference.confusion).all()
    for name in ("accuracy", "macro_f1"):
        ours, theirs = getattr(there, name), getattr(back, name)
        assert ours.value == pytest.approx(-theirs.value)
        assert ours.interval[:2] == pytest.approx([-theirs.interval.high, -theirs.interval.low])


@given(logits, truth, wearers)
def test_equal_logits_differ_in_nothing(one: Any, true: Any, subjects: Any):
    result = parity(one, one, true, subjects, lsb=0.25)
    assert (result.agreement, result.agreement_interval.high) == (1, 1)
    assert (result.error.maximum, result.error.mean, result.error.p99) == (0, 0, 0)
    for difference in (result.accuracy, result.macro_f1):
        assert difference.value == 0
        assert difference.interval is not None
        assert difference.interval[:2] == (0, 0)
    assert not Gate(1, 0).failures(result)


@given(logits, logits, truth, wearers)
def test_figures_are_those_of_plain_numpy(one: Any, other: Any, true: Any, subjects: Any):
    result = parity(one, other, true, subjects, lsb=0.5)
    ours, theirs = one.argmax(1), other.argmax(1)
    assert result.windows == 12
    assert result.agreement == np.mean(ours == theirs)
    assert result.accuracy.value == pytest.approx(np.mean(ours == true) - np.mean(theirs == true))
    steps = np.abs(one.astype(np.float64) - other) * 2
    assert result.error.maximum == pytest.approx(steps.max())
    assert result.error.mean == pytest.approx(steps.mean())
    assert result.error.p99 == pytest.approx(np.percentile(steps, 99))


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(drawn: tuple[int, int]):
    successes, trials = drawn
    low, high, level = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert (low < high, level) == (True, 0.95)
    turned = wilson_interval(trials - successes, trials)
    assert (turned.low, turned.high) == pytest.approx((1 - high, 1 - low))


def test_wilson_interval_is_that_of_the_books():
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263.
    assert wilson_interval(81, 263)[:2] == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # Of n windows that all agree, n / (n + z^2).
    assert wilson_interval(300, 300).low == pytest.approx(300 / (300 + 1.959964**2))


def test_wearers_are_resampled_together_and_one_alone_by_windows():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 300)
    # Three wearers of four are read without a fault; of the fourth half the windows are wrong.
    subjects = np.repeat(list("abcd"), 75)
    ours = np.where((subjects == "d") & (rng.random(300) < 0.5), (true + 1) % 3, true)
    several = parity(one_hot(ours), one_hot(true), true, subjects, resamples=2000)
    single = parity(one_hot(ours), one_hot(true), true, np.full(300, "a"), resamples=2000)
    assert (several.resampled, single.resampled) == ("subjects", "windows")
    assert several.accuracy.value == single.accuracy.value < 0
    assert several.accuracy.interval is not None
    assert single.accuracy.interval is not None
    widths = [i.high - i.low for i in (several.accuracy.interval, single.accuracy.interval)]
    assert widths[0] > 2 * widths[1]
    share = np.mean(ours == true)
    assert widths[1] == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 300), rel=0.1)


def test_a_single_window_has_no_interval():
    result = parity(one_hot([0]), one_hot([0]), np.array([0]), np.array(["a"]))
    assert (result.accuracy.interval, result.to_dict()["macro_f1_difference_interval"]) == (None, None)


@pytest.mark.parametrize(
    ("ours", "theirs", "subjects"),
    [(0, 0, 0), (4, 3, 3), (3, 4, 3), (3, 3, 4)],
    ids=["none", "more", "fewer", "wearer"],
)
def test_arrays_that_do_not_fit_are_refused(ours: int, theirs: int, subjects: int):
    with pytest.raises(DataError, match=r"^int8: found logits .*, expected .* compare on the same windows$"):
        parity(np.zeros((ours, 3)), np.zeros((theirs, 3)), np.zeros(min(ours, 3), int), np.zeros(subjects))


def test_dictionary_is_plain_json():
    true = np.array([0, 1, 2, 2])
    result = parity(one_hot([0, 1, 2, 1]), one_hot(true), true, np.array(list("aabb")), lsb=0.5)
    found = json.loads(json.dumps(result.to_dict()))
    assert found["scores"]["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert found["reference"]["accuracy"] == 1
    assert found["accuracy_difference"] == -0.25
    assert found["logit_error"] == {"lsb": 0.5, "max": 2.0, "mean": pytest.approx(1 / 3), "p99": 2.0}
    assert found["agreement_interval"][0] < 0.75 < found["agreement_interval"][1]


@pytest.fixture
def flawless() -> Parity:
    true = np.arange(200) % 3
    return parity(one_hot(true), one_hot(true), true, np.repeat(list("ab"), 100))


def test_gate_lets_pass_what_lies_on_its_edges(flawless: Parity):
    # 0.995 - 1 is a little below -0.005 in binary.
    edge = replace(flawless, agreement=0.99, accuracy=Difference(0.995 - 1, None), macro_f1=Difference(0.995 - 1, None))
    assert not Gate().failures(edge)
    assert Gate().failures(edge) == ()


def test_gate_names_found_and_expected(flawless: Parity):
    worse = replace(flawless, agreement=0.985, accuracy=Difference(-0.0075, None), macro_f1=Difference(-0.0051, None))
    assert Gate().failures(worse) == (
        "agreement with the reference: found 98.50% (197 of 200 windows), expected at least 99.00% (--agreement)",
        "accuracy: found 0.75 points below the reference, expected at most 0.50 (--loss)",
        "macro-F1: found 0.51 points below the reference, expected at most 0.50 (--loss)",
    )
    assert Gate().failures(worse)
    assert not Gate(0.98, 0.01).failures(worse)


def test_gate_takes_a_gain_and_no_nonsense(flawless: Parity):
    assert not Gate().failures(replace(flawless, accuracy=Difference(0.2, None)))
    assert Gate().failures(replace(flawless, macro_f1=Difference(float("nan"), None)))


def few(windows: int, differing: int) -> Parity:
    """Logits of three classes in turn, of two wearers; the candidate is certainly wrong on the last few windows."""
    true = np.arange(windows) % 3
    ours = np.where(np.arange(windows) < windows - differing, true, (true + 1) % 3)
    return parity(20 * one_hot(ours), 20 * one_hot(true), true, np.repeat(list("ab"), windows)[::2])


@given(st.integers(20, 50))
def test_of_few_windows_one_may_differ_and_two_may_not(windows: int):
    assert Gate().failures(few(windows, 0)) == ()
    assert Gate().failures(few(windows, 1)) == ()
    assert Gate().failures(few(windows, 2))[0].startswith("agreement with the reference: found 9")


@pytest.mark.parametrize(
    ("windows", "differing", "line"),
    [
        (20, 2, "found 90.00% (18 of 20 windows, 90.00% without its hesitation)"),
        (50, 2, "found 96.00% (48 of 50 windows, 96.00% without its hesitation)"),
        (199, 2, "found 98.99% (197 of 199 windows, 98.99% without its hesitation)"),
    ],
)
def test_refusal_of_few_windows_counts_them(windows: int, differing: int, line: str):
    assert Gate().failures(few(windows, differing)) == (
        f"agreement with the reference: {line}, expected at least 99.00% (--agreement)",
    )


def test_two_of_two_hundred_are_one_per_cent_and_pass():
    assert Gate().failures(few(200, 2)) == ()


def test_a_window_that_differs_may_cost_its_share_of_the_scores_and_no_more(flawless: Parity):
    thirty = few(30, 1)
    # 29 of 30 right, and F1 of 20/21, 18/19 and 1 for ten windows of each class.
    assert thirty.accuracy.value == pytest.approx(-1 / 30)
    assert thirty.macro_f1.value == pytest.approx((20 / 21 + 18 / 19 + 1) / 3 - 1)
    worse = replace(thirty, accuracy=Difference(-1.01 / 30, None), macro_f1=Difference(-1.01 * (2 / 20) / 3, None))
    assert Gate().failures(worse) == (
        "accuracy: found 3.37 points below the reference, expected at most 0.50 (--loss)",
        "macro-F1: found 3.37 points below the reference, expected at most 0.50 (--loss)",
    )


def nineteen(margin: float, flips: int, windows: int = 1080) -> Parity:
    """Logits of 19 classes; on each of ``flips`` windows the candidate has the reference's second class.

    The reference's logit of its own class is ``margin`` above the second and 8 above all others.
    """
    labels = tuple(f"class {i}" for i in range(19))
    expected = np.arange(windows) % 19
    second = (expected + 1) % 19
    rows = np.arange(windows)
    reference = np.zeros((windows, 19))
    reference[rows, second], reference[rows, expected] = 8 - margin, 8
    candidate = reference.copy()
    candidate[:flips, :] = np.eye(19)[second[:flips]] * 8
    # Half of the flips are right and half are wrong, so that the scores are equal.
    true = np.where(rows < flips // 2, second, expected)
    true[rows >= flips] = expected[rows >= flips]
    subjects = np.repeat(list("abcdefgh"), windows // 8)
    return compare("int8", candidate, reference, true, subjects, labels, resamples=200)


@pytest.mark.parametrize(("margin", "passes"), [(0.0, True), (0.05, True), (0.5, True), (4.0, False)])
def test_flips_count_by_how_far_the_reference_preferred_its_class(margin: float, passes: bool):
    result = nineteen(margin, flips=14)
    assert result.agreement == pytest.approx(1 - 14 / 1080)
    p = np.exp([8, 8 - margin, *[0] * 17])
    p /= p.sum()
    assert result.decisive_agreement == pytest.approx(1 - 14 / 1080 * (p[0] - p[1]))
    assert (Gate().failures(result) == ()) is passes


def test_refusal_says_how_much_is_hesitation_and_names_the_option():
    (reason,) = Gate().failures(nineteen(4.0, flips=14))
    assert reason == (
        "agreement with the reference: found 98.70% (1066 of 1080 windows, 98.76% without its hesitation), "
        "expected at least 99.00% (--agreement)"
    )


def test_ties_do_not_excuse_a_lost_score(flawless: Parity):
    lossy = replace(flawless, agreement=0.98, hesitation=0.02, accuracy=Difference(-0.02, Interval(-0.03, -0.01, 0.95)))
    (reason,) = Gate().failures(lossy)
    assert reason.startswith("accuracy: found 2.00 points below")


@pytest.mark.parametrize(
    ("loss", "high", "passes"),
    [(0.008, 0.001, True), (0.008, -0.001, False), (0.011, 0.02, False), (0.004, -0.01, True)],
)
def test_a_loss_counts_if_its_interval_excludes_none(loss: float, high: float, passes: bool, flawless: Parity):
    lossy = replace(flawless, accuracy=Difference(-loss, Interval(-2 * loss, high, 0.95)))
    assert (Gate().failures(lossy) == ()) is passes
