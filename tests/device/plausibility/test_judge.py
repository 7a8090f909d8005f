"""Signals that nobody can wear are refused within five seconds, and those of people are not."""

import numpy as np
import pytest
from absurd_signals import at_rest, constant, rotating, washing_machine, white_noise
from hypothesis import given, settings, strategies as st

from deseptr.contract import CHANNELS
from deseptr.data import load_dataset, load_sample
from deseptr.device import Window
from deseptr.device.plausibility import FINDINGS, Plausibility

G = 9.80665
RATE_HZ = 50.0
ACC = CHANNELS[:3]


def judged(signals, channels=CHANNELS, rate_hz=RATE_HZ, length=128, hop=64):
    """What is found in each window of a stream."""
    judge = Plausibility(channels, rate_hz, length)
    starts = range(0, len(signals) - length + 1, hop)
    return [judge.judge(Window(start, signals[start : start + length])) for start in starts]


def clipped():
    """Shaking that goes far beyond the full scale of 2 g."""
    swing = 60 * np.sin(2 * np.pi * 1.5 * np.arange(1000) / RATE_HZ)
    signals = at_rest()
    signals[:, 2] += swing
    return np.clip(signals, -2 * G, 2 * G)


def resampled_constant():
    """What rounding leaves of a constant."""
    return constant(0.1, 0.2, 9.8, 0.01, 0.02, 0.03) * (1 + np.float32(1e-7) * np.arange(1000)[:, None] % 2)


ABSURD = {
    "zeros": (constant(0, 0, 0, 0, 0, 0), {"stuck"}, True),
    "0xFFFF words": (constant(*[-8 * G / 32768] * 3, *[-np.deg2rad(1000) / 32768] * 3), {"stuck"}, True),
    "saturation at -8 g": (constant(*[-8 * G] * 3, *[-np.deg2rad(1000)] * 3), {"saturated"}, True),
    "a constant": (resampled_constant(), {"stuck"}, True),
    "each sample eight times": (np.repeat(at_rest(), 8, axis=0), {"stuck"}, True),
    "clipping": (clipped(), {"saturated"}, True),
    "twice the scale": (at_rest() * np.float32([2, 2, 2, 1, 1, 1]), {"gravity"}, True),
    "gravity removed": (at_rest() - np.float32([0, 0, G, 0, 0, 0]), {"gravity"}, True),
    "washing machine": (washing_machine(), {"spectrum"}, True),
    "white noise": (white_noise(), {"spectrum", "gravity"}, True),
    "rotation about a level axis": (rotating(0), {"rotation"}, False),
    "rotation about the vertical": (rotating(2), {"rotation"}, False),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_signals_are_refused_within_five_seconds_and_as_long_as_they_last(name):
    signals, findings, without_gyroscope = ABSURD[name]
    found = judged(signals)
    assert set(found) <= findings <= FINDINGS.keys()
    if without_gyroscope:
        assert set(judged(signals[:, :3], ACC)) <= findings
    # The first window ends at 2.56 s.
    assert found[0] in findings


def test_coarse_counts_may_stay_the_same_and_are_judged_by_all_else():
    count = 16e-3 * G
    still = np.rint(at_rest() / count) * np.float32(count)
    judge = Plausibility(ACC, RATE_HZ, 128, acc_count=count)
    assert judge.judge(Window(0, still[:128, :3])) is None
    assert judged(still[:, :3], ACC)[0] == "stuck"
    for name, finding in (("saturation at -8 g", "saturated"), ("twice the scale", "gravity")):
        assert judge.judge(Window(0, ABSURD[name][0][:128, :3])) == finding
    # Its gyroscope has no such excuse.
    both = Plausibility(CHANNELS, RATE_HZ, 128, acc_count=count)
    assert both.judge(Window(0, ABSURD["a constant"][0][:128])) == "stuck"


def test_a_gyroscope_alone_is_judged():
    gyro = CHANNELS[3:]
    assert set(judged(rotating(0)[:, 3:], gyro)) == {"rotation"}
    assert set(judged(constant(0, 0, 0), gyro)) == {"stuck"}
    assert set(judged(at_rest()[:, 3:], gyro)) == {None}


@pytest.mark.parametrize("channels", [CHANNELS, ACC, CHANNELS[3:]])
@pytest.mark.parametrize("source", ["sample", "synthetic:subjects=3,seconds=30", "rest"])
def test_nobody_is_refused(source, channels):
    if source == "rest":
        streams = [(at_rest(), RATE_HZ)]
    else:
        dataset = load_sample() if source == "sample" else load_dataset(source)
        streams = [(recording.signals, recording.rate_hz) for recording in dataset.recordings]
    columns = [CHANNELS.index(channel) for channel in channels]
    for signals, rate_hz in streams:
        length = round(2.56 * rate_hz)
        assert set(judged(signals[:, columns], channels, rate_hz, length, length // 2)) <= {None}


@given(st.integers(8, 64), st.data())
@settings(max_examples=30)
def test_short_windows_are_judged_over_the_same_seconds_as_long_ones(length, data):
    hop = data.draw(st.integers(1, length))
    signals = at_rest(5)
    signals[60:] = signals[60]
    found = judged(signals, length=length, hop=hop)
    for number, finding in enumerate(found):
        end = number * hop + length
        # 125 samples are 2.5 s, of which all must be the same.
        assert finding == ("stuck" if end >= 60 + 125 else None) or (finding == "stuck" and end >= 60 + 94)


@pytest.mark.parametrize(("sign", "found"), [(1, {None}), (-1, {"rotation"})])
def test_a_gyroscope_that_turns_the_other_way_than_gravity_is_refused(sign, found):
    turns = 2 * np.pi * np.arange(1000) / RATE_HZ / 5
    angle, rate = 1.2 * np.sin(turns), 1.2 * 2 * np.pi / 5 * np.cos(turns)
    signals = at_rest()
    signals[:, 0] += G * np.sin(angle)
    signals[:, 2] += G * (np.cos(angle) - 1)
    signals[:, 4] -= sign * rate
    assert set(judged(signals)) == found


@pytest.mark.parametrize("hop", [64, 16, 4])
def test_one_movement_is_as_much_evidence_at_every_hop(hop):
    # A third of a right angle that the gyroscope does not see: too little, however many windows it is in.
    angle = np.deg2rad(30) * np.clip((np.arange(1000) - 500) / 2, 0, 1)
    signals = at_rest()
    signals[:, 0] += G * np.sin(angle)
    signals[:, 2] += G * (np.cos(angle) - 1)
    assert set(judged(signals, hop=hop)) == {None}


def test_samples_on_both_sides_of_a_gap_are_not_judged_together():
    judge = Plausibility(CHANNELS, RATE_HZ, 64)
    signals = constant(0, 0, 0, 0, 0, 0)
    assert judge.judge(Window(0, signals[:64])) is None
    assert judge.judge(Window(64, signals[64:128])) == "stuck"
    judge.gap()
    assert judge.judge(Window(128, signals[:64])) is None
    # Nor if a window is missing.
    assert judge.judge(Window(400, signals[:64])) is None
    assert judge.judge(Window(464, signals[:64])) == "stuck"


def test_channels_of_other_sensors_and_another_order_do_not_matter():
    channels = ("other", *CHANNELS[3:], *ACC)
    signals = np.hstack([np.zeros((1000, 1), np.float32), washing_machine()[:, (3, 4, 5, 0, 1, 2)]])
    assert set(judged(signals, channels)) == {"spectrum"}
    signals[:, 1:] = at_rest()[:, (3, 4, 5, 0, 1, 2)]
    assert set(judged(signals, channels)) == {None}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hapt.npz", "motionsense.npz", "sisfall.npz"])
def test_fewer_than_one_window_of_people_in_a_thousand_is_refused(real_file, name):
    found = []
    for recording in load_dataset(real_file(name)).recordings:
        length = round(2.56 * recording.rate_hz)
        found += judged(recording.signals, rate_hz=recording.rate_hz, length=length, hop=length // 2)
    assert sum(finding is not None for finding in found) < len(found) / 1000
