"""References of drift, and what the limits in them promise, on wearers that are drawn at random."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from deseptr.contract import CHANNELS, DataError, ModelContract
from deseptr.contract.drift_reference import CONFIDENCE_EDGES, SCORE_EDGES
from deseptr.data import load_dataset
from deseptr.device import DriftSummary
from deseptr.device.drift.verdict import judge
from deseptr.evaluate.drift_reference import find_drift_reference, reference_of, student_quantile
from deseptr.evaluate.observed_windows import Observed

CONTRACT = ModelContract(("sitting", "walking"), embedding_width=4)


@pytest.mark.parametrize("freedom", [2, 3, 5, 8, 20, 200])
def test_students_quantile_is_that_of_the_tables(freedom):
    assert student_quantile(0.95, freedom) == pytest.approx(scipy.stats.t.ppf(0.95, freedom), rel=0.01)


def wearer(rng, minutes=15, shift=0.0, spread=1.0):
    """A wearer whose windows of a minute are alike, who differs from others, and of whom something has changed."""
    person = rng.normal(0, 0.3, 4)
    block = np.repeat(np.arange(minutes), 47)
    label = np.repeat(rng.integers(0, 2, minutes), 47)
    minute = rng.normal(0, 0.5, (minutes, 4))[block]
    embedding = label[:, None] * 3.0 + person + shift + minute + rng.normal(0, spread, (len(block), 4))
    confidence = 1 / (1 + np.exp(-(3 + person[0] - shift + minute[:, 0] + rng.normal(0, 1, len(block)))))
    none = np.full(len(block), np.nan)
    return Observed(label, np.clip(confidence, 0.5, 1), none, embedding, np.full(len(block), 9.8), block)


def day_of(one, contract):
    """The summary that the device would make of a wearer's windows."""
    embedding = contract.drift.embedding
    away = np.sqrt(np.square(one.embedding / embedding.scale - embedding.table[one.label]).mean(axis=1))
    distance = (away[:, None] >= np.array(embedding.edges)[one.label]).sum(axis=1)
    windows = len(one.label)
    made = DriftSummary(windows, windows * contract.hop_s)
    made.labels = Counter(
        {contract.labels[each]: int((one.label == each).sum()) for each in range(len(contract.labels))}
    )
    made.histograms = {
        "confidence": np.bincount(np.searchsorted(CONFIDENCE_EDGES, one.confidence, "right"), minlength=12).tolist(),
        "distance": np.bincount(distance, minlength=10).tolist(),
    }
    if np.isfinite(one.score).any():
        made.histograms["score"] = np.bincount(np.searchsorted(SCORE_EDGES, one.score, "right"), minlength=10).tolist()
    still = np.isfinite(one.gravity)
    made.confidence, made.still, made.gravity = one.confidence.sum(), int(still.sum()), one.gravity[still].sum()
    return made


@pytest.fixture(scope="module")
def judged():
    from dataclasses import replace

    rng = np.random.default_rng(0)
    return replace(CONTRACT, drift=reference_of([wearer(rng) for _ in range(8)], CONTRACT))


def test_people_like_those_of_the_reference_seldom_differ(judged):
    """Two histograms, each with a limit that the next person exceeds one time in twenty."""
    rng = np.random.default_rng(7)
    words = Counter(judge(day_of(wearer(rng), judged), judged).word for _ in range(100))
    assert words["differs"] <= 15
    assert words["too few windows"] == 0


@pytest.mark.parametrize("change", [{"shift": 2.0}, {"spread": 2.5}])
def test_what_has_changed_is_found(judged, change):
    rng = np.random.default_rng(8)
    words = Counter(judge(day_of(wearer(rng, **change), judged), judged).word for _ in range(20))
    assert words["differs"] >= 18


def test_a_day_of_one_activity_alone_is_another_mix_and_no_drift(judged):
    rng = np.random.default_rng(9)
    words = Counter()
    for _ in range(20):
        one = wearer(rng, minutes=40)
        sitting = one.label == 0
        part = Observed(*(getattr(one, name)[sitting] for name in Observed.__dataclass_fields__))
        verdict = judge(day_of(part, judged), judged)
        words[verdict.word] += 1
        assert verdict.mix == "sitting 100%, in training 50%"
    assert words["differs"] <= 3


SIX = ModelContract(("sitting", "standing", "walking", "upstairs", "downstairs", "jogging"), embedding_width=4)


def of_six_activities(rng, minutes=30):
    """A wearer who does some activities like others and some unlike them, which in a day of all evens out."""
    block = np.repeat(np.arange(minutes), 47)
    label = np.repeat(np.arange(minutes) % 6, 47)
    own = (rng.normal(0, 1, (6, 4)) * rng.uniform(0, 1.5, (6, 1)))[label]
    embedding = label[:, None] * 3.0 + own + rng.normal(0, 0.3, (minutes, 4))[block] + rng.normal(0, 1, own.shape)
    score, none = rng.uniform(0.4, 0.9, len(block)), np.full(len(block), np.nan)
    return Observed(label, np.full(len(block), 0.9), score, embedding, none, block)


def alone(one, label):
    """A day of a wearer that is of one activity."""
    rows = one.label == label
    return replace(one, **{name: getattr(one, name)[rows] for name in Observed.__dataclass_fields__})


def test_limits_of_days_of_one_activity_are_of_people_in_that_activity():
    rng = np.random.default_rng(5)
    contract = replace(SIX, drift=reference_of([of_six_activities(rng) for _ in range(10)], SIX))
    distance = contract.drift.distance
    for each in contract.drift.histograms.values():
        assert all(one >= mixed for row in each.alone for one, mixed in zip(row, each.limits, strict=True))
    assert max(row[1] for row in distance.alone) > 2 * distance.limits[1]
    days = [day_of(alone(of_six_activities(rng, 60), label), contract) for label in range(6) for _ in range(10)]
    without = replace(contract, drift=replace(contract.drift, distance=replace(distance, alone=())))
    found, before = (sum(judge(day, each).word == "differs" for day in days) for each in (contract, without))
    # Of 60 days, the limits promise three.
    assert found <= 5
    assert before >= 2 * found


def test_few_people_give_no_limits_of_one_activity():
    rng = np.random.default_rng(11)
    few = reference_of([of_six_activities(rng, 12) for _ in range(4)], SIX)
    assert all(each.alone == (each.limits,) * 6 for each in few.histograms.values())


def test_without_scores_there_are_no_limits_of_one_activity(judged):
    assert all(each.alone == () for each in judged.drift.histograms.values())


def test_distances_of_the_reference_are_uniform_by_construction(judged):
    for row in judged.drift.distance.counts:
        assert max(row) - min(row) <= 0.05 * sum(row) + 2


def test_distances_know_no_unit_of_the_embedding_and_ignore_a_value_that_hardly_varies():
    def edges(unit, value):
        rng = np.random.default_rng(3)
        wearers = [wearer(rng, minutes=4) for _ in range(3)]
        units = np.array([1, 1, 1, value]) * unit
        wearers = [replace(each, embedding=each.embedding * units) for each in wearers]
        return np.array(reference_of(wearers, CONTRACT).embedding.edges)

    hardly_varies = edges(1, 1e-6)
    np.testing.assert_allclose(edges(100, 1e-6), hardly_varies, rtol=0.01)
    assert (hardly_varies[:, -1] < edges(1, 1)[:, -1]).all()


def test_limits_narrow_with_the_length_of_a_day(judged):
    for histogram in judged.drift.histograms.values():
        assert histogram.limits[0] > histogram.limits[-1]


class Gravity:
    """A model of one product: which axis gravity is along, as logits and as embedding."""

    name, threads = "gravity", 1

    def __init__(self, contract):
        self.contract = contract
        self.embedding = np.zeros(3, np.float32)

    def invoke(self, window):
        self.embedding = window[:, :3].mean(axis=0)
        return np.float32([self.embedding[0], self.embedding[2], -self.embedding[2]])


def test_a_reference_from_recordings_counts_the_windows_that_the_device_would_see():
    contract = ModelContract(("lying", "upright", "other"), channels=CHANNELS, embedding_width=3)
    dataset = load_dataset("synthetic:subjects=3,seconds=70")
    found = find_drift_reference(Gravity(contract), contract, dataset)
    reference = found.reference
    assert found.subjects == dataset.subjects
    per_recording = [(len(each) - contract.window_length) // contract.hop_length + 1 for each in dataset.recordings]
    # Less those that no sensor measures.
    assert 0.8 * sum(per_recording) < reference.windows <= sum(per_recording)
    assert reference.gravity == pytest.approx(9.8, abs=0.3)
    assert reference == find_drift_reference(Gravity(contract), contract, dataset).reference
    assert str(found).startswith(f"{reference.windows} windows of 3 wearers; a day of 1000 windows differs")


def test_what_all_wearers_have_alike_is_no_reason_for_a_narrow_limit():
    rng = np.random.default_rng(3)
    alike = [replace(wearer(rng), score=np.zeros(15 * 47)) for _ in range(4)]
    limits = reference_of(alike, CONTRACT).histograms["score"].limits
    assert limits == (0.1, 0.1, 0.1)


def test_two_wearers_are_not_enough():
    contract = ModelContract(("lying", "upright", "other"), channels=CHANNELS, embedding_width=3)
    with pytest.raises(DataError, match=r"found 2 .* 3 wearers or more"):
        find_drift_reference(Gravity(contract), contract, load_dataset("synthetic:subjects=2,seconds=70"))


def test_a_wearer_of_less_than_a_minute_is_none():
    contract = ModelContract(("lying", "upright", "other"), channels=CHANNELS, embedding_width=3)
    dataset = load_dataset("synthetic:subjects=3,seconds=70")
    short = next(each for each in dataset.recordings if each.subject == "3")
    cut = replace(short, signals=short.signals[:2000], labels=short.labels[:2000])
    recordings = (*(each for each in dataset.recordings if each.subject != "3"), cut)
    with pytest.raises(DataError, match=r"found 2 with a minute of windows or more, expected 3 wearers or more"):
        find_drift_reference(Gravity(contract), contract, replace(dataset, recordings=recordings))
