"""How much a wearer moves and which way is down, from the newest samples of successive windows."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS, ModelContract
from deseptr.device.stream.windows import Window

# Stretch before a window over which the direction of gravity is averaged.
REFERENCE_S = 4.0
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """The newest samples of a window: those that the window before it did not have.

    Args:
        spread: standard deviation of the acceleration, m/s^2: the root of the sum of the three axes' variances.
        gravity: mean acceleration ``[3]``, m/s^2.
        before: the same over the ``REFERENCE_S`` before the window; None at the beginning of a stream.
        peak_s: time from the window's sample with the largest acceleration to its last one, seconds.
    """

    spread: float
    gravity: Vector
    before: Vector | None
    peak_s: float


class MotionMeter:
    """Measures motion, window by window.

    Args:
        contract: the model's; without an accelerometer :meth:`update` gives None.
    """

    def __init__(self, contract: ModelContract) -> None:
        axes = SENSORS["acc"].channels
        present = set(axes) <= set(contract.channels)
        self._columns = [contract.channels.index(axis) for axis in axes] if present else None
        self._rate_hz = contract.rate_hz
        self._reference = round(REFERENCE_S * contract.rate_hz)
        self.forget()

    @property
    def measures(self) -> bool:
        """Whether the model has an accelerometer."""
        return self._columns is not None

    def forget(self) -> None:
        """Begin a new stream."""
        self._end: int | None = None
        self._past: deque[tuple[int, int, Vector]] = deque()

    def update(self, window: Window) -> Motion | None:
        """Measure the newest samples of a window; windows come in order."""
        if self._columns is None:
            return None
        acceleration = window.samples[window.history :, self._columns].astype(np.float64)
        fresh = len(acceleration) if self._end is None else min(window.end - self._end, len(acceleration))
        newest = acceleration[-max(1, fresh) :]
        gravity: Vector = newest.mean(axis=0)
        peak_s = (len(acceleration) - 1 - int((acceleration**2).sum(axis=1).argmax())) / self._rate_hz
        before = self._before(window.start)
        self._end = window.end
        self._past.append((window.end, len(newest), gravity))
        return Motion(math.sqrt(newest.var(axis=0).sum()), gravity, before, peak_s)

    def _before(self, start: int) -> Vector | None:
        while self._past and self._past[0][0] < start - self._reference:
            self._past.popleft()
        earlier = [(count, mean) for end, count, mean in self._past if end < start]
        if not earlier:
            return None
        total: Vector = sum((count * mean for count, mean in earlier), start=np.zeros(3))
        return total / sum(count for count, _ in earlier)


def angle_deg(first: Vector, second: Vector) -> float:
    """Angle between two vectors, degrees; 0 if one of them has no length.

    >>> round(angle_deg(np.array([0, 0, 9.8]), np.array([9.8, 0, 0])))
    90
    """
    length = float(np.linalg.norm(first) * np.linalg.norm(second))
    return math.degrees(math.acos(max(-1.0, min(1.0, float(first @ second) / length)))) if length else 0.0
