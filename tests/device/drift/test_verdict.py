from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DriftHistogram
from deseptr.device import DriftEvent, DriftSummary
from deseptr.device.drift.divergence import expected_shares, stability_index
from deseptr.device.drift.verdict import judge, limit_of

WALKING = [0, 0, 0, 0, 0, 0, 0, 5, 5, 40, 40, 10]
SITTING = [0, 0, 0, 10, 20, 40, 30, 0, 0, 0, 0, 0]


def day(sitting, walking, confidence=None, distance=None, **fields):
    """A day that is as the reference, but for what is said."""
    windows = sitting + walking
    usual = [sitting * a // 100 + walking * b // 100 for a, b in zip(SITTING, WALKING, strict=True)]
    histograms = {"confidence": confidence or usual, "distance": distance or [windows // 10] * 10}
    made = DriftSummary(windows, 1.28 * windows, labels=Counter(sitting=sitting, walking=walking))
    made.histograms, made.confidence = histograms, 0.9 * windows
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_day_like_the_reference_is_as_in_training(contract):
    verdict = judge(day(500, 500), contract)
    assert str(verdict) == "as in training"
    assert max(verdict.indices.values()) < 0.01
    assert verdict.limits == {"confidence": 0.3, "distance": 0.3}


def test_another_mix_of_activities_is_no_drift(contract):
    """Sitting is found with less confidence, so that a day of sitting has less: that is expected of it."""
    verdict = judge(day(900, 100), contract)
    assert verdict.word == "as in training"
    assert str(verdict) == "as in training: other activities: sitting 90%, in training 50%"
    assert verdict.indices["labels"] > 0.25


def test_lower_confidence_is_told(contract):
    low = [0, 0, 100, 100, 300, 300, 200, 0, 0, 0, 0, 0]
    verdict = judge(day(500, 500, confidence=low), contract)
    assert str(verdict) == "differs from training: confidence lower (100% below 0.95, expected 50%)"
    assert verdict.indices["confidence"] > verdict.limits["confidence"]


@pytest.mark.parametrize(
    ("distance", "finding"),
    [([20] * 8 + [320, 520], "embeddings farther"), ([520, 320] + [20] * 8, "embeddings nearer")],
)
def test_other_distances_are_told(contract, distance, finding):
    assert judge(day(500, 500, distance=distance), contract).findings == (finding,)


@pytest.mark.parametrize(("gravity", "findings"), [(10.78, ("gravity 10.78 m/s² (+10%)",)), (10.1, ())])
def test_gravity_of_still_windows_is_compared(contract, gravity, findings):
    assert judge(day(500, 500, still=100, gravity=100 * gravity), contract).findings == findings
    assert judge(day(500, 500, still=5, gravity=5 * gravity), contract).findings == ()


def test_implausible_windows_are_told_with_their_share(contract):
    made = day(500, 500, windows=1250, implausible=250, unknown=Counter({"implausible: stuck": 250}))
    assert judge(made, contract).findings == ("20% implausible", "20% without a label")


def test_a_part_of_a_day_differs_only_by_its_verdict(contract):
    def differs(verdict):
        return DriftEvent(1.0, "2026-11-27", "r-3", "hour", DriftSummary(), verdict=verdict).differs

    assert not differs(None)
    assert not differs(judge(day(500, 500), contract))
    assert differs(judge(day(500, 500, distance=[20] * 8 + [320, 520]), contract))


def test_few_windows_get_no_verdict(contract):
    verdict = judge(day(100, 100, distance=[0] * 9 + [200]), contract)
    assert str(verdict) == "too few windows: 4.3 min of at least 6.4"


def test_windows_that_overlap_more_say_no_more(contract):
    """Half the hop gives twice the windows of the same minutes: the limit is that of the minutes."""
    usual, dense = day(500, 500), day(1000, 1000)
    dense.seconds = usual.seconds
    assert judge(dense, contract).limits == judge(usual, contract).limits
    few = day(300, 300)
    few.seconds = 300.0
    assert judge(few, contract).word == "too few windows"


@pytest.mark.parametrize("seconds", [0.0, 5e-324, 1e-9])
def test_windows_of_no_time_are_too_few(contract, seconds):
    """A log may say so, of hops below its last digit or of nothing."""
    assert judge(day(1, 1, seconds=seconds), contract).word == "too few windows"


def test_a_contract_without_a_reference_judges_nothing(contract):
    assert judge(day(500, 500), replace(contract, drift=None)) is None


def test_a_label_of_the_wearers_own_is_not_compared(contract):
    own = replace(contract, labels=(*contract.labels, "knitting"))
    made = day(500, 500)
    made.windows += 100
    made.labels["knitting"] = 100
    assert judge(made, own).word == "as in training"


def test_a_day_of_implausible_windows_alone(contract):
    made = DriftSummary(1000, 1280.0, implausible=1000, unknown=Counter({"implausible: stuck": 1000}))
    assert str(judge(made, contract)) == "differs from training: 100% implausible, 100% without a label"


def test_few_windows_of_many_have_a_wider_limit(contract):
    """Of 300 windows, 20 have a label that the reference knows: by chance, their index is above the limit of 300."""
    own = replace(contract, labels=(*contract.labels, "knitting"))
    made = day(300, 0, confidence=[0, 0, 0, 0, 4, 2, 14, 0, 0, 0, 0, 0], distance=[2] * 10)
    made.labels = Counter(sitting=20, knitting=280)
    verdict = judge(made, own)
    assert verdict.word == "as in training"
    assert verdict.indices["confidence"] > 0.5
    assert verdict.limits == {"confidence": 7.5, "distance": 7.5}


MIXED, SITTING_ALONE = (0.9, 0.5, 0.4), (3.6, 2.0, 1.6)
LIMITED = DriftHistogram(((1,), (1,)), MIXED, (SITTING_ALONE, MIXED))


@given(st.integers(300, 10**7), st.integers(0, 1000), st.integers(0, 1000))
def test_limits_are_between_those_of_the_sizes_and_of_the_mixes(windows, sitting, walking):
    mix = [sitting, walking]
    found = limit_of(LIMITED, windows, mix)
    assert 0.4 * (1 - 1e-9) <= found <= 3.6
    assert found >= limit_of(LIMITED, windows + 1000, mix)
    assert limit_of(LIMITED, windows, [sitting + 10, walking]) >= found * (1 - 1e-9)
    usual = limit_of(replace(LIMITED, alone=()), windows, mix)
    if sitting <= walking:
        assert found == pytest.approx(usual)
    elif sitting >= 4 * walking:
        assert found == pytest.approx(4 * usual)


def test_a_day_mostly_of_one_class_has_the_limits_of_that_class(contract):
    """As many windows, as far from the reference: of a mix it is drift, of sitting alone people are like that."""
    drift = contract.drift
    sitting = tuple(4 * each for each in drift.distance.limits)
    own = replace(drift, distance=replace(drift.distance, alone=(sitting, *[drift.distance.limits] * 2)))
    own = replace(contract, drift=own)
    farther, finding = [40] * 5 + [160] * 5, ("embeddings farther",)

    def findings(contract, sitting, score=True):
        made = day(sitting, 1000 - sitting, distance=farther)
        made.histograms |= {"score": [1000] + [0] * 9} if score else {}
        return judge(made, contract).findings

    assert findings(own, 500) == findings(own, 50) == findings(contract, 950) == finding
    assert findings(own, 950) == ()
    # What makes all one activity, such as a turned sensor, would not be found.
    assert findings(own, 950, score=False) == finding


shares = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)


@given(shares, st.integers(1, 10**6))
def test_the_index_is_never_negative_and_zero_of_the_same_shares(counts, windows):
    expected = [each / sum(counts) for each in counts]
    assert stability_index(counts, expected, sum(counts)) == pytest.approx(0, abs=1e-9)
    uniform = [1 / len(counts)] * len(counts)
    assert stability_index(counts, uniform, windows) >= 0


def test_the_index_is_that_of_its_formula():
    """Counts so large that half a window in each bin is nothing: (0.6 - 0.5) ln 1.2 + (0.4 - 0.5) ln 0.8."""
    assert stability_index([6 * 10**9, 4 * 10**9], [0.5, 0.5], 10**12) == pytest.approx(0.0405465, abs=1e-6)


def test_expected_shares_follow_the_mix():
    assert expected_shares([[3, 1], [0, 4], [0, 0]], [10, 30, 0]) == pytest.approx([0.1875, 0.8125])
    # A class without windows in the reference counts as all of them do.
    assert expected_shares([[3, 1], [0, 4], [0, 0]], [0, 0, 5]) == pytest.approx([0.375, 0.625])
    assert sum(expected_shares([[3, 1], [0, 4], [0, 0]], [1, 2, 3])) == pytest.approx(1)
