"""The magnetometers of Asahi Kasei inside other chips' packages: setting up, and decoding what a FIFO has of them.

After the datasheets AK8963 (MS1356-E-02), inside an MPU-9250, and AK09916 (015007392-E-02), inside an ICM-20948. Each
answers at 0x0C while the chip around it connects its auxiliary bus to the host's. It measures 100 times a second, and
the chip's I2C master reads its status, data and second status with every sample: a sample has the latest measurement,
which is up to 10 ms older, and above 100 Hz samples repeat it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError
from deseptr.device.bus import NO_ANSWER, BusError, I2cBus
from deseptr.device.clock import Clock

ADDRESS = 0x0C
COMPANY = 0x48
DRDY, HOFL = 0x01, 0x08
# ±4912 uT, of the sum of the axes' magnitudes; the same for both.
FULL_SCALE_UT = 4912.0
FINE_UT = 0.15
RATE_HZ = 100
# A reset or a change of mode takes 100 us, a measurement 9 ms at most.
PAUSE_NS = 1_000_000
MEASUREMENT_NS = 10_000_000
MEASUREMENT_ATTEMPTS = 5


class Magnetometer(ABC):
    """A magnetometer, reached over the host's bus while it is set up.

    Args:
        bus: the bus.
        clock: for its bounded waits.
        where: the chip around it, for messages.
    """

    name: ClassVar[str]
    # The second byte of the identity, if it tells models apart; the first is the company's.
    device_id: ClassVar[int | None] = None
    # First register and number of bytes of a reading: ST1, the data, little-endian, and ST2 last.
    status_1: ClassVar[int]
    reading_bytes: ClassVar[int]
    # Bits that are always set in ST2 when the mode is the one that was set.
    status_2_set: ClassVar[int] = 0
    mode_register: ClassVar[int]
    # The accelerometer's x, y and z: the axis here that lies along each, and in which direction.
    axes: ClassVar[Sequence[tuple[int, int]]]

    def __init__(self, bus: I2cBus, clock: Clock, where: str) -> None:
        self._bus, self._clock, self._where = bus, clock, f"{where}, {self.name}"
        self._columns = [axis for axis, _ in self.axes]
        self._signs = np.array([sign for _, sign in self.axes], np.int16)
        self._held = np.zeros(3, np.int16)
        self._scale_ut = np.full(3, FINE_UT)
        self.stale = 0
        """Samples since the last one that came with a new measurement."""

    def set_up(self) -> None:
        """Identify and reset it, read its adjustment, and let it measure.

        Raises:
            SensorError: if it does not answer, is another chip, or does not measure.
        """
        self._identify()
        self._reset()
        self._scale_ut = np.abs(self._in_frame(FINE_UT * self._adjustment()))
        self._set_mode(self._continuous())
        for _ in range(MEASUREMENT_ATTEMPTS):
            self._clock.sleep_ns(MEASUREMENT_NS)
            reading = self._bus.read(ADDRESS, self.status_1, self.reading_bytes)
            if reading[0] & DRDY:
                self._held[:] = 0
                self._held = self.decode(np.frombuffer(reading, np.uint8)[None])[0]
                return
        raise SensorError(
            self._where,
            found=f"no measurement in {MEASUREMENT_ATTEMPTS * MEASUREMENT_NS // 1_000_000} ms",
            expected=f"{RATE_HZ} a second",
            next_step="power the sensor off and on",
        )

    def power_down(self) -> None:
        """Stop measuring."""
        self._set_mode(0)

    def scale_ut(self) -> NDArray[np.float32]:
        """float32 ``[3]``: microtesla of one count, along the axes of the accelerometer."""
        return self._scale_ut.astype(np.float32)

    def decode(self, readings: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Counts ``[n, 3]`` along the axes of the accelerometer, of readings ``[n, reading_bytes]``, oldest first.

        A reading that overflowed or failed has the counts of the one before it.
        """
        if not len(readings):
            return np.empty((0, 3), np.int16)
        data = np.ascontiguousarray(readings[:, 1:7])
        counts = self._in_frame(data.view("<i2"))
        status_2 = readings[:, -1]
        good = (status_2 & (HOFL | self.status_2_set) == self.status_2_set) & data.any(axis=1)
        latest = np.maximum.accumulate(np.where(good, np.arange(len(readings)), -1))
        held = np.where((latest < 0)[:, None], self._held, counts[latest])
        self._held = held[-1]
        fresh = np.flatnonzero(readings[:, 0] & DRDY)
        self.stale = len(readings) - 1 - int(fresh[-1]) if len(fresh) else self.stale + len(readings)
        return np.asarray(held, np.int16)

    @abstractmethod
    def _reset(self) -> None:
        """Bring its registers to their reset values."""

    @abstractmethod
    def _continuous(self) -> int:
        """The mode in which it measures 100 times a second."""

    def _adjustment(self) -> NDArray[np.float64]:
        """Factor of each axis."""
        return np.ones(3)

    def _identify(self) -> None:
        try:
            company, device = self._bus.read(ADDRESS, 0x00, 2)
        except BusError as error:
            if error.errno not in NO_ANSWER:
                raise
            raise self._absent("no answer at 0x0c") from error
        if company != COMPANY or self.device_id not in (None, device):
            raise self._absent(f"WIA 0x{company:02X} 0x{device:02X}")

    def _absent(self, found: str) -> SensorError:
        return SensorError(
            self._where,
            found=found,
            expected="the magnetometer in the chip's package",
            next_step="some modules sold as nine-axis have none: use a model without it, as trained with "
            "--channels acc,gyro",
        )

    def _set_mode(self, mode: int) -> None:
        self._bus.write(ADDRESS, self.mode_register, bytes((mode,)))
        self._clock.sleep_ns(PAUSE_NS)

    def _in_frame(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values ``[…, 3]`` of its own axes, along those of the accelerometer."""
        return np.asarray(values[..., self._columns] * self._signs)


class Ak8963(Magnetometer):
    """That of an MPU-9250 or MPU-9255, whose x and y lie along the accelerometer's y and x, and z against its z."""

    name: ClassVar[str] = "AK8963"
    status_1: ClassVar[int] = 0x02
    reading_bytes: ClassVar[int] = 8
    # BITM: 16 bits.
    status_2_set: ClassVar[int] = 0x10
    mode_register: ClassVar[int] = 0x0A
    axes: ClassVar[Sequence[tuple[int, int]]] = ((1, 1), (0, 1), (2, -1))
    FUSE_ROM, ASAX = 0x0F, 0x10

    def _reset(self) -> None:
        self._bus.write(ADDRESS, 0x0B, b"\x01")
        self._clock.sleep_ns(PAUSE_NS)

    def _continuous(self) -> int:
        return 0x16

    def _adjustment(self) -> NDArray[np.float64]:
        self._set_mode(self.FUSE_ROM)
        fuses = np.frombuffer(self._bus.read(ADDRESS, self.ASAX, 3), np.uint8)
        self._set_mode(0)
        # Section 8.3.11.
        return (fuses.astype(np.float64) - 128) * 0.5 / 128 + 1


class Ak09916(Magnetometer):
    """That of an ICM-20948, whose x lies along the accelerometer's, and y and z against its y and z."""

    name: ClassVar[str] = "AK09916"
    device_id: ClassVar[int | None] = 0x09
    status_1: ClassVar[int] = 0x10
    reading_bytes: ClassVar[int] = 9
    mode_register: ClassVar[int] = 0x31
    axes: ClassVar[Sequence[tuple[int, int]]] = ((0, 1), (1, -1), (2, -1))

    def _reset(self) -> None:
        self._bus.write(ADDRESS, 0x32, b"\x01")
        self._clock.sleep_ns(PAUSE_NS)

    def _continuous(self) -> int:
        return 0x08
