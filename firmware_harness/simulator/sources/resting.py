"""A sensor at rest: gravity along one axis, the earth's field, and the noise and bias of a real chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY

from .source import NORTH_UT

# 400 µg/√Hz and 0.005 °/s/√Hz (MPU-6050, PS-MPU-6000A rev 3.4, tables 6.1 and 6.2) over 21 Hz of bandwidth.
ACC_NOISE, GYRO_NOISE = 0.022, 0.0005
# Of an AK09916, microtesla.
MAG_NOISE = 0.4
GYRO_BIAS = (0.012, -0.02, 0.006)


class RestingSource:
    """Signals of a chip at rest.

    Args:
        random: random generator of the noise.
        gyro_bias: bias of each axis, rad/s.

    >>> round(float(RestingSource(np.random.default_rng(0)).at(np.arange(1000))[:, 2].mean()), 1)
    9.8
    """

    duration_ns = None

    def __init__(self, random: np.random.Generator, gyro_bias: tuple[float, float, float] = GYRO_BIAS) -> None:
        self._random = random
        self._mean = np.array([0.0, 0.0, STANDARD_GRAVITY, *gyro_bias])
        self._noise = np.array([ACC_NOISE] * 3 + [GYRO_NOISE] * 3)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``; each call draws new noise."""
        noise: NDArray[np.float64] = self._random.normal(0.0, 1.0, (len(times_ns), 6))
        return self._mean + self._noise * noise

    def field_at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Magnetic field ``[n, 3]`` in microtesla; each call draws new noise."""
        return np.asarray(NORTH_UT + self._random.normal(0.0, MAG_NOISE, (len(times_ns), 3)), np.float64)
