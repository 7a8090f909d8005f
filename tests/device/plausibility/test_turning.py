"""Gravity that turns by the gyroscope's rate, and by another."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.device.plausibility.turning import Turning

G = 9.80665
RATE_HZ = 50.0


def turning_body(turn_s, seed, axes=(1, 1, 1)):
    """Gravity in the axes of a body that turns to and fro about some of its axes for 20 s, and its angular rate."""
    rng = np.random.default_rng(seed)
    t = np.arange(1000) / RATE_HZ
    phases, axis_rates = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.5, 1, 3) * axes
    rate = 4 / turn_s * axis_rates * np.sin(2 * np.pi * t[:, None] / turn_s * [1, 0.8, 0.7] + phases)
    up = np.empty((len(t), 3))
    up[0] = (0, 0, G)
    for k in range(1, len(t)):
        # The rotation by the angle of a sample, which leaves the length as it is.
        step = -rate[k - 1] / RATE_HZ
        angle = np.linalg.norm(step)
        axis = step / max(angle, 1e-9)
        cos, sin = np.cos(angle), np.sin(angle)
        up[k] = up[k - 1] * cos + np.cross(axis, up[k - 1]) * sin + axis * (axis @ up[k - 1]) * (1 - cos)
    return up.astype(np.float32), rate.astype(np.float32)


def verdicts(acc, gyro):
    turning = Turning(128, RATE_HZ)
    return [turning.disagrees(acc[k : k + 128], gyro[k : k + 128]) for k in range(0, len(acc) - 127, 64)]


@given(st.floats(2.5, 10), st.integers(0, 1000))
def test_a_body_that_turns_agrees_with_itself(turn_s, seed):
    assert not any(verdicts(*turning_body(turn_s, seed)))


# From about 5.5 s on the slowest of these turns changes gravity too little to decide.
@given(st.floats(2.5, 5), st.integers(0, 1000))
def test_a_reversed_gyroscope_and_exchanged_axes_are_found(turn_s, seed):
    acc, gyro = turning_body(turn_s, seed, axes=(1, 0, 0))
    assert any(verdicts(acc, -gyro))
    assert any(verdicts(acc, gyro[:, (1, 0, 2)]))


@pytest.mark.parametrize("factor", [0.01, 57.3])
def test_a_wrong_unit_is_found(factor):
    acc, gyro = turning_body(4.0, 1)
    assert any(verdicts(acc, gyro * np.float32(factor)))


def test_turning_about_the_vertical_and_rest_are_no_evidence():
    acc = np.tile(np.float32([0, 0, G]), (1000, 1))
    assert not any(verdicts(acc, np.tile(np.float32([0, 0, 2]), (1000, 1))))
    assert not any(verdicts(acc, np.zeros((1000, 3), np.float32)))


def test_evidence_is_forgotten():
    acc, gyro = turning_body(4.0, 1)
    turning = Turning(128, RATE_HZ)
    while not turning.disagrees(acc[:128], -gyro[:128]):
        pass
    turning.forget()
    assert not turning.disagrees(None, gyro[:128])
