import pytest

from deseptr.device import STAGES, Profiler


def test_figures_of_each_stage():
    profiler = Profiler()
    for number in range(1, 101):
        profiler.record(number * 1000, 2000, 3000, 4000, 9000 + number * 1000)
    stages = profiler.stages()
    assert tuple(stages) == STAGES == ("read", "window", "invoke", "decide", "end_to_end")
    assert stages["read"] == {"count": 100, "p50_us": 50.5, "p95_us": 95.05, "p99_us": 99.01, "max_us": 100.0}
    assert stages["end_to_end"]["p50_us"] == 59.5
    assert sorted(profiler.durations_us("read")) == pytest.approx(range(1, 101))


def test_memory_is_bounded_but_count_and_maximum_are_of_all():
    profiler = Profiler(capacity=3)
    for duration in (90_000, 1000, 2000, 3000):
        profiler.record(duration, 0, 0, 0, 0)
    read = profiler.stages()["read"]
    assert (read["count"], read["p50_us"], read["max_us"]) == (4, 2.0, 90.0)
    assert sorted(profiler.durations_us("read")) == [1, 2, 3]


def test_before_the_first_window():
    assert Profiler().stages()["invoke"] == {"count": 0, "p50_us": 0, "p95_us": 0, "p99_us": 0, "max_us": 0}
