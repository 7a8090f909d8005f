from contextlib import closing
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import ALL_CHANNELS, SensorError, SetupError
from deseptr.data import Recording, load_dataset, read_csv, synthetic_day
from deseptr.device import ImuConfig, RecoveryStep, UnhealthyError
from deseptr.device.recorder import Activity, Interruption, Progress, StepBegan, Take, record, session_steps
from deseptr.firmware_harness.simulator import (
    BrownOut,
    BusFault,
    ConstantSource,
    Hang,
    Nack,
    RateError,
    RecordingSource,
    VirtualClock,
    simulated_session,
)

CONFIG = ImuConfig(50.0, 8.0, 1000.0)
STANDING = [0.0, 9.8, 0.0, 0.0, 0.0, 0.0]
FIFO_R_W = 0x74
WALK = session_steps((Activity("walking", 10.0, prepare_s=3.0),))
SECOND = 1_000_000_000


def wearer(seconds=60.0, rate_hz=50.0):
    count = round(seconds * rate_hz)
    signals = np.random.default_rng(3).normal(0, 3, (count, 6)).astype(np.float32)
    return Recording(signals, rate_hz, "9", np.zeros(count, np.int16))


def run(session, folder, steps=WALK, disturb=lambda event: None):
    events = []
    for event in record(session, steps, folder, "ada", CONFIG):
        events.append(event)
        disturb(event)
    return events


def takes(events):
    return [event for event in events if isinstance(event, Take)]


def test_a_session_writes_only_its_activities(tmp_path):
    steps = session_steps((Activity("walking", 6, prepare_s=4, rest_s=3), Activity("sitting", 5, prepare_s=2)))
    recording = wearer()
    events = run(simulated_session(RecordingSource(recording)), tmp_path, steps)
    began = [(event.step.kind, event.number, event.steps) for event in events if isinstance(event, StepBegan)]
    assert began == [("prepare", 1, 5), ("activity", 2, 5), ("rest", 3, 5), ("prepare", 4, 5), ("activity", 5, 5)]
    assert [(take.label, take.samples, take.gaps) for take in takes(events)] == [
        ("walking", 300, 0),
        ("sitting", 250, 0),
    ]
    dataset = load_dataset(tmp_path)
    assert [len(r) for r in dataset.recordings] == [250, 300]
    walking = dataset.recordings[1]
    assert (walking.subject, dataset.label_names[walking.labels[0]], walking.name) == ("ada", "walking", "walking-1")
    # The source's signal from second 4 on, within a poll, at the resolution of the counts.
    starts = range(195, 215)
    off = min(np.abs(walking.signals - recording.signals[start : start + 300]).max() for start in starts)
    assert off < 0.005


def test_an_accelerometer_alone_writes_its_three_channels(tmp_path):
    (take,) = takes(run(simulated_session(ConstantSource(STANDING), sensor="adxl345"), tmp_path))
    (recording,) = read_csv(take.path).recordings
    assert recording.channels == ("acc_x", "acc_y", "acc_z")
    assert recording.signals == pytest.approx(np.tile(STANDING[:3], (500, 1)), abs=9.80665 / 512)
    assert "gyro" not in take.path.read_text()


@pytest.mark.parametrize("sensor", ["mpu9250", "icm20948"])
def test_a_magnetometer_is_recorded_if_it_is_asked_for(tmp_path, sensor):
    day = synthetic_day(seconds=3, magnetometer=True)
    session = simulated_session(RecordingSource(day), sensor=sensor)
    events = list(record(session, WALK, tmp_path, "ada", replace(CONFIG, mag_full_scale_ut=0.0)))
    (recording,) = read_csv(takes(events)[0].path).recordings
    assert recording.channels == ALL_CHANNELS
    np.testing.assert_allclose(np.linalg.norm(recording.axes("mag"), axis=1), 49, atol=9)
    assert run(simulated_session(RecordingSource(day), sensor=sensor), tmp_path)
    assert read_csv(tmp_path / "ada_walking_2.csv").channels == ALL_CHANNELS[:6]


def test_a_chip_without_magnetometer_is_refused_with_both_lists_and_writes_nothing(tmp_path):
    session = simulated_session(ConstantSource(STANDING), sensor="mpu6050")
    with pytest.raises(
        SensorError, match=r"found channels acc_x .* gyro_z, expected acc_x .* gyro_z mag_x mag_y mag_z"
    ):
        list(record(session, WALK, tmp_path, "ada", replace(CONFIG, mag_full_scale_ut=0.0)))
    assert not list(tmp_path.glob("*.csv"))


def test_times_follow_the_measured_rate(tmp_path):
    (take,) = takes(run(simulated_session(ConstantSource(STANDING), faults=[RateError(rate_error=-0.03)]), tmp_path))
    (recording,) = read_csv(take.path).recordings
    assert recording.rate_hz == pytest.approx(50 * 0.97, rel=2e-3)
    assert take.rate_hz == pytest.approx(recording.rate_hz, rel=1e-4)
    assert take.measured_hz == pytest.approx(50 * 0.97, rel=5e-4)
    assert len(recording) == pytest.approx(10 * 50 * 0.97, abs=1)
    assert not take.drifted


def test_drift_is_reported():
    take = Take("x.csv", "walking", 100, 2.0, 0, 50.0, 50.2)
    assert not take.drifted
    assert replace(take, measured_hz=50.3).drifted


def test_a_gap_begins_another_recording(tmp_path):
    session = simulated_session(ConstantSource(STANDING))
    stalls = iter([5.0])

    def stall(event):
        if isinstance(event, Progress) and event.path and event.done_s > 4:
            session.clock.sleep_ns(round(next(stalls, 0) * SECOND))

    events = run(session, tmp_path, session_steps((Activity("walking", 20.0, prepare_s=3.0),)), stall)
    (gap,) = (event for event in events if isinstance(event, Interruption))
    assert gap.reason == "overflow"
    assert gap.lost_samples == pytest.approx(5 * 50, abs=10)
    (take,) = takes(events)
    before, after = read_csv(take.path).recordings
    assert (before.name, after.name) == ("walking-1", "walking-1.2")
    assert len(before) + len(after) == take.samples
    assert len(before) + len(after) + gap.lost_samples == pytest.approx(1000, abs=1)
    assert take.gaps == 1
    text = take.path.read_text().splitlines()
    resumed = float(text[1 + len(before)].split(",")[0])
    assert resumed == pytest.approx(gap.t, abs=1e-6)
    assert gap.t == pytest.approx((len(before) + gap.lost_samples) / take.rate_hz, abs=0.01)


def test_a_gap_during_the_countdown_is_not_reported(tmp_path):
    session = simulated_session(ConstantSource(STANDING))
    stalls = iter([5.0])

    def stall(event):
        if isinstance(event, Progress) and event.path is None and event.done_s > 1:
            session.clock.sleep_ns(round(next(stalls, 0) * SECOND))

    events = run(session, tmp_path, session_steps((Activity("walking", 4.0, prepare_s=9.0),)), stall)
    assert not [event for event in events if isinstance(event, Interruption)]
    assert [(take.samples, take.gaps) for take in takes(events)] == [(200, 0)]


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0.1, 4.0)), max_size=4), st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_no_recording_spans_a_gap_and_every_sample_is_once_there(tmp_path_factory, stalls, broken_reads):
    """Whatever stalls the host and breaks reads, each recording is a part of the source's signal."""
    signals = np.zeros((3000, 6), np.float32)
    signals[:, 0] = np.arange(3000) * 0.01
    recording = Recording(signals, 50.0, "9", np.zeros(3000, np.int16))
    faults = [BusFault(register=FIFO_R_W, after=60 + broken_reads, consumed=5)]
    session = simulated_session(RecordingSource(recording), faults=faults)
    at = {65 + poll: seconds for poll, seconds in stalls}
    polls = iter(range(10_000))

    def stall(event):
        if isinstance(event, Progress):
            session.clock.sleep_ns(round(at.get(next(polls), 0) * SECOND))

    folder = tmp_path_factory.mktemp("takes")
    events = run(session, folder, session_steps((Activity("walking", 12.0, prepare_s=3.0),)), stall)
    (take,) = takes(events)
    recordings = read_csv(take.path).recordings
    samples = [np.rint(r.signals[:, 0].astype(float) / 0.01).astype(int) for r in recordings]
    assert all((np.diff(numbers) == 1).all() for numbers in samples)
    assert all(before[-1] < after[0] for before, after in pairwise(samples))
    assert take.gaps == sum(isinstance(event, Interruption) for event in events)
    assert len(recordings) <= take.gaps + 1
    # A lone sample between two gaps has no rate; none is made up.
    assert take.samples - take.gaps - 1 <= sum(map(len, recordings)) <= take.samples


def test_ends_with_the_wearer(tmp_path):
    events = run(simulated_session(RecordingSource(wearer(8.0))), tmp_path)
    (take,) = takes(events)
    assert take.samples == pytest.approx(5 * 50, abs=6)


def test_a_caller_who_stops_keeps_the_samples_so_far(tmp_path):
    closed = []
    made = simulated_session(ConstantSource(STANDING))
    session = replace(made, close=lambda: closed.append(True))
    with closing(record(session, WALK, tmp_path, "ada", CONFIG)) as events:
        for event in events:
            if isinstance(event, Progress) and event.path and event.done_s > 3:
                break
    assert closed == [True]
    assert len(read_csv(event.path).recordings[0]) == pytest.approx(3 * 50, abs=6)
    assert made.imu.pwr_mgmt_1.read()["SLEEP"] == 1


def test_a_lost_bus_keeps_the_samples_so_far(tmp_path):
    session = simulated_session(ConstantSource(STANDING), faults=[Nack(at_s=9, duration_s=1000)])
    with pytest.raises(UnhealthyError, match=r"found no sample for 20\.0 s"):
        run(session, tmp_path)
    (recording,) = load_dataset(tmp_path).recordings
    assert 200 < len(recording) < 400


@pytest.mark.parametrize(
    ("fault", "rung", "lost_s"),
    [
        (Nack(at_s=7, transfers=1), "retry", 0.0),
        (Nack(at_s=7, duration_s=2.0), "reopen", 2.0),
        (BrownOut(at_s=7, duration_s=0.3), "reinit", 0.3),
        (Hang(at_s=7), "reinit", 0.4),
    ],
)
def test_a_recovered_sensor_costs_a_gap_at_most(tmp_path, fault, rung, lost_s):
    session = simulated_session(ConstantSource(STANDING), faults=[fault])
    events = run(session, tmp_path)
    assert rung in [event.rung for event in events if isinstance(event, RecoveryStep)]
    (take,) = takes(events)
    recordings = read_csv(take.path).recordings
    assert (take.gaps, len(recordings)) == (0, 1) if lost_s == 0 else (take.gaps >= 1 and len(recordings) == 2)
    # A bus is tried again ever more rarely.
    assert 0 <= 10 - lost_s - take.samples / 50 <= (2 * lost_s + 0.5 if lost_s else 0.01)


def test_an_unwritable_folder_is_refused_before_the_sensor_is_set_up(tmp_path):
    (tmp_path / "file").write_text("")
    closed = []
    session = replace(simulated_session(ConstantSource(STANDING)), imu=None, close=lambda: closed.append(True))
    with pytest.raises(SetupError, match="expected a writable folder"):
        run(session, tmp_path / "file")
    assert closed == [True]


def test_polls_are_frequent_enough_for_a_fast_rate(tmp_path):
    session = simulated_session(ConstantSource(STANDING), clock=VirtualClock())
    events = list(record(session, WALK, tmp_path, "ada", ImuConfig(500.0, 8.0, 1000.0)))
    (take,) = takes(events)
    assert (take.samples, take.gaps) == (5000, 0)
