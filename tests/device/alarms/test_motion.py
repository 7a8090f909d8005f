from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ModelContract, StftSpec
from deseptr.device.alarms.motion import REFERENCE_S, MotionMeter, angle_deg
from deseptr.device.stream.windows import WindowAssembler

CONTRACT = ModelContract(labels=("a", "b"), window_length=40, hop_length=10, stft=StftSpec(16, 4, 2))


def measured(signals, contract=CONTRACT, history=0):
    meter = MotionMeter(contract)
    assembler = WindowAssembler(contract.window_length, contract.hop_length, signals.shape[1], history)
    return [(window.end, meter.update(window)) for window in assembler.push(signals.astype(np.float32))]


@given(st.integers(0, 2**31), st.sampled_from([0, 7]))
def test_spread_and_gravity_are_those_of_the_newest_hop(seed, history):
    signals = np.random.default_rng(seed).normal(size=(200, 6)) * 5
    for number, (end, motion) in enumerate(measured(signals, history=history)):
        newest = signals[end + 1 - (40 if number == 0 else 10) : end + 1, :3]
        assert motion.spread == pytest.approx(np.sqrt(newest.var(axis=0).sum()), rel=1e-5)
        assert motion.gravity == pytest.approx(newest.mean(axis=0), abs=1e-5)
        window = signals[end - 39 : end + 1, :3]
        assert motion.peak_s == pytest.approx((39 - np.linalg.norm(window, axis=1).argmax()) / 50)


def test_gravity_before_is_of_the_seconds_before_the_window_alone():
    signals = np.zeros((600, 6))
    signals[:300, 2] = 9.8
    signals[300:, 0] = 9.8
    for end, motion in measured(signals):
        start = end - 39
        if motion.before is None:
            assert start < CONTRACT.window_length
        elif start <= 300:
            assert motion.before == pytest.approx([0, 0, 9.8], abs=1e-5)
        elif start - REFERENCE_S * 50 - 10 >= 300:
            assert motion.before == pytest.approx([9.8, 0, 0], abs=1e-5)


def test_a_gyroscope_alone_measures_no_motion():
    axes = ("gyro_x", "gyro_y", "gyro_z")
    contract = replace(CONTRACT, channels=axes, units=("rad/s",) * 3, input_range=(10.0,) * 3)
    assert not MotionMeter(contract).measures
    assert {motion for _, motion in measured(np.ones((100, 3)), contract)} == {None}


def test_angle():
    assert angle_deg(np.array([0, 0, 1.0]), np.array([0, 0, -5.0])) == 180
    assert angle_deg(np.array([1.0, 1.0, 0]), np.array([2.0, 0, 0])) == pytest.approx(45)
    assert angle_deg(np.zeros(3), np.array([2.0, 0, 0])) == 0
