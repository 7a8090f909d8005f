import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.device.doctor.bus_timing import LENGTHS, READS, time_bus


class SlowHostBus:
    """A bus of some clock on a host that needs time of its own, now and then much of it."""

    path = "slow"

    def __init__(self, clock, hz, overhead_ns, hiccups=()):
        self.clock, self.hz, self.overhead_ns = clock, hz, overhead_ns
        self.hiccups = set(hiccups)
        self.reads = 0

    def read(self, address, register, length):
        self.clock.sleep_ns(self.overhead_ns + round((9 * (3 + length) + 2) / self.hz * 1e9))
        if self.reads in self.hiccups:
            self.clock.sleep_ns(20_000_000)
        self.reads += 1
        return bytes(length)


class Clock:
    now = 0

    def now_ns(self):
        return self.now

    def sleep_ns(self, duration_ns):
        self.now += duration_ns


@given(
    hz=st.floats(10_000, 1_000_000),
    overhead_ns=st.integers(0, 500_000),
    hiccups=st.sets(st.integers(0, READS * len(LENGTHS) - 1), max_size=11),
)
@settings(max_examples=50, deadline=None)
def test_the_hosts_own_time_is_not_counted_as_bus_time(hz, overhead_ns, hiccups):
    clock = Clock()
    timing = time_bus(SlowHostBus(clock, hz, overhead_ns, hiccups), clock, 0x68)
    assert timing.spread < 1e-3
    assert timing.hz == pytest.approx(hz, rel=1e-3)
    assert timing.overhead_us == pytest.approx(overhead_ns / 1000 + 29 / hz * 1e6, abs=1)


class UnevenBus(SlowHostBus):
    """Every read is late by another time."""

    def __init__(self, clock, hz, spread_ns, seed):
        super().__init__(clock, hz, 0)
        self.random, self.spread_ns = np.random.default_rng(seed), spread_ns

    def read(self, address, register, length):
        self.overhead_ns = round(abs(self.random.normal(0, self.spread_ns)))
        return super().read(address, register, length)


def test_an_uneven_host_is_measured_longer_and_its_error_is_known():
    off = []
    for seed in range(40):
        clock = Clock()
        bus = UnevenBus(clock, 400_000, 600_000, seed)
        timing = time_bus(bus, clock, 0x68)
        assert bus.reads > READS * len(LENGTHS)
        assert 0 < timing.spread < 0.05
        off.append((timing.hz / 400_000 - 1) / timing.spread)
    # Half-normal errors are not quite normal ones; the standard error has the right size all the same.
    assert 0.5 < np.std(off) < 2


def test_no_register_of_a_fifo_is_read():
    """FIFO_R_W 0x74 of the MPU family, FIFO_DATA_OUT 0x3E and 0x78 of the LSM6DS family."""
    assert max(LENGTHS) <= 0x3E


def test_a_bus_that_takes_no_time_has_no_clock():
    clock = Clock()
    bus = SlowHostBus(clock, float("inf"), 1000)
    assert not time_bus(bus, clock, 0x68).hz > 0
