from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from deseptr.contract import STANDARD_GRAVITY as G
from deseptr.data.rigid_body import PHONE_FROM_THIGH, Motion, thigh_readings, turn_about

RATE_HZ = 400.0
UP = np.array([0, 0, G])


def _motion() -> Motion:
    t = np.arange(int(4 * RATE_HZ)) / RATE_HZ
    hip = np.stack([np.sin(3 * t), np.cos(2 * t), 2 * np.sin(5 * t)], 1)
    return Motion(0.5 + 0.7 * np.sin(5 * t), 0.3 * np.cos(4 * t), 0.8 * np.sin(2 * t), hip)


def _orientation(motion: Motion) -> Rotation:
    return Rotation.from_euler("ZYX", np.stack([motion.heading, -motion.flexion, motion.roll], 1))


def test_angular_rate_integrates_to_the_orientation() -> None:
    motion = _motion()
    rate = thigh_readings(motion, RATE_HZ, np.zeros(3))[:, 3:]
    expected = _orientation(motion)
    now = expected[0]
    for step in (rate[1:] + rate[:-1]) / 2 / RATE_HZ:
        now = now * Rotation.from_rotvec(step)
    # Midpoint steps of 2.5 ms drift by less than a milliradian in four seconds.
    assert (now.inv() * expected[-1]).magnitude() < 1e-3


def test_specific_force_is_the_second_derivative_of_the_position_plus_gravitys_reaction() -> None:
    motion, lever = _motion(), np.array([0.07, 0.02, -0.2])
    still = Motion(motion.flexion, motion.roll, motion.heading, np.zeros((len(motion.roll), 3)))
    force = thigh_readings(still, RATE_HZ, lever)[:, :3]
    orientation = _orientation(still)
    position = orientation.apply(lever)
    acceleration = np.diff(position, 2, axis=0) * RATE_HZ**2
    expected = orientation[1:-1].inv().apply(acceleration + UP)
    np.testing.assert_allclose(force[3:-3], expected[2:-2], atol=0.01)


def test_the_hips_acceleration_turns_into_the_thigh() -> None:
    motion = _motion()
    level = Motion(motion.flexion, motion.roll, np.zeros_like(motion.roll), motion.hip)
    force = thigh_readings(level, RATE_HZ, np.zeros(3))[:, :3]
    np.testing.assert_allclose(force, _orientation(level).inv().apply(motion.hip + UP), atol=1e-9)


@pytest.mark.parametrize(("flexion", "expected"), [(0.0, [0, G, 0]), (np.pi / 2, [0, 0, -G])])
def test_gravity_at_an_upright_phone(flexion: float, expected: list[float]) -> None:
    count = 10
    motion = Motion(np.full(count, flexion), np.zeros(count), np.zeros(count), np.zeros((count, 3)))
    readings = thigh_readings(motion, 50.0, np.array([0.0, 0.0, -0.2]))
    np.testing.assert_allclose(readings[:, :3] @ PHONE_FROM_THIGH.T, np.tile(expected, (count, 1)), atol=1e-9)
    np.testing.assert_allclose(readings[:, 3:], 0, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_turns_are_those_of_scipy(axis: int) -> None:
    np.testing.assert_allclose(turn_about(axis, 0.7), Rotation.from_euler("xyz"[axis], 0.7).as_matrix(), atol=1e-12)
    assert np.linalg.det(PHONE_FROM_THIGH) == pytest.approx(1)
