"""Base class of all drivers: identification, full scales, and a drain that hands on no unchecked sample.

A driver declares its chip's registers and implements the few steps in which chips differ. The order of a drain is here,
once: level, data, then the check that nothing overflowed and that every register still holds what was written to it. A
chip that lost its power for a moment has lost its full scale, and its samples look like good ones: no sample is handed
on before that check.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError, channels_of
from deseptr.device.bus import BusError, I2cBus
from deseptr.device.clock import Clock

from .imu import STANDARD_GRAVITY, Gap, ImuConfig, ImuSettings, Samples
from .registers import BoundRegister, Register
from .self_test import SelfTest

# Several controllers and USB adapters stop at 255 bytes a transfer.
LONGEST_TRANSFER = 240
CHECK_ATTEMPTS = 3
# A level read that takes longer was interrupted by the host's scheduler; even a USB adapter needs less.
LONGEST_LEVEL_NS = 10_000_000
# Datums that may have come since a FIFO was emptied.
NEARLY_EMPTY = 2
RATE_TOLERANCE = 0.02

# WHO_AM_I of chips found on such boards, with a driver or without.
KNOWN_CHIPS = {
    0x12: "an ICM-20602",
    0x19: "an MPU-6886",
    0x68: "an MPU-6050",
    0x69: "an LSM6DS3",
    0x6A: "an LSM6DS3TR-C or LSM6DSL",
    0x6B: "an LSM6DSR",
    0x6C: "an LSM6DSO or LSM6DSOX",
    0x70: "an MPU-6500",
    0x71: "an MPU-9250",
    0x73: "an MPU-9255",
    0x74: "an MPU-6515",
    0x98: "an ICM-20689, or a clone sold as MPU-6050",
    0xAF: "an ICM-20608",
    0xEA: "an ICM-20948",
}


class SettingsLostError(SensorError):
    """The chip no longer holds the settings that it was given: it was reset, or a register was upset."""


@dataclass(frozen=True, slots=True)
class FifoLevel:
    """State of a FIFO.

    Args:
        datums: whole datums that it holds.
        aligned: whether the next byte to read begins a datum, and the count is one that the chip can have.
        overflowed: whether samples were lost in it.
    """

    datums: int
    aligned: bool = True
    overflowed: bool = False


class FifoImu(ABC):
    """A chip with a FIFO on an I2C bus: an accelerometer, and a gyroscope if ``gyro_lsb_per_dps`` has full scales.

    A subclass declares its registers, the constants below, and the abstract steps; whatever it writes through
    :meth:`_hold` is compared with the chip after every drain.

    Args:
        bus: the bus it is on.
        clock: for the bounded waits and the times of gaps.
        address: its 7-bit address; the first of ``addresses`` if None.
    """

    name: ClassVar[str]
    addresses: ClassVar[tuple[int, ...]]
    who_am_i_values: ClassVar[Mapping[int, str]]
    acc_lsb_per_g: ClassVar[Mapping[int, float]]
    gyro_lsb_per_dps: ClassVar[Mapping[int, float]] = {}
    capacity: ClassVar[int]
    datum_bytes: ClassVar[int] = 12
    # Datums that one transfer may take; as many as fit by default.
    burst_datums: ClassVar[int | None] = None
    # Bits that a read of several registers needs in the number of the first.
    auto_increment: ClassVar[int] = 0
    # Register number and length of the reads that cover every held register.
    settings_spans: ClassVar[tuple[tuple[int, int], ...]]
    # For chips with register banks: the bank-select register, and its values that select another bank than WHO_AM_I's.
    bank_register: ClassVar[int | None] = None
    other_banks: ClassVar[tuple[int, ...]] = ()
    who_am_i: Register

    def __init__(self, bus: I2cBus, clock: Clock, address: int | None = None) -> None:
        self.bus = bus
        self.address = self.addresses[0] if address is None else address
        self._clock = clock
        self._scale = np.ones(len(self.channels), np.float32)
        self._held: dict[Register, int] = {}
        self._pending_gap: str | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels of its samples."""
        return channels_of(("acc", "gyro") if self.gyro_lsb_per_dps else ("acc",))

    def identify(self) -> str:
        """Check the chip's WHO_AM_I; returns the chip's name.

        Raises:
            SensorError: if another chip answers.
        """
        found = read_who_am_i(self.bus, self.address, type(self))
        if found not in self.who_am_i_values:
            raise SensorError(
                self._where,
                found=f"WHO_AM_I 0x{found:02X} ({known_chip(found)})",
                expected=" or ".join(f"0x{value:02X}" for value in self.who_am_i_values),
                next_step="choose the driver for that chip with --sensor, or let --sensor auto find it",
            )
        return self.who_am_i_values[found]

    def configure(self, config: ImuConfig) -> ImuSettings:
        """Reset the chip and set rate, filter and full scales, each read back.

        The rate is the chip's nearest that is not lower than asked by more than 2 %; each full scale is the smallest
        that is at least the asked one; the filter is the widest whose bandwidth stays below half the rate. A chip
        without gyroscope takes no notice of the gyroscope's full scale.

        Raises:
            SensorError: if no full scale is large enough, the chip does not come out of reset, or a register does not
                keep what was written.
        """
        acc = self._full_scale("accelerometer", config.acc_full_scale_g, self.acc_lsb_per_g, "g")
        gyro = 0
        if self.gyro_lsb_per_dps:
            gyro = self._full_scale("gyroscope", config.gyro_full_scale_dps, self.gyro_lsb_per_dps, "deg/s")
        self._held.clear()
        self._reset()
        rate_hz, bandwidth_hz = self._set_up(config.rate_hz, acc, gyro)
        self._scale = self.si_per_count(acc, gyro)
        return ImuSettings(rate_hz, acc, gyro, bandwidth_hz, self.channels, acc_count=float(self._scale[0]))

    def start(self) -> None:
        """Empty the FIFO, forget an old overflow, and let whole datums in from the next sample on."""
        self._empty()
        self._pending_gap = None

    def drain(self) -> Samples:
        """Take every whole datum that the FIFO holds; may be called again after any error.

        A FIFO that has overflowed, is nearly full, or has lost its alignment is emptied, and so is one whose data could
        not be read to the end: how far the chip's read pointer got is unknown, and a repeated read would give
        misaligned samples. Either way the result is a gap, now or, if emptying fails too, with the next good call.

        Raises:
            BusError: if the bus fails before any data was taken, or while the FIFO is being emptied.
            SettingsLostError: if the chip has forgotten its settings; :meth:`configure` it again.
        """
        if self._pending_gap is not None:
            return self._restart(self._pending_gap)
        level, at_ns = self._checked_level()
        if level.overflowed or level.datums > self.capacity:
            return self._restart("overflow")
        if not level.aligned:
            return self._restart("misaligned")
        # From here on until the samples are handed over, any failure loses them.
        self._pending_gap = "read-error" if level.datums else None
        try:
            data = self._read_datums(level.datums)
            overflowed = self._overflowed_meanwhile()
            self._check_settings()
        except BusError:
            if self._pending_gap is None:
                raise
            return self._restart(self._pending_gap)
        counts = self._decode(data)
        if overflowed or counts is None:
            return self._restart("overflow" if overflowed else "misaligned")
        self._pending_gap = None
        return Samples(np.multiply(counts, self._scale, dtype=np.float32), at_ns=at_ns)

    @abstractmethod
    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""

    def temperature_c(self) -> float | None:
        """The chip's own temperature in degrees Celsius; None if it cannot tell."""
        return None

    def self_test(self) -> SelfTest | None:
        """Test the chip by its own means, at rest; None if its driver has no such test.

        The chip must be configured again after it.

        Raises:
            SensorError: if the chip or the bus fails.
        """
        return None

    def select_bank(self, bank: int) -> None:  # noqa: B027 - most chips have one bank
        """Bring the registers of ``bank`` to where they are read and written."""

    @abstractmethod
    def _reset(self) -> None:
        """Bring all registers to their reset values and wake the chip."""

    @abstractmethod
    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        """Set rate, filter, full scales; returns the nominal rate and the filter's bandwidth, both in Hz.

        The gyroscope's full scale is 0 if there is none.
        """

    @abstractmethod
    def _begin_fifo(self) -> None:
        """Empty the FIFO and enable it."""

    @abstractmethod
    def _level(self) -> FifoLevel:
        """Read the FIFO's state; must lose no information, since it may be repeated."""

    @abstractmethod
    def _read_fifo(self, length: int) -> bytes:
        """Read ``length`` bytes of FIFO data in one transfer."""

    @property
    def held_registers(self) -> tuple[Register, ...]:
        """Registers whose content is compared with what was set after every drain."""
        return tuple(self._held)

    def _settings(self) -> Mapping[Register, int]:
        """Bytes of all held registers, read back in the transfers of ``settings_spans``."""
        found: dict[int, int] = {}
        for first, length in self.settings_spans:
            found.update(enumerate(self.bus.read(self.address, first | self.auto_increment, length), first))
        return {register: found[register.address] for register in self._held}

    def _overflowed_meanwhile(self) -> bool:
        """Whether samples were lost while others were being read."""
        after = self._level()
        return after.overflowed or after.datums > self.capacity

    def _decode(self, data: bytes) -> NDArray[np.int16] | NDArray[np.float32] | None:
        """Counts ``[n, channel]`` in any integer byte order; None if the data is misaligned."""
        return np.frombuffer(data, ">i2").reshape(-1, len(self.channels))

    @classmethod
    def si_per_count(cls, acc_full_scale_g: int, gyro_full_scale_dps: int) -> NDArray[np.float32]:
        """float32 ``[channel]``: m/s^2 and rad/s of one count."""
        acc = STANDARD_GRAVITY / cls.acc_lsb_per_g[acc_full_scale_g]
        if not cls.gyro_lsb_per_dps:
            return np.full(3, acc, np.float32)
        gyro = np.deg2rad(1.0) / cls.gyro_lsb_per_dps[gyro_full_scale_dps]
        return np.array([acc] * 3 + [gyro] * 3, np.float32)

    def _hold(self, register: BoundRegister, **values: int) -> None:
        """Write a register, read it back, and remember it for the check after every drain."""
        register.write_checked(**values)
        self._held[register.register] = register.register.encode(**values)

    def _empty(self) -> None:
        # A bit flipped on the wires can turn the command to empty it into another one, which leaves old samples in.
        for _ in range(CHECK_ATTEMPTS):
            self._begin_fifo()
            if self._level().datums <= NEARLY_EMPTY:
                break

    def _adopt(self, register: BoundRegister) -> None:
        """Remember a register's present value, such as a factory trim, for the check after every drain."""
        self._held[register.register] = register.read_block(1)[0]

    def _checked_level(self) -> tuple[FifoLevel, int]:
        # Temporary faults, hence the attempts: a datum half written, a bit flipped on the wires, or a host delayed so
        # long that the time of the level is unknown.
        for _ in range(CHECK_ATTEMPTS):
            at_ns = self._clock.now_ns()
            level = self._level()
            if level.aligned and self._clock.now_ns() - at_ns < LONGEST_LEVEL_NS:
                break
        return level, at_ns

    def _check_settings(self) -> None:
        # A single difference may be a bit flipped on the wires: only a repeated one counts.
        if self._changed() and (changed := self._changed()):
            names = ", ".join(f"{register.name} = 0x{found:02X}" for register, found in changed.items())
            held = ", ".join(f"0x{self._held[register]:02X}" for register in changed)
            raise SettingsLostError(
                self._where, found=names, expected=held, next_step="check its power supply; it was reset or disturbed"
            )

    def _changed(self) -> dict[Register, int]:
        settings = self._settings()
        return {register: settings[register] for register, held in self._held.items() if settings[register] != held}

    def _restart(self, reason: str) -> Samples:
        self._pending_gap = reason
        try:
            self._empty()
        except BusError:
            raise
        except SensorError:
            # A register did not keep what was written: report lost settings if the others have changed, too.
            self._check_settings()
            raise
        # A corrupted register can look like an overflow.
        self._check_settings()
        self._pending_gap = None
        now_ns = self._clock.now_ns()
        return Samples(np.empty((0, len(self._scale)), np.float32), Gap(reason, now_ns), at_ns=now_ns)

    def _read_datums(self, datums: int) -> bytes:
        burst = self.burst_datums or LONGEST_TRANSFER // self.datum_bytes
        bursts = (min(burst, datums - done) for done in range(0, datums, burst))
        return b"".join([self._read_fifo(count * self.datum_bytes) for count in bursts])

    def _full_scale(self, sensor: str, wanted: float, scales: Mapping[int, float], unit: str) -> int:
        for full_scale in scales:
            if full_scale >= wanted:
                return full_scale
        raise SensorError(
            f"{self.name} {sensor}",
            found=f"a largest full scale of {max(scales)} {unit}",
            expected=f"at least {wanted:g} {unit}",
            next_step="use a sensor with a larger range, or a model trained with a smaller one",
        )

    @property
    def _where(self) -> str:
        return f"{self.name} on {self.bus.path} address 0x{self.address:02x}"

    def _await(self, done: Callable[[], bool], poll_ns: int, timeout_ns: int, expected: str) -> None:
        """Poll until ``done``.

        Raises:
            SensorError: after ``timeout_ns``.
        """
        deadline = self._clock.now_ns() + timeout_ns
        self._clock.sleep_ns(poll_ns)
        while not done():
            if self._clock.now_ns() > deadline:
                raise SensorError(
                    self._where,
                    found=f"still in reset after {timeout_ns // 1_000_000} ms",
                    expected=expected,
                    next_step="power the sensor off and on",
                )
            self._clock.sleep_ns(poll_ns)


def choose_rate(rates_hz: Iterable[float], wanted_hz: float) -> float:
    """The nearest rate, or the next above if that is over 2 % too low: samples can be removed but not added."""
    rates = sorted(rates_hz)
    nearest = min(rates, key=lambda rate: abs(rate - wanted_hz))
    if nearest >= wanted_hz * (1 - RATE_TOLERANCE):
        return nearest
    return next((rate for rate in rates if rate >= wanted_hz), rates[-1])


def read_who_am_i(bus: I2cBus, address: int, driver: type[FifoImu]) -> int:
    """WHO_AM_I of the chip at ``address``, read from the register where ``driver`` has it.

    A program that was killed may have left another bank selected. Registers of an unknown chip must not be written to,
    so the bank is changed only if the bank register holds one of ``other_banks``.
    """
    register = driver.who_am_i.address
    found = bus.read(address, register, 1)[0]
    if found in driver.who_am_i_values or driver.bank_register is None:
        return found
    if bus.read(address, driver.bank_register, 1)[0] not in driver.other_banks:
        return found
    bus.write(address, driver.bank_register, b"\0")
    return bus.read(address, register, 1)[0]


def known_chip(who_am_i: int) -> str:
    """Name of the chip that answers with this WHO_AM_I."""
    return KNOWN_CHIPS.get(who_am_i, "an unknown chip")
