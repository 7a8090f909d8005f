import json
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from deseptr.contract.drift_reference import BINS
from deseptr.device import DriftEvent, DriftSummary, DriftVerdict

counts = st.integers(0, 10**6)


@st.composite
def summaries(draw):
    labels = draw(st.dictionaries(st.sampled_from(["sitting", "walking", "a, b"]), counts, max_size=3))
    implausible = draw(counts)
    plausible = sum(labels.values())
    made = DriftSummary(plausible + implausible, draw(st.floats(0, 1e6)), implausible, draw(counts), Counter(labels))
    made.unknown = Counter({"implausible: stuck": implausible} if implausible else {})
    made.gaps, made.lost_samples = draw(counts), draw(counts)
    if plausible:
        made.confidence = draw(st.floats(0, 1)) * plausible
        made.histograms["confidence"] = [plausible] + [0] * (BINS["confidence"] - 1)
        made.still = draw(st.integers(0, plausible))
        made.gravity = draw(st.floats(0, 20)) * made.still
    return made


@given(st.lists(summaries(), max_size=6), st.integers(0, 6))
def test_the_sum_does_not_depend_on_how_the_parts_are_joined(parts, cut):
    """(a + b) + (c + d) is a + b + c + d, and no window is lost or doubled."""
    whole, first, second = DriftSummary(), DriftSummary(), DriftSummary()
    for place, part in enumerate(parts):
        whole.add(part)
        (first if place < cut else second).add(part)
    first.add(second)
    assert first.windows == whole.windows == sum(part.windows for part in parts)
    assert first.labels == whole.labels
    assert first.histograms == whole.histograms
    assert (first.gaps, first.lost_samples, first.still) == (whole.gaps, whole.lost_samples, whole.still)
    assert first.confidence == pytest.approx(whole.confidence)
    assert first.gravity == pytest.approx(whole.gravity)


@given(summaries())
def test_json_gives_it_back(summary):
    again = DriftSummary.from_dict(json.loads(json.dumps(summary.to_dict())))
    assert again.to_dict() == summary.to_dict()


def test_adding_leaves_the_part_as_it_was():
    part, whole = DriftSummary(), DriftSummary()
    part.note_bin("distance", 3)
    for _ in range(2):
        whole.add(part)
    assert part.histograms["distance"][3] == 1
    assert whole.histograms["distance"][3] == 2


HAPT = "walking walking_upstairs walking_downstairs sitting standing laying stand_to_sit sit_to_stand sit_to_lie"
TWELVE = (*HAPT.split(), "lie_to_sit", "stand_to_lie", "lie_to_stand")


def test_a_day_of_a_window_a_second_of_twelve_classes_takes_less_than_a_kilobyte():
    summary = DriftSummary(86_400, 86_400.0, 5_400, 1_234, Counter(dict.fromkeys(TWELVE, 6_750)))
    summary.unknown = Counter({"implausible: stuck": 5_000, "implausible: gravity": 400, "unfamiliar": 12_345})
    summary.histograms = {name: [81_000 // count] * count for name, count in BINS.items()}
    summary.confidence, summary.still, summary.gravity = 70_000.0, 12_345, 120_000.0
    findings = ("confidence lower (49% below 0.995, expected 8%)", "embeddings farther", "21% without a label")
    verdict = DriftVerdict("differs", findings, dict.fromkeys((*BINS, "labels"), 1.2345), {})
    event = DriftEvent(86_400.0, "2026-11-27", "0123abcd-24", "day", summary, "0123abcd", verdict)
    assert len(json.dumps(event.to_dict(), separators=(",", ":"))) < 1024


GOOD = {
    "windows": 3,
    "seconds": 3.84,
    "labels": {"walking": 2},
    "unknown": {"implausible: stuck": 1},
    "undecided": 0,
    "implausible": 1,
    "gaps": 0,
    "lost_samples": 0,
    "mean_confidence": 0.9,
    "confidence": [0] * 11 + [2],
}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("windows", -1, "windows is no count"),
        ("windows", True, "windows is no count"),
        ("windows", 4, "2 labels of 3 plausible windows"),
        ("seconds", "3", "seconds is no number"),
        ("seconds", float("nan"), "seconds is no number"),
        ("labels", ["walking"], "labels are no counts by name"),
        ("labels", {"walking": 2.5}, "walking is no count"),
        ("implausible", 5, "labels of -2 plausible"),
        ("confidence", [2], "confidence has not 12 bins"),
        ("confidence", [0] * 11 + [3], "more windows in confidence"),
        ("mean_confidence", 1.5, "mean_confidence is no number from 0 to 1"),
        ("gaps", None, "gaps is no count"),
        ("windows", 10**400, "windows is no count"),
    ],
)
def test_what_cannot_be_a_summary_is_refused_with_the_reason(key, value, reason):
    assert DriftSummary.from_dict(GOOD).windows == 3
    with pytest.raises(ValueError, match=reason):
        DriftSummary.from_dict(GOOD | {key: value})
