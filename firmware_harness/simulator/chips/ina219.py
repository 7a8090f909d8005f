"""A register-accurate INA219: conversions in virtual time, calibration and the arithmetic of the datasheet.

Written from SBOS448G and sharing no table with the driver. Not modelled: gains other than /8, triggered and power-down
modes, and the analogue errors.
"""

from __future__ import annotations

from collections.abc import Callable

from deseptr.device import Clock

CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION = range(6)
RESET = 0x8000
RESET_CONFIG = 0x399F
CONTINUOUS = 0b111
# Conversion time by ADC setting with its top bit set: 2^n samples of 532 us (table 5).
SAMPLE_NS = 532_000


class SimulatedIna219:
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`.

    Args:
        load: gives the supply's voltage and current, in V and A, at the end of a conversion.
        clock: the chip's clock.
        shunt_ohm: resistance of the shunt.
    """

    def __init__(self, load: Callable[[], tuple[float, float]], clock: Clock, shunt_ohm: float = 0.1) -> None:
        self._load = load
        self._clock = clock
        self._shunt_ohm = shunt_ohm
        self._power_up()

    def _power_up(self) -> None:
        self._registers = [RESET_CONFIG, 0, 0, 0, 0, 0]
        self._restart()

    def _restart(self) -> None:
        self._registers[BUS] &= ~0b10
        self._ends_ns = self._clock.now_ns() + self._conversion_ns()

    def _conversion_ns(self) -> int:
        config = self._registers[CONFIG]
        return sum(_samples(config >> shift & 0xF) * SAMPLE_NS for shift in (3, 7))

    def read(self, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on; a transfer gives no more than one register."""
        self._convert_due()
        value = self._registers[register] if register < len(self._registers) else 0
        if register == POWER:
            self._registers[BUS] &= ~0b10
        return (value & 0xFFFF).to_bytes(2, "big").ljust(length, b"\xff")[:length]

    def write(self, register: int, data: bytes) -> None:
        """Write a word; measurement registers ignore it."""
        value = int.from_bytes(data[:2], "big")
        if register == CONFIG and value & RESET:
            self._power_up()
        elif register == CONFIG:
            self._registers[CONFIG] = value & 0x3FFF
            self._restart()
        elif register == CALIBRATION:
            self._registers[CALIBRATION] = value & 0xFFFE  # bit 0 is not used

    def _convert_due(self) -> None:
        if self._registers[CONFIG] & 0b111 != CONTINUOUS or self._clock.now_ns() < self._ends_ns:
            return
        period = self._conversion_ns()
        self._ends_ns += ((self._clock.now_ns() - self._ends_ns) // period + 1) * period
        volts, amperes = self._load()
        shunt = _clamped(round(amperes * self._shunt_ohm / 10e-6), 32_000)
        bus = max(0, min(round(volts / 4e-3), 4000))
        current = shunt * self._registers[CALIBRATION] // 4096  # equation 3
        power = abs(current) * bus // 5000  # equation 4
        overflow = abs(current) > 0x7FFF or power > 0xFFFF
        self._registers[SHUNT], self._registers[CURRENT], self._registers[POWER] = shunt, current, power
        self._registers[BUS] = bus << 3 | 0b10 | overflow


def _samples(setting: int) -> int:
    return 1 << (setting & 0b111) if setting & 0b1000 else 1


def _clamped(value: int, limit: int) -> int:
    return max(-limit, min(value, limit))
