"""Base class of drivers whose chip can push its accelerometer's mass with an electrostatic force."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError

from .fifo_imu import FifoImu
from .self_test import Limits, SelfTest


class SelfTestingImu(FifoImu):
    """A chip with a self-test: its mean acceleration at one force against that at another.

    A subclass declares the constants below, the datasheet's conditions and limits, and implements :meth:`_force`.
    """

    self_test_hz: ClassVar[float]
    self_test_full_scale_g: ClassVar[int]
    self_test_samples: ClassVar[int] = 20
    # Directions of the two forces; 0 is none.
    self_test_forces: ClassVar[tuple[int, int]] = (0, 1)
    self_test_limits_g: ClassVar[Limits]

    def self_test(self) -> SelfTest:
        """Test the chip, at rest; it must be configured again after it.

        Raises:
            SensorError: if the chip or the bus fails.
        """
        gyro_full_scale_dps = max(self.gyro_lsb_per_dps, default=0)
        self._held.clear()
        self._reset()
        self._set_up(self.self_test_hz, self.self_test_full_scale_g, gyro_full_scale_dps)
        means = []
        for force in self.self_test_forces:
            self._force(force)
            means.append(self._mean_g())
        self._held.clear()
        self._reset()
        return SelfTest(tuple(self._change_g(*means).tolist()), self.self_test_limits_g)

    @abstractmethod
    def _force(self, direction: int) -> None:
        """Push the mass, and wait until it has moved."""

    def _change_g(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change ``[3]`` that the datasheet limits."""
        return second - first

    def _mean_g(self) -> NDArray[np.float64]:
        """Mean ``[3]`` of the next samples."""
        self._empty()
        self._clock.sleep_ns(round(self.self_test_samples / self.self_test_hz * 1e9))
        counts = self._decode(self._read_datums(self._level().datums))
        if counts is None or not len(counts):
            raise SensorError(
                self._where, found="no samples in its self-test", expected="samples", next_step="check its power supply"
            )
        return np.asarray(
            counts[:, :3].mean(axis=0, dtype=np.float64) / self.acc_lsb_per_g[self.self_test_full_scale_g]
        )
