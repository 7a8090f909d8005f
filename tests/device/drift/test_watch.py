"""Parts of days, under a clock that anybody may set."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ModelContract
from deseptr.device import DriftWatch, GapEvent, LabelEvent, WindowEvent

NOON = datetime(2026, 11, 27, 12).timestamp()
WINDOW = WindowEvent(0.0, "walking", 0.75, {"sitting": 0.25, "walking": 0.75}, 800.0, 0, unknown=None)
PLAIN = ModelContract(("sitting", "walking"))


class Clocks:
    """A clock that can be set beside one that cannot."""

    def __init__(self, wall=NOON):
        self.wall, self.steady = wall, 1000.0

    def wait(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks():
    return Clocks()


def make(clocks, contract=PLAIN):
    return DriftWatch(contract, wall=lambda: clocks.wall, monotonic=lambda: clocks.steady, run="r")


def wear(watch, clocks, seconds, step=60.0):
    """Windows every minute; the parts that ended."""
    parts = []
    for _ in range(round(seconds / step)):
        clocks.wait(step)
        parts.append(watch.note(WINDOW))
    return [part for part in parts if part is not None]


def test_a_day_is_parted_by_hours_and_at_midnight(clocks):
    watch = make(clocks)
    parts = wear(watch, clocks, 24 * 3600)
    parts.append(watch.finish())
    assert [part.ended for part in parts] == ["hour"] * 11 + ["day"] + ["hour"] * 12 + ["run"]
    days = {day: sum(part.summary.windows for part in parts if part.day == day) for day in ("2026-11-27", "2026-11-28")}
    # The window at midnight is the first of its day.
    assert days == {"2026-11-27": 719, "2026-11-28": 721}
    assert [part.key for part in parts[:2]] == ["r-1", "r-2"]
    assert len({part.key for part in parts}) == len(parts)
    assert watch.finish() is None


def test_a_board_that_starts_in_1970_counts_its_first_minutes_on_the_day_that_it_is_told(clocks):
    clocks.wall = 30.0
    watch = make(clocks)
    assert wear(watch, clocks, 600) == []
    clocks.wall = NOON
    assert wear(watch, clocks, 600) == []
    part = watch.finish()
    assert (part.day, part.summary.windows) == ("2026-11-27", 20)


def test_a_clock_that_is_set_back_over_midnight_loses_nothing(clocks):
    clocks.wall = datetime(2026, 11, 28, 0, 30).timestamp()
    watch = make(clocks)
    wear(watch, clocks, 600)
    clocks.wall -= 3600
    assert wear(watch, clocks, 600) == []
    assert watch.finish().to_dict()["drift"]["windows"] == 20


@given(st.lists(st.tuples(st.sampled_from(["wear", "set", "gap"]), st.floats(-1e8, 1e8)), max_size=20))
def test_no_clock_loses_or_doubles_a_window(steps):
    clocks = Clocks()
    watch = make(clocks)
    parts, windows, lost = [], 0, 0
    for kind, value in steps:
        if kind == "set":
            clocks.wall = max(0.0, clocks.wall + value)
        elif kind == "gap":
            parts.append(watch.note(GapEvent(0.0, "overflow", 3)))
            lost += 3
        else:
            parts += wear(watch, clocks, abs(value) % 10_000, 400.0)
            windows += round(abs(value) % 10_000 / 400)
    parts = [part for part in [*parts, watch.finish()] if part is not None]
    assert sum(part.summary.windows for part in parts) == windows
    assert sum(part.summary.lost_samples for part in parts) == lost
    assert len({part.key for part in parts}) == len(parts)
    # Never more than an hour waits, up to the window that ends it.
    assert all(part.summary.windows <= 3600 / 400 + 1 for part in parts)


def test_a_part_is_of_one_wearer(clocks):
    watch = make(clocks)
    parts = []
    for wearer in (None, None, "eve", "eve", "eve", None):
        clocks.wait(1)
        parts.append(watch.note(replace(WINDOW, wearer=wearer)))
    parts = [part for part in [*parts, watch.finish()] if part is not None]
    assert [(part.wearer, part.ended, part.summary.windows) for part in parts] == [
        (None, "wearer", 2),
        ("eve", "wearer", 3),
        (None, "run", 1),
    ]


def test_the_verdict_is_of_a_wearers_whole_day_though_another_came_between(contract, window, clocks):
    watch = make(clocks, contract)
    parts = []
    for wearer in ("eve", "ada", "eve", None):
        parts += [watch.note(window(wearer=wearer)) for _ in range(200)]
    found = [part.verdict.word for part in parts if part is not None]
    assert found == ["too few windows", "too few windows", "differs"]


@pytest.mark.parametrize("worn_from", ["the beginning", "later"])
def test_a_new_label_of_a_wearer_is_in_no_histogram(contract, clocks, worn_from):
    """The reference has nothing of it; a day of it alone is not compared."""
    labels = (*contract.labels, "knitting")
    watch = make(clocks, replace(contract, labels=labels) if worn_from == "the beginning" else contract)
    event = WindowEvent(1.0, "knitting", 0.97, dict.fromkeys(labels, 0.01) | {"knitting": 0.97}, 800.0, 0)
    for _ in range(400):
        watch.note(event)
    part = watch.finish()
    assert part.summary.labels == {"knitting": 400}
    assert part.summary.histograms == {}
    assert str(part.verdict) == "not comparable"


def test_a_wearers_correction_is_no_drift(contract, window, clocks):
    """The reference is of the model as it is, which is compared with the model as it is."""
    watch, corrected = make(clocks, contract), make(clocks, contract)
    for label, confidence in [("sitting", 0.85)] * 200 + [("walking", 0.985)] * 200:
        watch.note(window(label, confidence, distance=0.35))
        corrected.note(window("jogging", 0.9999, distance=0.35, uncorrected=(label, confidence), wearer="eve"))
    plain, personal = watch.finish(), corrected.finish()
    assert personal.summary == plain.summary
    assert personal.verdict == plain.verdict
    assert personal.wearer == "eve"


def test_only_windows_and_gaps_count(clocks):
    watch = make(clocks)
    assert watch.note(LabelEvent(1.0, "walking", None, 0.9)) is None
    assert watch.finish() is None


def test_runs_have_different_names():
    assert DriftWatch(PLAIN)._run != DriftWatch(PLAIN)._run


def test_each_kind_of_window_is_counted_where_it_belongs(contract, window, clocks):
    watch = make(clocks, contract)
    for event in (
        window("walking", 0.992, distance=0.35, gravity=9.81),
        window("walking", 0.96, distance=9.0, score=1.3, unknown="unfamiliar", state="unknown"),
        window("sitting", 0.55, state="unknown"),
        window("sitting", 0.9, unknown="implausible: stuck", gravity=3.0),
        GapEvent(2.0, "overflow", 12),
    ):
        assert watch.note(event) is None
    part = watch.finish()
    found = part.summary.to_dict()
    assert found["windows"] == 4
    assert found["labels"] == {"walking": 2, "sitting": 1}
    assert found["unknown"] == {"unfamiliar": 1, "implausible: stuck": 1}
    assert (found["undecided"], found["implausible"]) == (1, 1)
    assert (found["gaps"], found["lost_samples"]) == (1, 12)
    assert found["confidence"] == [0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0]
    assert found["distance"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert found["score"] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert (found["still"], found["gravity"]) == (1, 9.81)
    assert found["mean_confidence"] == pytest.approx((0.992 + 0.96 + 0.55) / 3, abs=1e-5)
    assert part.reference == contract.drift.key


def test_the_verdict_is_of_the_day_so_far(contract, window, clocks):
    watch = make(clocks, contract)
    verdicts = []
    for _ in range(3):
        for place in range(120):
            confidence = [0.97, 0.985, *[0.992, 0.997] * 8, 0.9995, 0.9995][place % 20]
            watch.note(window("walking", confidence, distance=0.05 + place % 10 / 10))
        clocks.wait(3601)
        verdicts.append(watch.note(window("walking", 0.992, distance=0.05)))
    words = [part.verdict.word for part in verdicts]
    assert words == ["too few windows", "too few windows", "as in training"]
