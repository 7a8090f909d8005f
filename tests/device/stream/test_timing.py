import math

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from deseptr.device import SampleClock

S = 1_000_000_000


def run(clock, rate_hz, drains, phase=0.3, begun_ns=0):
    """Drain a chip of `rate_hz` at `drains` seconds; returns how many samples it has given."""
    clock.begin(begun_ns)
    given_before = 0
    for seconds in drains:
        so_far = math.floor(seconds * rate_hz + phase)
        clock.drained(begun_ns + round(seconds * S), so_far - given_before)
        given_before = so_far
    return given_before


def test_no_estimate_at_first():
    clock = SampleClock(50.0)
    assert clock.rate_hz == 50.0
    assert clock.spread == math.inf
    clock.begin(7 * S)
    assert clock.newest_ns == 7 * S
    assert clock.lost_until(8 * S) == 50


@given(
    st.floats(0.8, 1.2),
    st.floats(0, 0.999),
    st.lists(st.floats(0.02, 1.0), min_size=150, max_size=200),
)
def test_rate_is_found_whatever_the_schedule(factor, phase, waits):
    clock = SampleClock(50.0)
    count = run(clock, 50 * factor, np.cumsum(waits), phase)
    # A line through points that are each off by half a sample at most has a slope that is off by 1.5 a span at most.
    assert clock.rate_hz == pytest.approx(50 * factor, rel=2 / min(count, 3000))
    assert clock.spread < 2e-3


@given(st.floats(0.9, 1.1), st.floats(0, 0.999), st.lists(st.floats(0.05, 0.6), min_size=60, max_size=80))
def test_time_of_the_newest_sample_is_right_to_less_than_a_period(factor, phase, waits):
    clock = SampleClock(50.0)
    rate_hz = 50 * factor
    drains = np.cumsum(waits)
    count = run(clock, rate_hz, drains, phase)
    # Sample number n (from 1) of this chip is taken when seconds * rate + phase reaches n.
    true_s = (count - phase) / rate_hz
    assert abs(clock.newest_ns / S - true_s) <= 1.05 / rate_hz


@given(st.floats(0.95, 1.05), st.integers(1, 3000), st.floats(0, 0.999))
@example(0.99999, 1745, 0.03125)
def test_lost_samples_are_counted_to_one(factor, lost, phase):
    clock = SampleClock(50.0)
    rate_hz = 50 * factor
    count = run(clock, rate_hz, np.arange(1, 300) * 0.32, phase)
    resumed_s = (count + lost + 0.5 - phase) / rate_hz
    # Drains at the chip's own beat count one sample too many at most. The slope of a line through them is then wrong by
    # 1.5 samples over all of them, and the time of the newest by half a period beside the one in which it lies.
    rate_error = 1.5 / count
    assert abs(clock.lost_until(round(resumed_s * S)) - lost) <= 1.55 + lost * rate_error


def test_rate_outlives_a_gap_and_the_phase_does_not():
    clock = SampleClock(50.0)
    run(clock, 51.5, np.arange(1, 100) * 0.32)
    before = clock.rate_hz
    run(clock, 51.5, np.arange(1, 20) * 0.32, phase=0.9, begun_ns=40 * S)
    assert before == pytest.approx(51.5, rel=1e-3)
    assert clock.rate_hz == pytest.approx(51.5, rel=1e-3)
    assert clock.samples == math.floor(19 * 0.32 * 51.5 + 0.9)


def test_drift_is_followed():
    clock = SampleClock(50.0)
    clock.begin(0)
    taken, before = 0.0, 0
    for drain in range(1, 4000):
        rate_hz = 50 * (1 + 0.02 * min(1, drain / 2000))
        taken += 0.32 * rate_hz
        clock.drained(round(drain * 0.32 * S), int(taken) - before)
        before = int(taken)
    assert clock.rate_hz == pytest.approx(51.0, rel=1e-3)


def test_sensor_that_gives_nothing_keeps_its_nominal_rate():
    clock = SampleClock(50.0)
    run(clock, 0.0, np.arange(1, 100) * 0.32)
    assert clock.rate_hz == 50.0
