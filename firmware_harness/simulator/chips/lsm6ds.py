"""Common part of the simulated LSM6DS chips of ST: register memory, sample clock, output registers, FIFO of words.

Written from the datasheets DS12814 and DocID030071 rev 3 and the application notes AN5272 and AN5130, and deliberately
sharing no table with the drivers. Ticks have the faster sensor's rate; the slower one samples at every 2^n-th tick. Not
modelled: filters, except for their settling time (a recording is assumed to be band-limited), the embedded functions,
whose banks read as zero, the sensor hub, interrupts, rounding of output registers, the accelerometer's 1.6 Hz, and the
switches of the interface itself (SIM, I2C_disable).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import Chip, ChipOptions, SampleRun
from .lsm6ds_counts import CTRL1_XL, CTRL2_G, counts_of
from .word_fifo import WordFifo

FUNC_CFG_ACCESS, WHO_AM_I, CTRL3_C, CTRL4_C = 0x01, 0x0F, 0x12, 0x13
STATUS_REG, OUT_TEMP_L, OUT_TEMP_H, OUTX_L_G, OUTX_L_XL, OUTPUTS_END = 0x1E, 0x20, 0x21, 0x22, 0x28, 0x2E

BOOT, IF_INC, SW_RESET = 0x80, 0x04, 0x01
SLEEP_G, DRDY_MASK = 0x40, 0x08
TDA, GDA, XLDA = 0x04, 0x02, 0x01

BYPASS, STOP_ON_FULL, CONTINUOUS_TO_FIFO, CONTINUOUS = 0, 1, 3, 6
# Modes in which samples enter the FIFO; the others wait for an event, which is not modelled, or are reserved.
COLLECTING = (STOP_ON_FULL, CONTINUOUS_TO_FIFO, CONTINUOUS)

BOOT_NS = 15_000_000
RESET_NS = 50_000
GYRO_TURN_ON_NS = 70_000_000
ACC_SETTLING = 2
# Number of the gyroscope's samples to discard after that by ODR code; 3 for the other codes.
GYRO_SETTLING = {8: 135, 9: 270, 10: 540}
MASKED = 0x7FFF


class SimulatedLsm6ds(Chip):
    """A chip of the family; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access.
        fifo: its FIFO.
        who_am_i: value of register 0Fh.
        options: further ones of :class:`Chip`; a reset takes 50 us by default.
    """

    writable: ClassVar[Mapping[int, int]]
    reset_values: ClassVar[Mapping[int, int]]

    def __init__(
        self, source: SignalSource, clock: Clock, fifo: WordFifo, *, who_am_i: int, **options: Unpack[ChipOptions]
    ) -> None:
        self.fifo = fifo
        self._busy_until_ns = clock.now_ns() + BOOT_NS
        self._active_since_ns: list[int | None] = [None, None]
        self._ticks = 0
        options.setdefault("reset_ns", RESET_NS)
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Sample period of the faster sensor."""
        return round(self._period_of(max(1, self._gyro_code, self._acc_code)))

    def power_cycle(self, at_ns: int | None = None) -> None:
        """Lose power: registers at their reset values, FIFO empty, powered down, and busy with booting."""
        super().power_cycle(at_ns)
        self._busy_until_ns = self._at(at_ns) + BOOT_NS

    def upset(self, register: int, bit: int, at_ns: int | None = None) -> None:
        """Flip a bit of the register memory, with the effects of its new value."""
        super().upset(register, bit, at_ns)
        self._react(register, self._at(at_ns))

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; the register number increments, from the FIFO's last register to its first."""
        self._advance()
        if register == self.fifo_register and not self._banked and self._memory[CTRL3_C] & IF_INC:
            return self.fifo.read(length)
        data = bytearray()
        for _ in range(length):
            data.append(self._read_register(register))
            register = self._next_register(register)
        return bytes(data)

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on; ignored while the chip boots or resets."""
        self._advance()
        for value in data:
            if self._clock.now_ns() >= self._busy_until_ns and (register == FUNC_CFG_ACCESS or not self._banked):
                self._write_register(register, value)
            register = self._next_register(register)

    @abstractmethod
    def _period_of(self, code: int) -> float:
        """Nominal sample period in ns by ODR code."""

    @property
    @abstractmethod
    def _fifo_mode(self) -> int:
        """FIFO_MODE, or BYPASS if the FIFO is disabled in another way."""

    @property
    @abstractmethod
    def _slowest_stride(self) -> int:
        """Largest number of ticks from one sample in the FIFO to the next of the same sensor."""

    @abstractmethod
    def _batch(self, skipped: int, ticks: NDArray[np.int64], counts: NDArray[np.int16]) -> None:
        """Put samples ``[n, 6]`` of these ticks, gyroscope first, into the FIFO; ``skipped`` before them are lost."""

    @abstractmethod
    def _fifo_depth(self) -> int:
        """Largest number of words in the FIFO."""

    @abstractmethod
    def _read_status(self, register: int) -> int | None:
        """Value of one of the FIFO's status registers; None for another register."""

    @abstractmethod
    def _offset_g(self) -> NDArray[np.float64]:
        """Sum of the user's offsets on the accelerometer's axes, ``[3]`` in g."""

    @property
    def _gyro_code(self) -> int:
        code = self._memory[CTRL2_G] >> 4
        return code if code <= 10 and not self._memory[CTRL4_C] & SLEEP_G else 0

    @property
    def _acc_code(self) -> int:
        code = self._memory[CTRL1_XL] >> 4
        return 1 if code == 11 else code if code <= 10 else 0

    @property
    def _banked(self) -> bool:
        return bool(self._memory[FUNC_CFG_ACCESS] & self.writable[FUNC_CFG_ACCESS])

    @property
    def _sampling(self) -> bool:
        return bool(self._gyro_code or self._acc_code)

    @property
    def _recording(self) -> bool:
        return self._fifo_mode in COLLECTING

    def _clear(self) -> None:
        self._memory = bytearray(256)
        for register, value in self.reset_values.items():
            self._memory[register] = value
        self._codes = (0, 0)
        self._active_since_ns = [None, None]
        self._held = np.zeros(6, np.int16)
        self._empty_fifo()

    def _empty_fifo(self) -> None:
        self.fifo.clear()
        self._overrun = False

    def _flip(self, register: int, bit: int) -> None:
        self._memory[register] ^= 1 << bit

    def _settle(self, now_ns: int) -> None:
        if now_ns >= self._busy_until_ns:
            self._memory[CTRL3_C] &= ~(SW_RESET | BOOT)

    def _at(self, at_ns: int | None) -> int:
        return self._clock.now_ns() if at_ns is None else at_ns

    def _next_register(self, register: int) -> int:
        if not self._memory[CTRL3_C] & IF_INC:
            return register
        last = self.fifo_register + self.fifo.word_bytes - 1
        return self.fifo_register if register == last and not self._banked else register + 1 & 0xFF

    def _read_register(self, register: int) -> int:
        if self._banked and register != FUNC_CFG_ACCESS:
            return 0
        if register == WHO_AM_I:
            return self.who_am_i
        byte = register - self.fifo_register
        if 0 <= byte < self.fifo.word_bytes:
            return self.fifo.read_byte(byte)
        status = self._read_status(register)
        if status is not None:
            return status
        self._clear_ready(register)
        return self._memory[register]

    def _clear_ready(self, register: int) -> None:
        """Reading the high byte of any axis clears its sensor's data-ready bit."""
        if register == OUT_TEMP_H:
            self._memory[STATUS_REG] &= ~TDA
        elif OUTX_L_G <= register < OUTPUTS_END and register & 1:
            self._memory[STATUS_REG] &= ~(GDA if register < OUTX_L_XL else XLDA)

    def _write_register(self, register: int, value: int) -> None:
        mask = self.writable.get(register, 0) & ~self._stuck_bits.get(register, 0)
        self._memory[register] = self._memory[register] & ~mask | value & mask
        self._react(register, self._clock.now_ns())

    def _react(self, register: int, now_ns: int) -> None:
        """Carry out the effects of a register's new value."""
        if register == CTRL3_C and self._memory[CTRL3_C] & SW_RESET:
            self._power_up()
            self._memory[CTRL3_C] |= SW_RESET
            self._busy_until_ns = now_ns + self._reset_ns
        elif register == CTRL3_C and self._memory[CTRL3_C] & BOOT:
            self._busy_until_ns = now_ns + BOOT_NS
        if (self._gyro_code, self._acc_code) != self._codes:
            self._change_rates(now_ns)
        if self._fifo_mode not in COLLECTING:
            self._empty_fifo()

    def _change_rates(self, now_ns: int) -> None:
        self._codes = (self._gyro_code, self._acc_code)
        for sensor, code in enumerate(self._codes):
            since_ns = self._active_since_ns[sensor]
            self._active_since_ns[sensor] = (now_ns if since_ns is None else since_ns) if code else None
        self._ticks = 0
        self._restart_samples(now_ns)

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        for size in self._stretches():
            taken = min(due, size or due)
            self._take(first_ns, taken, period_ns)
            first_ns, due = first_ns + taken * period_ns, due - taken
            if not due:
                return

    def _stretches(self) -> Iterator[int]:
        """Sizes of the stretches into which samples are cut; 0 for all the rest.

        The base class computes only the newest samples of a stretch: too few if the FIFO keeps the oldest, or
        decimates.
        """
        yield self.longest_stretch
        while self._slowest_stride > 1:
            yield self.longest_stretch
        yield 0

    def _take(self, first_ns: int, due: int, period_ns: int) -> None:
        self._run = SampleRun(0, first_ns, period_ns, due)
        super()._sample(first_ns, due, period_ns)
        self._ticks += due

    def _note(self, run: SampleRun) -> None:
        self._run = run
        super()._note(run)

    def _store(self, signals: NDArray[np.float64]) -> None:
        skipped = self._run.count - len(signals)
        ticks = self._ticks + np.arange(skipped, self._run.count)
        counts = counts_of(signals, self._memory, self._acc_scale(), self._offset_g())
        self._unsettle(counts, self._run.times_ns[skipped:])
        self._hold_slower(counts, ticks)
        if self._fifo_mode in COLLECTING:
            self._batch(skipped, ticks, counts)
        self._held = counts[-1]
        self._memory[OUTX_L_G:OUTPUTS_END] = self._held.astype("<i2").tobytes()
        temperature = round((self._temperature_c - 25) * 256)
        self._memory[OUT_TEMP_L : OUT_TEMP_H + 1] = temperature.to_bytes(2, "little", signed=True)
        self._memory[STATUS_REG] |= TDA | (GDA if self._gyro_code else 0) | (XLDA if self._acc_code else 0)

    def _push(self, words: bytes) -> None:
        if self._fifo_mode == STOP_ON_FULL:
            words = words[: self._room() * self.fifo.word_bytes]
        if words:
            self._overrun = self.fifo.push(words, self._fifo_depth())

    def _room(self) -> int:
        """Number of words that a FIFO that stops when full still takes."""
        return max(0, self._fifo_depth() - len(self.fifo))

    def _stride(self, code: int) -> int:
        """Ticks from one sample to the next at an ODR code."""
        return int(2 ** max(0, max(self._gyro_code, self._acc_code) - code))

    def _hold_slower(self, counts: NDArray[np.int16], ticks: NDArray[np.int64]) -> None:
        """Repeat the slower sensor's last sample until its next one."""
        for code, axes in ((self._gyro_code, slice(0, 3)), (self._acc_code, slice(3, 6))):
            if code and self._stride(code) == 1:
                continue
            fresh = ticks % self._stride(code) == 0 if code else np.zeros(len(ticks), bool)
            last = np.maximum.accumulate(np.where(fresh, np.arange(len(ticks)), -1))
            counts[:, axes] = np.where(last[:, None] < 0, self._held[axes], counts[last, axes])

    def _unsettle(self, counts: NDArray[np.int16], times_ns: NDArray[np.int64]) -> None:
        """Replace the samples of a sensor that has not settled by zeros, or by the value for DRDY_MASK."""
        filling = MASKED if self._memory[CTRL4_C] & DRDY_MASK else 0
        gyro_since_ns, acc_since_ns = self._active_since_ns
        period_ns = self._run.period_ns
        if gyro_since_ns is not None:
            settling = GYRO_SETTLING.get(self._gyro_code, 3) * self._stride(self._gyro_code) * period_ns
            counts[times_ns <= gyro_since_ns + GYRO_TURN_ON_NS + settling, :3] = filling
        if acc_since_ns is not None:
            counts[times_ns <= acc_since_ns + ACC_SETTLING * self._stride(self._acc_code) * period_ns, 3:] = filling

    def _acc_scale(self) -> int:
        return self._memory[CTRL1_XL] >> 2 & 3
