"""Chips with a magnetometer in their package: it is set up, and read into the FIFO, if a model wants it.

Without one they are driven as six-axis chips, and the magnetometer is left alone.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS, SensorError

from .fifo_imu import FifoImu, SettingsLostError
from .imu import ImuConfig, ImuSettings
from .magnetometer import ADDRESS, FULL_SCALE_UT, RATE_HZ, Magnetometer

SIX_AXES_BYTES = 12
# Room left for the samples that come in between reading the count and reading the data.
MARGIN_DATUMS = 3
# A magnetometer without a new measurement for so long has stopped.
LONGEST_STALE_S = 0.25


class NineAxisImu(FifoImu):
    """A chip whose I2C master can read a magnetometer with every sample."""

    magnetometer: ClassVar[type[Magnetometer]]
    fifo_bytes: ClassVar[int]
    _magnetometer: Magnetometer | None = None
    _stale_limit = 0.0

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels of its samples."""
        return (*super().channels, *(SENSORS["mag"].channels if self._magnetometer else ()))

    def configure(self, config: ImuConfig) -> ImuSettings:
        """As any chip; if a magnetometer is wanted and the chip has one, its samples have nine channels.

        Raises:
            SensorError: also if the magnetometer does not answer or does not measure.
        """
        wanted = config.mag_full_scale_ut
        self._use(None)
        if wanted is None or not self._has_magnetometer():
            return super().configure(config)
        self._full_scale("magnetometer", wanted, {int(FULL_SCALE_UT): 1.0}, "uT")
        self._use(magnetometer := self.magnetometer(self.bus, self._clock, self._where))
        settings = super().configure(config)
        self._start(magnetometer)
        self._stale_limit = max(1.0, LONGEST_STALE_S * settings.rate_hz)
        return replace(settings, mag_full_scale_ut=FULL_SCALE_UT)

    @abstractmethod
    def _has_magnetometer(self) -> bool:
        """Whether the chip is one with a magnetometer in its package."""

    @abstractmethod
    def _connect(self, on: bool) -> None:
        """Stop the I2C master, and connect the auxiliary bus to the host's, or part them again."""

    @abstractmethod
    def _hold_slave(self, address: int, register: int, length: int) -> None:
        """Have the I2C master read from slave 0 with every sample, once it is enabled."""

    def _start(self, magnetometer: Magnetometer) -> None:
        self._connect(True)
        magnetometer.set_up()
        self._connect(False)
        self._hold_slave(ADDRESS, magnetometer.status_1, magnetometer.reading_bytes)
        self._scale = np.concatenate([self._scale, magnetometer.scale_ut()])

    def _stop_magnetometer(self) -> None:
        """Let it sleep, if it can be reached: that the chip itself is put to sleep matters more."""
        if self._magnetometer:
            with suppress(SensorError):
                self._connect(True)
                self._magnetometer.power_down()
                self._connect(False)

    def _decode(self, data: bytes) -> NDArray[np.int16] | NDArray[np.float32] | None:
        if not self._magnetometer:
            return super()._decode(data)
        datums = np.frombuffer(data, np.uint8).reshape(-1, self.datum_bytes)
        six = np.ascontiguousarray(datums[:, :SIX_AXES_BYTES]).view(">i2")
        field = self._magnetometer.decode(datums[:, SIX_AXES_BYTES:])
        if self._magnetometer.stale > self._stale_limit:
            raise SettingsLostError(
                f"{self._where}, {self._magnetometer.name}",
                found=f"no new measurement in {self._magnetometer.stale} samples",
                expected=f"{RATE_HZ} a second",
                next_step="check its power supply; it was reset or disturbed",
            )
        return np.concatenate([six, field], axis=1)

    def _use(self, magnetometer: Magnetometer | None) -> None:
        """Set the size of a datum, in the place of the class's, which is that of six axes."""
        self._magnetometer = magnetometer
        own = vars(self)
        for name in ("datum_bytes", "capacity"):
            own.pop(name, None)
        if magnetometer:
            size = SIX_AXES_BYTES + magnetometer.reading_bytes
            own |= {"datum_bytes": size, "capacity": self.fifo_bytes // size - MARGIN_DATUMS}

    @property
    def _slaves(self) -> int:
        """Bit mask of the slaves that are read into the FIFO; 0 without magnetometer."""
        return 1 if self._magnetometer else 0
