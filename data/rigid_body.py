"""Readings of an inertial sensor on a swinging thigh: the physics of the synthetic wearer, without randomness.

Axes: world x forward, y left, z up; thigh x forward, y left, z from knee to hip when the wearer stands; phone x right,
y up and z out of the screen, which faces the thigh, when the phone is upright in the front pocket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY

Track = NDArray[np.float64]

PHONE_FROM_THIGH = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
"""Rotation from thigh axes to the axes of an upright phone."""

_GRAVITY_REACTION = np.array([0.0, 0.0, STANDARD_GRAVITY])


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion of the thigh.

    Args:
        flexion: float64 ``[sample]`` radians, knee forward and up positive; sitting is about pi/2.
        roll: float64 ``[sample]`` radians about the thigh's forward axis.
        heading: float64 ``[sample]`` radians, left turn positive.
        hip: float64 ``[sample, 3]``, acceleration of the hip in m/s^2, in world axes that rotate with the heading.
    """

    flexion: Track
    roll: Track
    heading: Track
    hip: NDArray[np.float64]

    def stack(self) -> NDArray[np.float64]:
        """The tracks as columns, ``[sample, 6]``."""
        return np.column_stack([self.flexion, self.roll, self.heading, self.hip])

    @classmethod
    def unstack(cls, columns: NDArray[np.float64]) -> Motion:
        """The inverse of :meth:`stack`."""
        return cls(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3:])


def thigh_readings(motion: Motion, rate_hz: float, lever: NDArray[np.float64]) -> NDArray[np.float64]:
    """Specific force and angular rate in thigh axes at a point of the thigh.

    The orientation is ``Rz(heading) Ry(-flexion) Rx(roll)``; the angular rate is its derivative. The specific force is
    the acceleration of the hip minus gravity, rotated to the thigh, plus the tangential and centripetal acceleration at
    ``lever`` (Titterton and Weston, "Strapdown Inertial Navigation Technology", chapter 3).

    Args:
        motion: the tracks.
        rate_hz: their sample rate.
        lever: ``[3]`` from hip to sensor in metres, thigh axes.

    Returns:
        ``[sample, 6]`` in m/s^2 and rad/s.
    """
    rate = _angular_rate(motion, rate_hz)
    spin = np.gradient(rate, 1 / rate_hz, axis=0)
    at_lever = np.cross(spin, lever) + np.cross(rate, np.cross(rate, lever))
    return np.hstack([_into_thigh(motion, motion.hip + _GRAVITY_REACTION) + at_lever, rate])


def thigh_field(motion: Motion, field: NDArray[np.float64]) -> NDArray[np.float64]:
    """A field of the world as the thigh sees it.

    Args:
        motion: the tracks.
        field: ``[3]`` in world axes that do not rotate with the heading.

    Returns:
        ``[sample, 3]`` in thigh axes, in the field's unit.
    """
    cos, sin = np.cos(motion.heading), np.sin(motion.heading)
    ahead = np.column_stack([cos * field[0] + sin * field[1], cos * field[1] - sin * field[0]])
    return _into_thigh(motion, np.column_stack([ahead, np.full(len(cos), field[2])]))


def _angular_rate(motion: Motion, rate_hz: float) -> NDArray[np.float64]:
    step = 1 / rate_hz
    pitch, roll = -motion.flexion, motion.roll
    pitch_rate, roll_rate, turn = (np.gradient(track, step) for track in (pitch, roll, motion.heading))
    return np.column_stack(
        [
            roll_rate - turn * np.sin(pitch),
            pitch_rate * np.cos(roll) + turn * np.sin(roll) * np.cos(pitch),
            -pitch_rate * np.sin(roll) + turn * np.cos(roll) * np.cos(pitch),
        ]
    )


def _into_thigh(motion: Motion, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = vectors.T
    pitch_cos, pitch_sin = np.cos(motion.flexion), -np.sin(motion.flexion)
    roll_cos, roll_sin = np.cos(motion.roll), np.sin(motion.roll)
    forward, up = pitch_cos * x - pitch_sin * z, pitch_sin * x + pitch_cos * z
    return np.column_stack([forward, roll_cos * y + roll_sin * up, -roll_sin * y + roll_cos * up])


def turn_about(axis: int, angle: float) -> NDArray[np.float64]:
    """Rotation matrix ``[3, 3]`` by ``angle`` radians about axis 0, 1 or 2, right-handed."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[after, after] = matrix[last, last] = np.cos(angle)
    matrix[last, after], matrix[after, last] = np.sin(angle), -np.sin(angle)
    return matrix
