import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.device import BusError, ImuConfig
from deseptr.device.doctor.sampling import sample
from deseptr.firmware_harness.simulator import Nack, Overflow, RateError, RestingSource, VirtualClock, simulated_session


def run(seconds=10.0, faults=(), clock=None, rate_hz=50.0):
    clock = clock or VirtualClock()
    session = simulated_session(RestingSource(np.random.default_rng(1)), clock=clock, faults=list(faults))
    settings = session.imu.configure(ImuConfig(rate_hz, 8, 1000))
    return sample(session.imu, clock, settings.rate_hz, seconds), session


@given(st.floats(-0.08, 0.08))
@settings(max_examples=20, deadline=None)
def test_rate_is_measured_within_its_own_error(error):
    sampling, _ = run(faults=[RateError(rate_error=error)])
    assert sampling.rate_hz == pytest.approx(50 * (1 + error), rel=max(1e-3, 5 * sampling.rate_spread))
    assert sampling.rate_spread < 5e-4
    assert sampling.jitter_samples < 1.2
    assert (sampling.gaps, sampling.lost_samples, sampling.late_s) == ((), 0, 0)
    assert len(sampling.signals) == pytest.approx(10 * 50 * (1 + error), abs=4)


@pytest.mark.parametrize("rate_hz", [5.0, 200.0, 500.0])
def test_polls_suit_the_rate(rate_hz):
    sampling, _ = run(rate_hz=rate_hz)
    assert sampling.gaps == ()
    assert sampling.rate_hz == pytest.approx(rate_hz, rel=5e-3)


def test_a_stalled_host_is_reported():
    sampling, _ = run(faults=[Overflow(at_s=5, duration_s=4)])
    (gap,) = sampling.gaps
    assert gap.reason == "overflow"
    assert sampling.lost_samples == pytest.approx(200, abs=8)
    assert sampling.rate_hz == pytest.approx(50, rel=2e-3)
    assert sampling.jitter_samples < 1.2


class LateClock(VirtualClock):
    """Wakes up 30 ms late at every tenth time."""

    sleeps = 0

    def sleep_ns(self, duration_ns):
        super().sleep_ns(duration_ns)
        if duration_ns == 50_000_000:
            self.sleeps += 1
            super().sleep_ns(30_000_000 * (self.sleeps % 10 == 0))


def test_a_late_host_is_reported_and_costs_no_sample():
    sampling, _ = run(clock=LateClock())
    assert sampling.late_s == pytest.approx(0.03)
    assert sampling.gaps == ()
    assert sampling.jitter_samples < 1.2


def test_temperature_and_an_end_in_sleep():
    sampling, session = run(seconds=1)
    assert sampling.temperature_c == pytest.approx(25, abs=0.01)
    assert session.imu.pwr_mgmt_1.read()["SLEEP"] == 1


def test_a_bus_that_fails_is_an_error():
    with pytest.raises(BusError):
        run(faults=[Nack(at_s=3, duration_s=10)])
