from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from deseptr.contract import SensorError
from deseptr.device import (
    Gap,
    GapEvent,
    ImuSettings,
    Profiler,
    RateEvent,
    RecoveringImu,
    RecoveryEvent,
    Runtime,
    Samples,
    UnhealthyError,
    WindowEvent,
)
from deseptr.device.stream.timing import WORST_SPREAD
from deseptr.firmware_harness.simulator import VirtualClock


class FakeEngine:
    """Says `upright` where the window's first value is even, and keeps all windows."""

    name, threads, embedding = "fake 1", 1, None

    def __init__(self, contract):
        self.contract = contract
        self.windows = []

    def invoke(self, window):
        self.windows.append(window[:, 0].astype(int).tolist())
        return np.array([0, 4 * (window[0, 0] % 2 == 0), 0], np.float32)


class FakeImu:
    """A chip of `rate_hz` on the clock, whose sample k is k on all axes.

    A drain is given the number of samples that it lasts at least, and whether the samples since the last one are lost.
    So small a FIFO is polled at every sample or two, so that a drain returns exactly the given samples.
    """

    name, address, capacity = "fake", 0, 2
    settings = ImuSettings(50.0, 8, 1000, 20)

    def __init__(self, clock, drains, rate_hz=50.0):
        self.clock = clock
        self.drains = iter(drains)
        self.period_ns = 1e9 / rate_hz
        self.drained = False
        self.log = []
        self.lengths = [0]
        self.number = 0
        self.started_ns = None

    def identify(self):
        self.log.append("identify")
        return "fake"

    def configure(self, config):
        self.log.append(config)
        return self.settings

    def start(self):
        self.log.append("start")
        self.started_ns = self.clock.now_ns() if self.started_ns is None else self.started_ns
        self.number = self.due()

    def stop(self):
        self.log.append("stop")
        raise SensorError("fake", found="no answer", expected="one", next_step="-")

    def due(self):
        return int((self.clock.now_ns() - self.started_ns) // self.period_ns)

    def drain(self):
        wait, lost = next(self.drains, (None, None))
        if wait is None:
            self.drained = True
            return Samples(np.empty((0, 6), np.float32), at_ns=self.clock.now_ns())
        self.clock.sleep_ns(round(self.started_ns + (self.number + wait + 0.5) * self.period_ns) - self.clock.now_ns())
        self.lengths[-1] += 0 if lost else self.due() - self.number
        self.lengths += [0] if lost else []
        if lost:
            self.start()
            now_ns = self.clock.now_ns()
            return Samples(np.empty((0, 6), np.float32), Gap("overflow", now_ns), at_ns=now_ns)
        begun, self.number = self.number, self.due()
        signals = np.arange(begun, self.number, dtype=np.float32)[:, None].repeat(6, 1)
        return Samples(signals, at_ns=self.clock.now_ns())


class DeadImu(FakeImu):
    """Answers, and never samples."""

    def due(self):
        return 0


def make(contract, drains, patience_s=60.0, imu=FakeImu, rate_hz=50.0, **options):
    clock = VirtualClock()
    imu = imu(clock, drains, rate_hz)
    engine = FakeEngine(contract)
    recovering = RecoveringImu(imu, clock, patience_s=patience_s, ended=lambda: imu.drained)
    runtime = Runtime(recovering, engine, clock, ended=lambda: imu.drained, **options)
    return runtime, imu, engine


def windows_of(events):
    return [event for event in events if isinstance(event, WindowEvent)]


def test_windows_have_times_and_labels(contract):
    runtime, imu, engine = make(contract, [(20, False), (20, False), (40, False)])
    events = list(runtime.events())
    assert [(e.sample, e.label) for e in events] == [(0, "upright"), (16, "upright"), (32, "upright"), (48, "upright")]
    assert [e.t for e in events] == pytest.approx([31 / 50, 47 / 50, 63 / 50, 79 / 50])
    assert engine.windows == [list(range(k, k + 32)) for k in (0, 16, 32, 48)]
    assert imu.log[0] == "identify"
    assert imu.log[-2:] == ["start", "stop"]


def test_event_as_json(contract):
    runtime, *_ = make(contract, [(32, False)], timer=count(0, 1000).__next__)
    (event,) = runtime.events()
    made = event.to_dict()
    assert list(made) == ["t", "label", "confidence", "probabilities", "latency_us"]
    assert made["t"] == 0.62
    assert list(made["probabilities"]) == list(contract.labels)
    assert made["confidence"] == made["probabilities"]["upright"] == pytest.approx(0.964663, abs=1e-6)


# The rate of the first second is measured some per cent wrong, and the samples of the gap behind it are counted by it.
@example([(0, True), (0, False), (20, False), (92, True), (0, False), (30, False)])
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=12))
def test_no_window_spans_a_gap_and_none_is_missing(contract, drains):
    runtime, imu, engine = make(contract, drains)
    events = list(runtime.events())
    windows = windows_of(events)
    for window, event in zip(engine.windows, windows, strict=True):
        assert window == list(range(window[0], window[0] + 32))
        assert event.label == ("upright" if window[0] % 2 == 0 else "lying")
        # Numbers count lost samples, so that a window's number is the number that the chip gave its first sample.
        assert abs(event.sample - window[0]) <= sum(1 + 2.5 * WORST_SPREAD * length for length, lost in drains if lost)
    gaps = [event for event in events if isinstance(event, GapEvent)]
    assert len(gaps) == sum(lost for _, lost in drains)
    assert len(windows) == sum(max(0, (length - 16) // 16) for length in imu.lengths)


def test_gap_event(contract):
    runtime, *_ = make(contract, [(40, False), (104, True), (40, False)])
    events = list(runtime.events())
    assert [type(e).__name__ for e in events] == ["WindowEvent", "RecoveryEvent", "GapEvent", "WindowEvent"]
    gap = events[2]
    assert gap == GapEvent(t=(40 + 104) / 50, reason="overflow", lost_samples=104)
    assert gap.to_dict() == {"gap": {"reason": "overflow", "lost_samples": 104}, "t": 2.88}
    assert events[3].sample == 144


@pytest.mark.parametrize("rate_hz", [47.5, 52.5])
def test_rate_that_is_off_is_measured_and_resampled(contract, rate_hz):
    runtime, _, engine = make(contract, [(4, False)] * 200, rate_hz=rate_hz)
    events = list(runtime.events())
    (lock,) = [event for event in events if isinstance(event, RateEvent)]
    assert lock.rate_hz == pytest.approx(rate_hz, rel=0.003)
    assert lock.resampled
    after = [event.t for event in windows_of(events) if event.t > lock.t]
    assert np.diff(after) == pytest.approx(contract.hop_s)
    # At the model's rate a ramp of one a sample of the chip's climbs by the chip's rate over the model's.
    *_, last = engine.windows
    assert (last[-1] - last[0]) / 31 == pytest.approx(rate_hz / 50, rel=0.03)


def test_rate_too_far_off_is_refused(contract):
    runtime, *_ = make(contract, [(4, False)] * 200, rate_hz=36.0)
    with pytest.raises(SensorError, match=r"^fake: found 3[56][.\d]* samples a second, set to 50, expected 45 to 400"):
        list(runtime.events())


def test_stages_add_up_and_the_callers_time_is_left_out(contract):
    ticks = count(0, 1000)
    profiler = Profiler()
    runtime, *_ = make(contract, [(48, False)], profiler=profiler, timer=ticks.__next__)
    for _ in runtime.events():
        for _ in range(500):
            next(ticks)
    stages = profiler.stages()
    assert stages["end_to_end"]["count"] == 2
    parts = [stages[stage]["max_us"] for stage in ("read", "window", "invoke", "decide")]
    assert parts == [1, 1, 1, 1]
    # The second window's path also holds the first one's, but not the caller's 500.
    assert stages["end_to_end"]["max_us"] < 10


def test_sensor_to_label_holds_the_wait_in_the_fifo(contract):
    profiler = Profiler()
    # 48 samples in one drain: the first window's last one is 16 sample periods older than the newest.
    runtime, *_ = make(contract, [(48, False)], profiler=profiler, timer=count(0, 1000).__next__)
    list(runtime.events())
    first, second = profiler.durations_us("sensor_to_label")
    assert first == pytest.approx(16.5 * 20_000, abs=50)
    assert second == pytest.approx(0.5 * 20_000, abs=50)
    assert profiler.deadlines_missed == 1


def test_wake_ups_are_timed(contract):
    profiler = Profiler()
    runtime, imu, _ = make(contract, [(4, 0), (4, 0)], profiler=profiler)
    sleep = imu.clock.sleep_ns
    imu.clock.sleep_ns = lambda duration_ns: sleep(duration_ns + 3000)
    list(runtime.events())
    assert profiler.wakeup_jitter() == {"count": 3, "p50_us": 3.0, "p99_us": 3.0, "max_us": 3.0, "std_us": 0.0}


def test_seconds_end_it(contract):
    runtime, *_ = make(contract, ((0, False) for _ in count()))
    assert list(runtime.events(seconds=2.0))[-1].t == pytest.approx(1.9, abs=0.3)


def test_sensor_that_stays_silent_is_given_up_with_exit_code_3(contract):
    runtime, imu, _ = make(contract, ((0, False) for _ in count()), imu=DeadImu, patience_s=5.0)
    with pytest.raises(UnhealthyError) as caught:
        list(runtime.events())
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("fake: found no sample for 5.")
    assert "(tried " in str(caught.value)
    assert imu.log.count("identify") > 2


def test_recovery_steps_are_reported_before_giving_up(contract):
    runtime, *_ = make(contract, ((0, False) for _ in count()), imu=DeadImu, patience_s=5.0)
    rungs = []

    def follow():
        for event in runtime.events():
            rungs.extend([event.rung] if isinstance(event, RecoveryEvent) else [])

    with pytest.raises(UnhealthyError):
        follow()
    assert rungs == ["fifo-reset", "reinit", "reopen"]


def test_a_caller_who_stops_puts_the_sensor_to_sleep(contract):
    runtime, imu, _ = make(contract, ((36, False) for _ in count()))
    events = runtime.events()
    next(events)
    events.close()
    assert imu.log[-1] == "stop"


def test_sensor_that_does_not_fit_is_refused(contract):
    with pytest.raises(SensorError, match=r"fake: found 50 samples a second, set to 50, expected 90 to 800"):
        make(replace(contract, rate_hz=100.0), [])
