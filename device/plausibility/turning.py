"""Whether a gyroscope turns as gravity does: a wrong axis, sign or scale shows while a wearer turns calmly.

Gravity is fixed in the world, so that in the sensor's axes it changes by ``u × ω`` per second (Titterton and Weston,
"Strapdown Inertial Navigation Technology", chapter 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Acceleration is averaged over so many seconds, which leaves little of a step.
BLOCK_S = 0.64
# (m/s^2)^2: squared change of gravity, measured and predicted, below which a window is no evidence; and of all windows
# together, from which on they decide.
LEAST, ENOUGH = 10.0, 50.0
# Share of the earlier evidence that each new window leaves.
KEPT = 0.7
# Share of the squared changes that differs: 0 if they agree, 1 if they have nothing in common, 2 if one is reversed.
DISAGREEMENT = 0.8


class Turning:
    """Compares the gyroscope with the turning of gravity, window after window.

    Args:
        length: samples of a window.
        rate_hz: their rate.

    >>> turning = Turning(128, 50.0)
    >>> turning.disagrees(np.tile(np.float32([0, 0, 9.8]), (128, 1)), np.tile(np.float32([2, 0, 0]), (128, 1)))
    True
    """

    def __init__(self, length: int, rate_hz: float) -> None:
        self._block = max(1, min(length // 2, round(BLOCK_S * rate_hz)))
        self._blocks = length // self._block
        self._seconds = self._block / rate_hz
        self.forget()

    def forget(self) -> None:
        """Drop the evidence so far."""
        self._different = self._changes = 0.0

    def disagrees(self, acc: NDArray[np.float32] | None, gyro: NDArray[np.float32]) -> bool:
        """Take a window and decide on all so far.

        Args:
            acc: ``[length, 3]`` in m/s^2; None if the wearer moves too much for it to be gravity.
            gyro: ``[length, 3]`` in rad/s.
        """
        if acc is not None:
            self._compare(acc, gyro)
        return self._changes >= ENOUGH and self._different > DISAGREEMENT * self._changes

    def _compare(self, acc: NDArray[np.float32], gyro: NDArray[np.float32]) -> None:
        count, block = self._blocks, self._block
        gravity = acc[: count * block].reshape(count, block, 3).sum(1) / block
        # From the middle of each block to that of the next.
        start = block // 2
        rate = gyro[start : start + (count - 1) * block].reshape(count - 1, block, 3).sum(1) / block
        measured = gravity[1:] - gravity[:-1]
        predicted = _cross((gravity[1:] + gravity[:-1]) / 2, rate) * self._seconds
        changes = float(np.vdot(measured, measured) + np.vdot(predicted, predicted))
        if changes < LEAST:
            return
        different = changes - 2 * float(np.vdot(measured, predicted))
        self._changes = KEPT * self._changes + changes
        self._different = KEPT * self._different + different


def _cross(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """``np.cross``, which takes ten times as long."""
    return a[:, (1, 2, 0)] * b[:, (2, 0, 1)] - a[:, (2, 0, 1)] * b[:, (1, 2, 0)]
