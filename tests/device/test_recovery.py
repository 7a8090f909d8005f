import errno
import os
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SensorError
from deseptr.device import (
    BusError,
    Gap,
    ImuConfig,
    ImuSettings,
    RecoveringImu,
    Samples,
    SettingsLostError,
    UnhealthyError,
    bus_error,
)
from deseptr.firmware_harness.simulator import VirtualClock

MS = 1_000_000
CONFIG = ImuConfig(50, 8, 1000)
NACK = bus_error("bus", 0x68, OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO)))
LOST = SettingsLostError("chip", found="PWR_MGMT_1 = 0x40", expected="0x01", next_step="-")


class FaultyImu:
    """Gives one sample for each drain, unless `ill` is an error; `cures` is the recovery step that clears it."""

    name, address, capacity = "faulty", 0x68, 80

    def __init__(self, clock):
        self.clock = clock
        self.ill = None
        self.cures = set()
        self.silent = False
        self.calls = Counter()

    def _do(self, call):
        self.calls[call] += 1
        if call in self.cures:
            self.ill, self.silent, self.cures = None, False, set()
        if self.ill is not None:
            raise self.ill

    def identify(self):
        self._do("identify")
        return "chip"

    def configure(self, config):
        self._do("configure")
        return ImuSettings(50, 8, 1000, 20)

    def start(self):
        self._do("start")

    def stop(self):
        self._do("stop")

    def drain(self):
        self._do("drain")
        count = 0 if self.silent else 1
        return Samples(np.zeros((count, 6), np.float32), at_ns=self.clock.now_ns())


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def faulty(clock):
    return FaultyImu(clock)


def recovering(faulty, clock, **options):
    imu = RecoveringImu(faulty, clock, reopen=lambda: faulty._do("reopen"), **options)
    imu.set_up(CONFIG)
    imu.start()
    faulty.calls.clear()
    return imu


def rungs(imu):
    return [step.rung for step in imu.take_steps()]


def poll(imu, clock):
    clock.sleep_ns(320 * MS)
    return imu.drain()


def test_the_bus_is_reopened_after_pauses_that_double_up_to_half_a_second(faulty, clock):
    imu = recovering(faulty, clock)
    faulty.ill = NACK
    begun, reopened = None, []
    for _ in range(2500):
        imu.drain()
        if faulty.calls["reopen"] > len(reopened):
            begun = clock.now_ns() if begun is None else begun
            reopened.append((clock.now_ns() - begun) // MS)
        clock.sleep_ns(MS)
    # 100, 200, 400 and then 500 ms, to the millisecond of a drain.
    expected = [0, 100, 300, 700, 1200, 1700, 2200]
    assert reopened == [pytest.approx(each, abs=8) for each in expected]


def test_a_passed_check_has_no_next_step(faulty, clock):
    imu = recovering(faulty, clock)
    assert len(poll(imu, clock).signals) == 1
    assert rungs(imu) == []


def test_one_missing_answer_is_retried_without_a_loss(faulty, clock):
    imu = recovering(faulty, clock)
    faulty.ill = NACK
    original = faulty.drain

    def drain():
        if faulty.calls["drain"] == 1:
            faulty.ill = None
        return original()

    faulty.drain = drain
    samples = poll(imu, clock)
    assert (len(samples.signals), samples.gap) == (1, None)
    (step,) = imu.take_steps()
    assert (step.rung, step.count) == ("retry", 1)
    assert "no answer (EREMOTEIO)" in step.cause


@pytest.mark.parametrize(
    ("cure", "expected"),
    [
        ("start", ["retry", "fifo-reset"]),
        ("configure", ["retry", "fifo-reset", "reinit"]),
        ("reopen", ["retry", "fifo-reset", "reinit", "reopen"]),
    ],
)
def test_recovery_takes_only_the_steps_that_are_needed(faulty, clock, cure, expected):
    imu = recovering(faulty, clock)
    faulty.ill, faulty.cures = NACK, {cure}
    if cure == "configure":
        faulty.identify = lambda: "chip"
    samples = poll(imu, clock)
    assert rungs(imu) == expected
    assert samples.gap == Gap("bus", clock.now_ns())
    assert imu.lost is None
    assert len(poll(imu, clock).signals) == 1


def test_lost_settings_are_set_again_at_once(faulty, clock):
    imu = recovering(faulty, clock)
    faulty.ill, faulty.cures = LOST, {"identify"}
    samples = poll(imu, clock)
    assert samples.gap.reason == "reset"
    assert rungs(imu) == ["reinit"]
    assert faulty.calls["configure"] == 1


def test_silence_takes_step_after_step_until_samples_come(faulty, clock):
    imu = recovering(faulty, clock)
    faulty.silent, faulty.cures = True, {"configure"}
    reasons = [samples.gap.reason for samples in (poll(imu, clock) for _ in range(8)) if samples.gap]
    # Emptying the FIFO does not count as long as no sample comes.
    assert reasons == ["silence"]
    assert rungs(imu) == ["fifo-reset", "reinit"]


def test_each_rung_is_counted_once_an_episode(faulty, clock):
    imu = recovering(faulty, clock)
    for episode in range(1, 4):
        faulty.ill = NACK
        for _ in range(10):
            assert not len(poll(imu, clock).signals)
        assert imu.lost == "bus"
        steps = imu.take_steps()
        assert [step.rung for step in steps] == ["retry", "fifo-reset", "reinit", "reopen"]
        assert {step.count for step in steps} == {episode}
        faulty.ill = None
        for _ in range(12):
            samples = poll(imu, clock)
        assert (imu.lost, len(samples.signals)) == (None, 1)
    assert imu.counts == dict.fromkeys(("retry", "fifo-reset", "reinit", "reopen"), 3)


def test_a_call_does_a_bounded_amount_of_work_while_the_bus_is_away(faulty, clock):
    imu = recovering(faulty, clock)
    faulty.ill = NACK
    poll(imu, clock)
    before = faulty.calls.total()
    for _ in range(30):
        poll(imu, clock)
    assert faulty.calls.total() - before < 60


@given(st.floats(1, 120))
def test_patience_is_kept_and_ends(patience_s):
    clock = VirtualClock()
    faulty = FaultyImu(clock)
    imu = recovering(faulty, clock, patience_s=patience_s)
    faulty.ill = NACK
    begun_ns = clock.now_ns()

    def wait():
        while True:
            poll(imu, clock)

    with pytest.raises(UnhealthyError) as caught:
        wait()
    assert patience_s <= (clock.now_ns() - begun_ns) / 1e9 <= patience_s + 0.4
    assert caught.value.exit_code == 3
    assert "bus address 0x68: no answer (EREMOTEIO)" in caught.value.found
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_patience_starts_again_with_every_sample(faulty, clock):
    imu = recovering(faulty, clock, patience_s=5)
    for _ in range(10):
        faulty.ill = NACK
        for _ in range(10):
            assert not len(poll(imu, clock).signals)
        faulty.ill = None
        while not len(poll(imu, clock).signals):
            pass
    # Ten times 3.2 s without a sample, and never 5 s on end.
    assert imu.lost is None


def test_silence_at_the_end_of_a_recording_is_no_failure(faulty, clock):
    imu = recovering(faulty, clock, patience_s=1, ended=lambda: True)
    faulty.silent = True
    for _ in range(20):
        poll(imu, clock)
    assert rungs(imu) == []


def test_setting_up_is_tried_a_few_times(faulty, clock):
    imu = RecoveringImu(faulty, clock)
    faulty.ill = NACK
    with pytest.raises(BusError):
        imu.set_up(CONFIG)
    assert faulty.calls["identify"] == 3
    with pytest.raises(SensorError):
        imu.start()
    assert faulty.calls["start"] == 3


def test_a_host_delayed_within_a_call_is_no_silent_sensor(faulty, clock):
    imu = recovering(faulty, clock, patience_s=5)
    poll(imu, clock)
    drain = faulty.drain
    faulty.drain = lambda: clock.sleep_ns(60_000 * MS) or drain()
    faulty.silent = True
    assert not len(imu.drain().signals)
    faulty.silent, faulty.drain = False, drain
    assert any(len(poll(imu, clock).signals) for _ in range(20))


def test_a_delayed_host_is_no_silent_sensor(faulty, clock):
    imu = recovering(faulty, clock, patience_s=5)
    poll(imu, clock)
    faulty.ill = NACK
    clock.sleep_ns(60_000 * MS)
    assert not len(imu.drain().signals)
    faulty.ill = None
    while not len(poll(imu, clock).signals):
        pass
