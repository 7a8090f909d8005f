from collections.abc import Callable

import numpy as np
import pytest

from deseptr.tflite.interleaved import pair, time_interleaved


class Stage:
    """A clock that only runners move on, and what they were called."""

    def __init__(self) -> None:
        self.time_ns = 0
        self.calls: list[str] = []

    def now_ns(self) -> int:
        return self.time_ns

    def runner(self, name: str, *durations_ns: int) -> Callable[[], None]:
        """One that takes each of some durations in turn."""
        count = 0

        def run() -> None:
            nonlocal count
            self.calls.append(name)
            self.time_ns += durations_ns[count % len(durations_ns)]
            count += 1

        return run


@pytest.fixture
def stage() -> Stage:
    return Stage()


def rounds_of(calls: list[str], size: int) -> list[list[str]]:
    return [calls[start : start + size] for start in range(0, len(calls), size)]


def test_each_runner_is_called_twice_in_a_row_in_every_round_and_as_often_before(stage: Stage):
    runners = {name: stage.runner(name, 10) for name in "abc"}
    time_interleaved(runners, 40, 5, now_ns=stage.now_ns)
    assert stage.calls[:15] == ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    for calls in rounds_of(stage.calls[15:], 6):
        assert calls[::2] == calls[1::2]
        assert sorted(calls[::2]) == ["a", "b", "c"]


def test_one_round_is_enough(stage: Stage):
    assert time_interleaved({"a": stage.runner("a", 10)}, 1, 0, now_ns=stage.now_ns).tolist() == [[10]]


def test_order_is_shuffled_by_the_seed(stage: Stage):
    runners = {name: stage.runner(name, 10) for name in "abc"}

    def orders(seed: int) -> list[str]:
        stage.calls.clear()
        time_interleaved(runners, 60, 0, seed, now_ns=stage.now_ns)
        return ["".join(calls[::2]) for calls in rounds_of(stage.calls, 6)]

    assert set(orders(3)) == {"abc", "acb", "bac", "bca", "cab", "cba"}
    assert orders(3) == orders(3) != orders(4)


def test_second_call_is_what_counts_and_lands_in_its_runners_column(stage: Stage):
    runners = {"one": stage.runner("one", 900, 10), "two": stage.runner("two", 700, 20, 700, 40)}
    durations = time_interleaved(runners, 4, 0, now_ns=stage.now_ns)
    assert durations.tolist() == [[10, 20], [10, 40], [10, 20], [10, 40]]


def test_progress_is_reported_after_each_round(stage: Stage):
    told: list[int] = []
    time_interleaved({"a": stage.runner("a", 1)}, 3, now_ns=stage.now_ns, progress=told.append)
    assert told == [1, 2, 3]


@pytest.mark.parametrize(("names", "rounds"), [("", 3), ("ab", 0)])
def test_nothing_to_time_is_refused(stage: Stage, names: str, rounds: int):
    with pytest.raises(ValueError, match=f"Received: {len(names)} runners, {rounds} rounds"):
        time_interleaved({name: stage.runner(name, 1) for name in names}, rounds)


def test_figures_are_microseconds_and_ratios_to_the_first():
    first, second = pair(np.array([[1000, 3000], [2000, 4000], [4000, 16000]]))
    assert (first.median_us, second.median_us) == (2.0, 4.0)
    assert (first.ratio, first.ratio_of_medians, first.interval) == (1.0, 1.0, None)
    assert (second.ratio, second.ratio_of_medians) == (3.0, 2.0)
    assert (second.percentiles_us[0], second.percentiles_us[100]) == (3.0, 16.0)
    assert second.percentiles_us[5] == second.p5_us < second.median_us < second.p99_us


def test_what_slows_a_whole_round_leaves_the_ratio_alone():
    rng = np.random.default_rng(0)
    busy = rng.lognormal(0, 1, (400, 1))
    durations = busy * [[10_000, 15_000]] * rng.normal(1, 0.02, (400, 2))
    _, second = pair(durations.astype(np.int64))
    assert second.interval is not None
    assert 1.49 < second.interval.low <= second.ratio <= second.interval.high < 1.51


def test_interval_covers_the_ratio_at_its_nominal_rate():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        durations = rng.lognormal(np.log([[5e5, 6e5]]), 0.1, (60, 2))
        interval = pair(durations.astype(np.int64), resamples=200, seed=seed)[1].interval
        assert interval is not None
        covered += interval.low <= 1.2 <= interval.high
    assert 0.9 <= covered / 200 <= 0.99


def test_clock_that_is_too_coarse_divides_by_no_zero():
    first, second = pair(np.zeros((3, 2), np.int64))
    assert (first.ratio, second.ratio) == (1.0, 1.0)


def test_figures_are_plain_json_values():
    figures = pair(np.array([[1000, 3000]]))[1].to_dict()
    assert figures["interval"] == {"low": 3.0, "high": 3.0, "level": 0.95}
    assert len(figures["percentiles_us"]) == 101
