"""What samples show on the terminal: strength of the motion over time, direction of gravity, and the rate so far."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from deseptr.contract import SENSORS, STANDARD_GRAVITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deseptr.device.drained import Drained

CELL_S = 0.25
LEVELS = "▁▂▃▄▅▆▇█"
_CELLS_KEPT = 1000
# Time constant of the mean acceleration, in which the motion of a step cancels out.
_GRAVITY_S = 1.0
# Below this acceleration in m/s^2 the strip does not fill its height: a person who sits is a flat line.
_FULL_STRIP = 2 * STANDARD_GRAVITY


class MotionStrip:
    """Keeps the largest |a| of each quarter second and the mean acceleration of about the last second.

    >>> from deseptr.contract import CHANNELS
    >>> from deseptr.device.drained import Drained
    >>> strip = MotionStrip()
    >>> strip.take(Drained(0.0, np.tile(np.float32([0, 0, -9.8, 0, 0, 0]), (50, 1)), CHANNELS, 50.0))
    >>> strip.sparkline(80), strip.gravity
    ('▄▄▄▄', 'x 0.0, y 0.0, z -9.8 m/s²')
    """

    def __init__(self) -> None:
        self.rate_hz: float | None = None
        self._cells: deque[float] = deque(maxlen=_CELLS_KEPT)
        self._cell = -1
        self._mean: NDArray[np.float32] | None = None

    def take(self, drained: Drained) -> None:
        """Note the samples of one read; a sensor without an accelerometer leaves no strip."""
        self.rate_hz = drained.rate_hz
        names = SENSORS["acc"].channels
        if not len(drained.signals) or not set(names) <= set(drained.channels):
            return
        acceleration = drained.signals[:, [drained.channels.index(name) for name in names]]
        self._note_strength(drained.t + np.arange(len(acceleration)) / drained.rate_hz, acceleration)
        self._note_mean(acceleration.mean(axis=0), len(acceleration) / drained.rate_hz)

    def begin_again(self) -> None:
        """Forget the samples: another recording begins, whose time starts at 0."""
        self._cells.clear()
        self._cell, self._mean = -1, None

    def sparkline(self, width: int) -> str:
        """The last ``width`` cells, a character each; the newest is at the right."""
        cells = list(self._cells)[-width:]
        full = max(_FULL_STRIP, *cells) if cells else 1.0
        return "".join(LEVELS[min(len(LEVELS) - 1, int(value / full * len(LEVELS)))] for value in cells)

    @property
    def strongest(self) -> float | None:
        """Largest |a| in m/s^2 of the newest cell; None before the first sample."""
        return self._cells[-1] if self._cells else None

    @property
    def gravity(self) -> str | None:
        """The mean acceleration, which is gravity's reaction while the sensor is not turned; None before a sample."""
        if self._mean is None:
            return None
        # `+ 0.0` makes 0.0 of -0.0.
        parts = (f"{axis} {round(float(value), 1) + 0.0:.1f}" for axis, value in zip("xyz", self._mean, strict=True))
        return ", ".join(parts) + " m/s²"

    def _note_strength(self, t_s: NDArray[np.float64], acceleration: NDArray[np.float32]) -> None:
        strengths = np.sqrt(np.square(acceleration).sum(axis=1)).tolist()
        for cell, strength in zip((t_s // CELL_S).astype(int).tolist(), strengths, strict=True):
            if cell == self._cell and self._cells:
                self._cells[-1] = max(self._cells[-1], strength)
            else:
                self._cell = cell
                self._cells.append(strength)

    def _note_mean(self, mean: NDArray[np.float32], seconds: float) -> None:
        share = 1.0 if self._mean is None else -np.expm1(-seconds / _GRAVITY_S)
        before = mean if self._mean is None else self._mean
        self._mean = before + share * (mean - before)
