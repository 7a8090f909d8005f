"""A register-accurate LIS3DH: register map, operating modes, status bits, self-test, and its FIFO of 32 samples.

Written from the datasheet DocID17530 rev 2 and application note AN3308. Not modelled: filters and noise, interrupts,
clicks and what the FIFO does at these (stream-to-FIFO mode stays in stream mode), the auxiliary converter, and SPI. A
chip that hangs samples again after a reboot of its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .reacting_chip import ReactingChip
from .word_fifo import WordFifo

WHO_AM_I, CTRL_REG0, CTRL_REG1, CTRL_REG4, CTRL_REG5 = 0x0F, 0x1E, 0x20, 0x23, 0x24
STATUS_REG, OUT_X_L, OUT_Z_H, FIFO_CTRL_REG, FIFO_SRC_REG = 0x27, 0x28, 0x2D, 0x2E, 0x2F

INCREMENT = 0x80
LPEN, BLE, HR, BOOT, FIFO_EN = 0x08, 0x40, 0x08, 0x80, 0x40
WTM, OVRN, EMPTY = 0x80, 0x40, 0x20
NEW, OVERWRITTEN = 0x0F, 0xF0
BYPASS, FIFO = 0, 1

WRITABLE = {
    CTRL_REG0: 0x80,
    0x1F: 0xC0,
    CTRL_REG1: 0xFF,
    0x21: 0xFF,
    0x22: 0xFE,
    CTRL_REG4: 0xFF,
    CTRL_REG5: 0xCF,
    0x25: 0xFA,
    0x26: 0xFF,
    FIFO_CTRL_REG: 0xFF,
    0x30: 0xFF,
    0x32: 0x7F,
    0x33: 0x7F,
    0x34: 0xFF,
    0x36: 0x7F,
    0x37: 0x7F,
    0x38: 0x3F,
    0x3A: 0xFF,
    0x3B: 0x7F,
    0x3C: 0xFF,
    0x3D: 0xFF,
    0x3E: 0x7F,
    0x3F: 0x7F,
}
RESET_VALUES = {CTRL_REG0: 0x10, CTRL_REG1: 0x07}
SLOTS = 32
HZ = (0, 1, 10, 25, 50, 100, 200, 400, 1600)
# Code 9, in normal and high-resolution mode, and in low-power mode.
FASTEST_HZ, FASTEST_LOW_POWER_HZ = 1344, 5376
# mg per digit by full scale, and significant bits.
LOW_POWER, NORMAL, HIGH = ((16, 32, 64, 192), 8), ((4, 8, 16, 48), 10), ((1, 2, 4, 12), 12)
TURN_ON_NS = 1_600_000
BOOT_NS = 5_000_000
SELF_TEST_SIGN = {0b01: 1.0, 0b10: -1.0}


class SimulatedLis3dh(ReactingChip):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures; of their six channels the acceleration.
        clock: its clock; samples that have come due are taken at each access.
        who_am_i: value of register 0Fh.
        self_test_g: what the self-test adds on each axis, in g.
        options: further ones of :class:`Chip`; a reboot takes 5 ms by default.
    """

    longest_stretch: ClassVar[int] = SLOTS + 1
    fifo_register: ClassVar[int] = OUT_X_L | INCREMENT
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))

    def __init__(
        self,
        source: SignalSource,
        clock: Clock,
        *,
        who_am_i: int = 0x33,
        self_test_g: Sequence[float] = (0.6, 0.6, 0.6),
        **options: Unpack[ChipOptions],
    ) -> None:
        self._self_test_g = np.array(self_test_g, np.float64)
        self.fifo = WordFifo(6, repeats_last=True)
        self._booted_ns = clock.now_ns()
        options.setdefault("reset_ns", BOOT_NS)
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Nominal sample period; of the slowest rate while there is none."""
        return round(1e9 / (self._rate_hz or 1))

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; with bit 7 the number increments, and while the FIFO is on from 2Dh to 28h."""
        self._advance()
        address, data = register & 0x7F, bytearray()
        for _ in range(length):
            data.append(self._read_register(address))
            if register & INCREMENT:
                address = OUT_X_L if address == OUT_Z_H and self._memory[CTRL_REG5] & FIFO_EN else address + 1 & 0x7F
        return bytes(data)

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the register, or with bit 7 to those from it on."""
        self._advance()
        address = register & 0x7F
        for value in data:
            before, stuck = self._memory[address], self._stuck_bits.get(address, 0)
            mask = WRITABLE.get(address, 0) & ~stuck
            self._memory[address] = before & stuck | RESET_VALUES.get(address, 0) & ~mask & ~stuck | value & mask
            self._react(address, before, self._clock.now_ns())
            address = address + 1 & 0x7F if register & INCREMENT else address

    @property
    def _rate_hz(self) -> int:
        code = self._memory[CTRL_REG1] >> 4
        low_power = self._memory[CTRL_REG1] & LPEN
        if code == 9:
            return FASTEST_LOW_POWER_HZ if low_power else FASTEST_HZ
        return HZ[code] if code < 8 or (code == 8 and low_power) else 0

    @property
    def _mode(self) -> int:
        return self._memory[FIFO_CTRL_REG] >> 6 if self._memory[CTRL_REG5] & FIFO_EN else BYPASS

    @property
    def _sampling(self) -> bool:
        return self._rate_hz > 0

    @property
    def _recording(self) -> bool:
        return self._mode != BYPASS

    def _clear(self) -> None:
        self._memory = bytearray(128)
        for register, value in RESET_VALUES.items():
            self._memory[register] = value
        self.fifo.clear()

    def _settle(self, now_ns: int) -> None:
        if now_ns >= self._booted_ns:
            self._memory[CTRL_REG5] &= ~BOOT

    def _react(self, register: int, before: int, now_ns: int) -> None:
        changed = before ^ self._memory[register]
        if register == CTRL_REG5 and self._memory[CTRL_REG5] & BOOT:
            self._hung = False
            self._booted_ns = now_ns + self._reset_ns
        if self._mode == BYPASS:
            self.fifo.clear()
        if register == CTRL_REG1 and changed & (0xF0 | LPEN) and self._sampling:
            self._restart_samples(now_ns)
            self._next_sample_ns += 0 if before >> 4 else TURN_ON_NS

    def _read_register(self, register: int) -> int:
        if register == WHO_AM_I:
            return self.who_am_i
        if register == FIFO_SRC_REG:
            return self._fifo_status()
        if OUT_X_L <= register <= OUT_Z_H:
            value = self._memory[register]
            if register & 1:
                self._note_read(1 << (register - OUT_X_L >> 1))
            return self.fifo.read_byte(register - OUT_X_L) if self._recording else value
        return self._memory[register]

    def _note_read(self, axis: int) -> None:
        """Reading an axis clears its status bits, and those of the three together."""
        self._memory[STATUS_REG] &= ~(axis | axis << 4 | 0x88)

    def _fifo_status(self) -> int:
        count = len(self.fifo)
        flags = (WTM if count > self._memory[FIFO_CTRL_REG] & 0x1F else 0) | (OVRN if count == SLOTS else 0)
        return flags | (0 if count else EMPTY) | min(count, SLOTS - 1)

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        # The base class computes only the newest samples of a stretch, and this mode keeps the oldest.
        oldest = min(due, self.longest_stretch) if self._mode == FIFO else 0
        for begin, count in ((0, oldest), (oldest, due - oldest)):
            if count:
                super()._sample(first_ns + begin * period_ns, count, period_ns)

    def _store(self, signals: NDArray[np.float64]) -> None:
        words = self._words(signals)
        self._memory[OUT_X_L : OUT_Z_H + 1] = words[-6:]
        self._memory[STATUS_REG] = NEW | (OVERWRITTEN if self._memory[STATUS_REG] & NEW else 0)
        if self._mode == FIFO:
            words = words[: (SLOTS - len(self.fifo)) * 6]
        if self._recording and words:
            self.fifo.push(words, SLOTS)

    def _words(self, signals: NDArray[np.float64]) -> bytes:
        """Output words of samples, rounded, saturated and left-justified."""
        control = self._memory[CTRL_REG4]
        low_power = self._memory[CTRL_REG1] & LPEN
        scales, width = LOW_POWER if low_power else HIGH if control & HR else NORMAL
        forced_g = self._self_test_g * SELF_TEST_SIGN.get(control >> 1 & 3, 0.0)
        exact = (signals[:, :3] / STANDARD_GRAVITY + forced_g) * (1000 / scales[control >> 4 & 3])
        largest = 1 << width - 1
        digits = np.clip(np.rint(exact), -largest, largest - 1).astype(np.int16) << 16 - width
        digits[:, [not self._memory[CTRL_REG1] >> axis & 1 for axis in range(3)]] = 0
        return digits.astype(">i2" if control & BLE and control & HR else "<i2").tobytes()
