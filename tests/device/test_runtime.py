from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deseptr.contract import SensorError
from deseptr.device import Gap, GapEvent, ImuSettings, Profiler, Runtime, Samples, WindowEvent
from deseptr.device.runtime import poll_period_ns
from deseptr.firmware_harness import VirtualClock


class FakeEngine:
    """Says `upright` where the window's first value is even, and keeps all windows."""

    name, threads = "fake 1", 1

    def __init__(self, contract):
        self.contract = contract
        self.windows = []

    def invoke(self, window):
        self.windows.append(window[:, 0].astype(int).tolist())
        return np.array([0, 4 * (window[0, 0] % 2 == 0), 0], np.float32)


class FakeImu:
    """A chip of 50 Hz whose drains are told: how many samples came, and how many were lost before them."""

    name, capacity = "fake", 60
    settings = ImuSettings(50.0, 8, 1000, 20)

    def __init__(self, clock, drains):
        self.clock = clock
        self.drains = iter(drains)
        self.drained = False
        self.log = []
        self.number = 0

    def identify(self):
        self.log.append("identify")

    def configure(self, config):
        self.log.append(config)
        return self.settings

    def start(self):
        self.log.append("start")

    def stop(self):
        self.log.append("stop")
        raise SensorError("fake", found="no answer", expected="one", next_step="-")

    def drain(self):
        try:
            came, lost = next(self.drains)
        except StopIteration:
            self.drained = True
            return Samples(np.empty((0, 6), np.float32))
        if lost:
            self.clock.sleep_ns(lost * 20_000_000)
            self.number += lost
            return Samples(np.empty((0, 6), np.float32), Gap("overflow", self.clock.now_ns()))
        self.number += came
        return Samples(np.arange(self.number - came, self.number, dtype=np.float32)[:, None].repeat(6, 1))


def make(contract, drains, **options):
    clock = VirtualClock()
    imu = FakeImu(clock, drains)
    engine = FakeEngine(contract)
    runtime = Runtime(imu, engine, clock, ended=lambda: imu.drained, **options)
    return runtime, imu, engine


def test_windows_have_times_and_labels(contract):
    runtime, imu, engine = make(contract, [(20, 0), (20, 0), (40, 0)])
    events = list(runtime.events())
    assert [(e.sample, e.label) for e in events] == [(0, "upright"), (16, "upright"), (32, "upright"), (48, "upright")]
    assert [e.t for e in events] == pytest.approx([31 / 50, 47 / 50, 63 / 50, 79 / 50])
    assert engine.windows == [list(range(k, k + 32)) for k in (0, 16, 32, 48)]
    assert imu.log[0] == "identify"
    assert imu.log[-2:] == ["start", "stop"]


def test_event_as_json(contract):
    runtime, *_ = make(contract, [(32, 0)], timer=count(0, 1000).__next__)
    (event,) = runtime.events()
    made = event.to_dict()
    assert list(made) == ["t", "label", "confidence", "probabilities", "latency_us"]
    assert made["t"] == 0.62
    assert list(made["probabilities"]) == list(contract.labels)
    assert made["confidence"] == made["probabilities"]["upright"] == pytest.approx(0.964663, abs=1e-6)


@given(st.lists(st.one_of(st.tuples(st.integers(0, 40), st.just(0)), st.tuples(st.just(0), st.integers(1, 500)))))
def test_no_window_spans_a_gap_and_none_is_missing(contract, drains):
    runtime, _, engine = make(contract, drains, silence_s=1e9)
    events = list(runtime.events())
    windows = [event for event in events if isinstance(event, WindowEvent)]
    assert len(events) - len(windows) == sum(lost > 0 for _, lost in drains)
    for window, event in zip(engine.windows, windows, strict=True):
        assert window == list(range(window[0], window[0] + 32))
        assert event.label == ("upright" if window[0] % 2 == 0 else "lying")
    assert len(windows) == sum(max(0, (length - 16) // 16) for length in segment_lengths(drains))


def segment_lengths(drains):
    lengths = [0]
    for came, lost in drains:
        lengths[-1] += came
        lengths += [0] if lost else []
    return lengths


def test_gap_event(contract):
    runtime, *_ = make(contract, [(40, 0), (0, 100), (40, 0)])
    events = list(runtime.events())
    assert [type(e).__name__ for e in events] == ["WindowEvent", "GapEvent", "WindowEvent"]
    gap = events[1]
    # The poll itself takes four samples' time (a quarter of the hop) before the hundred are lost.
    assert gap == GapEvent(t=(40 + 104) / 50, reason="overflow", lost_samples=104)
    assert gap.to_dict() == {"gap": {"reason": "overflow", "lost_samples": 104}, "t": 2.88}
    assert events[2].sample == 144


def test_stages_add_up_and_the_callers_time_is_left_out(contract):
    ticks = count(0, 1000)
    profiler = Profiler()
    runtime, *_ = make(contract, [(48, 0)], profiler=profiler, timer=ticks.__next__)
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
    runtime, *_ = make(contract, [(48, 0)], profiler=profiler, timer=count(0, 1000).__next__)
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
    runtime, *_ = make(contract, ((4, 0) for _ in count()))
    assert list(runtime.events(seconds=2.0))[-1].t == pytest.approx(1.9, abs=0.3)


def test_sensor_that_falls_silent_is_an_error(contract):
    runtime, *_ = make(contract, ((0, 0) for _ in count()))
    with pytest.raises(SensorError) as caught:
        list(runtime.events())
    assert str(caught.value) == (
        "fake: found no sample for 2.1 s, expected 50 a second; check its power supply, and start again"
    )


def test_a_caller_who_stops_puts_the_sensor_to_sleep(contract):
    runtime, imu, _ = make(contract, ((40, 0) for _ in count()))
    events = runtime.events()
    next(events)
    events.close()
    assert imu.log[-1] == "stop"


def test_sensor_that_does_not_fit_is_refused(contract):
    with pytest.raises(SensorError, match="fake: found 50 Hz, expected 100 Hz within 2% as in the model"):
        make(replace(contract, rate_hz=100.0), [])


@pytest.mark.parametrize(
    ("hop", "capacity", "rate_hz", "milliseconds"), [(64, 82, 50, 320), (1000, 82, 50, 1640 / 3), (1, 82, 50, 20)]
)
def test_polling_is_a_quarter_hop_and_never_lets_the_fifo_fill(hop, capacity, rate_hz, milliseconds):
    assert poll_period_ns(hop, capacity, rate_hz) == pytest.approx(milliseconds * 1e6)
