import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.device import STAGES, Profiler, WindowTimes


def test_figures_of_each_stage():
    profiler, times = Profiler(), WindowTimes()
    for number in range(1, 101):
        times.read_ns, times.window_ns, times.invoke_ns, times.decide_ns = number * 1000, 2000, 3000, 4000
        times.end_to_end_ns = 9000 + number * 1000
        times.sensor_to_label_ns = 50_000
        profiler.record(times)
    stages = profiler.stages()
    assert tuple(stages) == STAGES
    assert stages["read"] == {"count": 100, "p50_us": 50.5, "p95_us": 95.05, "p99_us": 99.01, "max_us": 100.0}
    assert [stages[stage]["max_us"] for stage in STAGES] == [100, 0, 2, 3, 4, 109, 50]
    assert stages["end_to_end"]["p50_us"] == 59.5
    assert profiler.durations_us("read") == pytest.approx(range(1, 101))


def test_memory_is_bounded_but_count_and_maximum_are_of_all():
    profiler = Profiler(capacity=3)
    for duration in (90_000, 1000, 2000, 3000):
        profiler.record(WindowTimes(read_ns=duration))
    read = profiler.stages()["read"]
    assert (read["count"], read["p50_us"], read["max_us"]) == (4, 2.0, 90.0)
    assert profiler.durations_us("read").tolist() == [1, 2, 3]


def test_before_the_first_window():
    empty = Profiler()
    assert empty.stages()["invoke"] == {"count": 0, "p50_us": 0, "p95_us": 0, "p99_us": 0, "max_us": 0}
    nothing = {"count": 0, "p50_us": 0, "p99_us": 0, "max_us": 0, "std_us": 0}
    assert empty.label_jitter() == empty.wakeup_jitter() == nothing


@given(st.lists(st.integers(0, 10**9), max_size=40), st.integers(1, 12))
def test_kept_durations_are_in_order(durations, capacity):
    profiler = Profiler(capacity)
    for duration in durations:
        profiler.record(WindowTimes(invoke_ns=duration))
    assert profiler.durations_us("invoke") == pytest.approx(np.array(durations[-capacity:]) / 1000)
    assert profiler.stages()["invoke"]["max_us"] == max(durations, default=0) / 1000


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=30), st.integers(10**7, 10**9))
def test_label_jitter_is_that_of_the_intervals_between_labels(delays, hop_ns):
    profiler = Profiler()
    for delay in delays:
        profiler.record(WindowTimes(sensor_to_label_ns=delay))
    labels_ns = [number * hop_ns + delay for number, delay in enumerate(delays)]
    off_us = (np.diff(labels_ns) - hop_ns) / 1000
    figures = profiler.label_jitter()
    assert figures["count"] == len(delays) - 1
    assert figures["max_us"] == pytest.approx(np.abs(off_us).max())
    assert figures["std_us"] == pytest.approx(off_us.std(), abs=1e-3)


def test_missed_deadlines_are_counted():
    profiler = Profiler(capacity=1)
    for missed in (True, False, True):
        profiler.record(WindowTimes(deadline_missed=missed))
    assert profiler.deadlines_missed == 2


def test_recording_allocates_nothing_that_stays():
    import tracemalloc

    profiler, times = Profiler(), WindowTimes()
    profiler.record(times)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2000):
            profiler.record(times)
            profiler.woke(1000)
        assert tracemalloc.get_traced_memory()[0] - before < 512
    finally:
        tracemalloc.stop()
