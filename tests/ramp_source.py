"""A signal that shows the time of every sample."""

import numpy as np

NS_PER_MS = 1_000_000
STANDARD_GRAVITY = 9.80665


class RampSource:
    """Rises by one accelerometer count, at ±2 g, each millisecond.

    Args:
        duration_ns: length of the signal; None for one without an end.
        gyroscope: whether the gyroscope rises too, by one count at ±250 °/s.
    """

    def __init__(self, duration_ns: int | None = None, *, gyroscope: bool = False) -> None:
        self.duration_ns = duration_ns
        self._gyroscope = gyroscope

    def at(self, times_ns: np.ndarray) -> np.ndarray:
        counts = times_ns / NS_PER_MS
        signals = np.zeros((len(times_ns), 6))
        signals[:, 0] = counts * STANDARD_GRAVITY / 16384
        if self._gyroscope:
            signals[:, 3] = counts * np.deg2rad(1) / 131
        return signals
