"""The magnetometers inside an MPU-9250 (AK8963) and an ICM-20948 (AK09916).

Written from the datasheets AK8963 (MS1356-E-02) and AK09916 (015007392-E-02): identity, power modes, reset, data
ready and overrun, saturation, and data that stays as it is until ST2 has been read. Not modelled: noise, the
self-test's coil, whose mode measures the field like a single measurement, and the temperature. Assumed where the
datasheets leave it open: a write of a mode also ends the protection of data that were read without ST2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from deseptr.device import Clock

ADDRESS = 0x0C
# Europe's, roughly, in microtesla: horizontal along x, 47 down along z.
FIELD_UT = (19.5, -1.5, 46.5)
DRDY, DOR, HOFL = 0x01, 0x02, 0x08
SATURATION_UT = 4912.0
FINE_UT = 0.15


class SimulatedMagnetometer(ABC):
    """A magnetometer of Asahi Kasei, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`.

    Args:
        clock: its clock.
        field_ut: the field along its own axes ``[3]``, microtesla, while :attr:`field_at` does not give one.
    """

    field_at: Callable[[int], ArrayLike] | None = None
    """The field along its own axes ``[3]`` at a time of its clock; set by the chip whose package it is in."""

    # Identity registers and others that never change, by register.
    fixed: ClassVar[Mapping[int, int]]
    status_1: ClassVar[int]
    data: ClassVar[int]
    status_2: ClassVar[int]
    # Period of each mode that repeats, ns, and modes that measure once.
    periods_ns: ClassVar[Mapping[int, int]]
    single_modes: ClassVar[Sequence[int]]
    measurement_ns: ClassVar[int]

    def __init__(self, clock: Clock, field_ut: Sequence[float] = FIELD_UT) -> None:
        self._clock = clock
        self._field_ut = np.asarray(field_ut, np.float64)
        self._read_at_ns: int | None = None
        self.power_up()

    def power_up(self) -> None:
        """Reset all registers; the chip is in power-down mode."""
        self._mode = 0
        self._due_ns = 0
        self._status = 0
        self._counts = bytes(6)
        self._saturated = False
        self._protected = False

    def read(self, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on, in the chip's own order of registers."""
        values = bytearray()
        for _ in range(length):
            self._advance()
            values.append(self._read_register(register))
            register = self._after(register)
        return bytes(values)

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on; registers that cannot be written ignore it."""
        for value in data:
            self._advance()
            self._write_register(register, value)
            register = self._after(register)

    @contextmanager
    def at(self, time_ns: int) -> Iterator[None]:
        """Transfers within take place at this time, which is not before the last one."""
        self._read_at_ns = time_ns
        try:
            yield
        finally:
            self._read_at_ns = None

    @property
    def _now_ns(self) -> int:
        return self._clock.now_ns() if self._read_at_ns is None else self._read_at_ns

    @abstractmethod
    def _after(self, register: int) -> int:
        """The register that follows within a transfer."""

    @abstractmethod
    def _write_register(self, register: int, value: int) -> None:
        """Carry out the write of a register."""

    @abstractmethod
    def _resolution(self) -> tuple[np.ndarray, int]:
        """Microtesla per count of each axis, and the largest count."""

    def _other(self, register: int) -> int:
        """Value of a register besides those that every chip has."""
        return self.fixed.get(register, 0)

    def _status_2(self) -> int:
        return HOFL if self._saturated else 0

    def _set_mode(self, mode: int) -> None:
        self._mode = mode
        self._protected = False
        self._due_ns = self._now_ns + self.periods_ns.get(mode, self.measurement_ns)

    def _advance(self) -> None:
        """Take the measurements that have come due."""
        now_ns = self._now_ns
        if self._mode in self.single_modes and now_ns >= self._due_ns:
            self._measure(self._due_ns)
            self._mode = 0
        elif (period_ns := self.periods_ns.get(self._mode)) and now_ns >= self._due_ns:
            passed = (now_ns - self._due_ns) // period_ns
            self._measure(self._due_ns + passed * period_ns, overrun=passed > 0)
            self._due_ns += (passed + 1) * period_ns

    def _measure(self, at_ns: int, *, overrun: bool = False) -> None:
        if self._protected or overrun or self._status & DRDY:
            self._status |= DOR
        self._status |= DRDY
        if self._protected:
            return
        steps_ut, largest = self._resolution()
        field_ut = self._field_ut if self.field_at is None else np.asarray(self.field_at(at_ns), np.float64)
        self._saturated = bool(np.abs(field_ut).sum() >= SATURATION_UT)
        counts = np.clip(np.rint(field_ut / steps_ut), -largest, largest)
        self._counts = counts.astype("<i2").tobytes()

    def _read_register(self, register: int) -> int:
        if register == self.status_1:
            return self._status
        if self.data <= register < self.data + 6:
            self._protected, self._status = True, 0
            return self._counts[register - self.data]
        if register == self.status_2:
            self._protected, self._status = False, 0
            return self._status_2()
        return self._other(register)


class SimulatedAk8963(SimulatedMagnetometer):
    """The magnetometer of an MPU-9250; arguments as in :class:`SimulatedMagnetometer`."""

    fixed: ClassVar[Mapping[int, int]] = {0x00: 0x48, 0x01: 0x9A}
    status_1: ClassVar[int] = 0x02
    data: ClassVar[int] = 0x03
    status_2: ClassVar[int] = 0x09
    periods_ns: ClassVar[Mapping[int, int]] = {0x02: 125_000_000, 0x06: 10_000_000}
    # Single and self-test. The fourth mode waits for an external trigger, whose pin is not connected.
    single_modes: ClassVar[Sequence[int]] = (0x01, 0x08)
    measurement_ns: ClassVar[int] = 7_200_000

    CNTL1, CNTL2, ASTC, I2CDIS, ASAX = 0x0A, 0x0B, 0x0C, 0x0F, 0x10
    FUSE_ROM, SIXTEEN_BITS, RESET, DISABLE = 0x0F, 0x10, 0x01, 0x1B
    # Sensitivity adjustment of each axis in the fuse ROM; it differs from chip to chip.
    ADJUSTMENT = (176, 178, 166)

    def power_up(self) -> None:
        """Reset all registers; the chip is in power-down mode."""
        super().power_up()
        self._bits = self._self_test = 0
        self._disabled = False

    def _after(self, register: int) -> int:
        return {0x0C: 0x00, 0x12: 0x10}.get(register, register + 1 & 0xFF)

    def _write_register(self, register: int, value: int) -> None:
        if register == self.CNTL1:
            self._bits = value & self.SIXTEEN_BITS
            self._set_mode(value & 0x0F)
        elif register == self.CNTL2 and value & self.RESET:
            self.power_up()
        elif register == self.ASTC:
            self._self_test = value & 0x40

    def _other(self, register: int) -> int:
        if register == self.CNTL1:
            return self._bits | self._mode
        if register == self.ASTC:
            return self._self_test
        if register in range(self.ASAX, self.ASAX + 3):
            return self.ADJUSTMENT[register - self.ASAX] if self._mode == self.FUSE_ROM else 0
        return super()._other(register)

    def _status_2(self) -> int:
        return super()._status_2() | self._bits

    def _resolution(self) -> tuple[np.ndarray, int]:
        # Section 8.3.11: H_adj = H * ((ASA - 128) * 0.5 / 128 + 1).
        adjustment = (np.array(self.ADJUSTMENT) - 128) * 0.5 / 128 + 1
        step, largest = (FINE_UT, 32760) if self._bits else (4 * FINE_UT, 8190)
        return step * adjustment, largest


class SimulatedAk09916(SimulatedMagnetometer):
    """The magnetometer of an ICM-20948; arguments as in :class:`SimulatedMagnetometer`."""

    fixed: ClassVar[Mapping[int, int]] = {0x00: 0x48, 0x01: 0x09}
    status_1: ClassVar[int] = 0x10
    data: ClassVar[int] = 0x11
    status_2: ClassVar[int] = 0x18
    periods_ns: ClassVar[Mapping[int, int]] = {
        0x02: 100_000_000,
        0x04: 50_000_000,
        0x06: 20_000_000,
        0x08: 10_000_000,
    }
    single_modes: ClassVar[Sequence[int]] = (0x01, 0x10)
    measurement_ns: ClassVar[int] = 7_200_000

    CNTL2, CNTL3, RESET = 0x31, 0x32, 0x01

    def _after(self, register: int) -> int:
        return {0x03: 0x10, 0x18: 0x00, 0x32: 0x30}.get(register, register + 1 & 0xFF)

    def _write_register(self, register: int, value: int) -> None:
        if register == self.CNTL2:
            self._set_mode(value & 0x1F)
        elif register == self.CNTL3 and value & self.RESET:
            self.power_up()

    def _other(self, register: int) -> int:
        return self._mode if register == self.CNTL2 else super()._other(register)

    def _resolution(self) -> tuple[np.ndarray, int]:
        return np.full(3, FINE_UT), 32752
