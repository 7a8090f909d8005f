import errno
import time

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.device import GapEvent, Profiler, WindowEvent, run_live
from deseptr.firmware_harness.simulator import (
    BusFault,
    ConstantSource,
    PacedClock,
    RecordingSource,
    ReplayedWindow,
    replay,
    simulated_session,
    truth_of,
)
from deseptr.firmware_harness.simulator.chips.registry import CHIPS, VARIANTS

# One count at ±8 g and ±1000 deg/s, from the datasheet.
COUNT = np.array([9.80665 / 4096] * 3 + [np.pi / 180 / 32.8] * 3)


def through_counts(signals):
    return np.clip(np.rint(signals / COUNT), -32768, 32767) * COUNT


@pytest.mark.parametrize("count", [31, 32, 47, 48, 200, 1001])
def test_windows_are_the_recordings_own_rounded_to_counts(engine, make_recording, make_dataset, count):
    recording = make_recording(count)
    events = list(replay(engine, make_dataset(recording)))
    starts = list(range(0, count - 31, 16))
    assert [event.sample for event in events] == starts
    for start, window in zip(starts, engine.windows, strict=True):
        np.testing.assert_allclose(window, through_counts(recording.signals[start : start + 32]), rtol=1e-6)


def test_every_recording_is_a_session_of_its_own(engine, make_recording, make_dataset):
    recordings = [make_recording(count, seed=count) for count in (70, 10, 50)]
    events = list(replay(engine, make_dataset(*recordings)))
    assert [(e.recording, e.sample) for e in events] == [(0, 0), (0, 16), (0, 32), (2, 0), (2, 16)]
    assert [e.event.t for e in events[:1]] == [31 / 50]
    np.testing.assert_allclose(engine.windows[3], through_counts(recordings[2].signals[:32]), rtol=1e-6)


def test_truth_is_the_one_label_of_a_window(engine, make_recording, make_dataset):
    labels = np.repeat(np.array([0, 1, -1], np.int16), (40, 60, 50))
    events = list(replay(engine, make_dataset(make_recording(150, labels=labels))))
    assert [e.truth for e in events] == ["back", None, None, "forth", "forth", None, None, None]


def test_event_as_json(engine, make_recording, make_dataset):
    (event,) = replay(engine, make_dataset(make_recording(33)))
    made = event.to_dict()
    assert list(made) == ["t", "label", "confidence", "probabilities", "latency_us", "recording", "sample", "truth"]
    assert (made["recording"], made["sample"], made["truth"]) == (0, 0, "back")


@pytest.mark.parametrize("rate_hz", [25.0, 49.0, 100.0, 64.0])
def test_recording_of_another_rate_is_played_at_its_own_rate(engine, make_recording, make_dataset, rate_hz):
    recording = make_recording(round(3 * rate_hz) + 1, rate_hz=rate_hz)
    events = list(replay(engine, make_dataset(recording)))
    assert len(events) == (151 - 32) // 16 + 1
    for event, window in zip(events, engine.windows, strict=True):
        assert event.sample == pytest.approx((event.event.sample / 50) * rate_hz, abs=2)
        times = (event.event.sample + np.arange(32)) / 50 * rate_hz
        for channel in range(6):
            expected = np.interp(times, np.arange(len(recording)), recording.signals[:, channel])
            np.testing.assert_allclose(window[:, channel], expected, atol=0.51 * COUNT[channel] + 1e-5)


def test_seconds_count_over_all_recordings(engine, make_recording, make_dataset):
    dataset = make_dataset(*(make_recording(100) for _ in range(4)))
    events = list(replay(engine, dataset, seconds=3.0))
    assert {event.recording for event in events} == {0, 1}
    assert max(event.event.t for event in events if event.recording == 1) < 1.5


def test_same_recording_gives_the_same_events(engine, make_recording, make_dataset):
    dataset = make_dataset(make_recording(300))
    first, second = ([(e.sample, e.event.probabilities) for e in replay(engine, dataset)] for _ in range(2))
    assert first == second


def test_real_time_takes_as_long_as_the_recording(engine, make_recording, make_dataset):
    begun = time.monotonic()
    assert list(replay(engine, make_dataset(make_recording(40)), make_clock=PacedClock))
    assert time.monotonic() - begun >= 39 / 50


def test_profiler_counts_all_windows(engine, make_recording, make_dataset):
    profiler = Profiler()
    dataset = make_dataset(make_recording(64), make_recording(64))
    assert len(list(replay(engine, dataset, profiler=profiler))) == profiler.count == 6


def test_fault_on_the_bus_is_a_gap_and_no_window_spans_it(engine, make_recording):
    recording = make_recording(400)
    fault = BusFault(errno.EIO, register=0x74, after=12, consumed=7)
    session = simulated_session(RecordingSource(recording), faults=[fault])
    events = list(run_live(engine, session))
    (position,) = [k for k, event in enumerate(events) if isinstance(event, GapEvent)]
    assert events[position].reason == "read-error"
    assert 1 <= events[position].lost_samples <= 42
    for event, window in zip((e for e in events if isinstance(e, WindowEvent)), engine.windows, strict=True):
        # The length of a gap is known to one sample.
        starts = range(event.sample - 1, event.sample + 2)
        expected = [through_counts(recording.signals[max(0, start) : max(0, start) + 32]) for start in starts]
        assert any(e.shape == window.shape and np.allclose(e, window, rtol=1e-5) for e in expected)


def test_unknown_chip():
    with pytest.raises(SetupError) as caught:
        simulated_session(ConstantSource([0] * 6), sensor="bno055")
    assert (
        str(caught.value)
        == f"--sensor: found bno055, expected one of {', '.join((*CHIPS, *VARIANTS))}; choose a simulated sensor"
    )


def test_truth_outside_the_recording_is_unknown(make_recording):
    assert truth_of(make_recording(10), 12, 4, ("back",)) is None
    assert truth_of(make_recording(10), 6, 4, ("back",)) == "back"


def test_a_replay_without_faults_yields_only_windows(engine, make_recording, make_dataset):
    assert all(isinstance(e, ReplayedWindow) for e in replay(engine, make_dataset(make_recording(64))))
