"""A register-accurate LSM6DS3TR-C: its register map, and its FIFO of bare 16-bit words with their pattern.

Written from the datasheet DocID030071 rev 3 and application note AN5130. Not modelled, besides the parts named in
:mod:`.lsm6ds`: the third and fourth FIFO data set and ONLY_HIGH_DATA. The first datum after a change of mode, which
must be discarded according to the datasheet, repeats the one before; it is not reported as a sample, and the source
begins after it. An empty FIFO gives its last word again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .lsm6ds import BYPASS, CTRL3_C, OUT_TEMP_L, OUTPUTS_END, STOP_ON_FULL, SimulatedLsm6ds
from .lsm6ds_counts import CTRL1_XL, user_offsets_g
from .word_fifo import WordFifo

FIFO_CTRL1, FIFO_CTRL2, FIFO_CTRL3, FIFO_CTRL4, FIFO_CTRL5 = range(0x06, 0x0B)
FIFO_STATUS1, FIFO_STATUS2, FIFO_STATUS3, FIFO_STATUS4, FIFO_DATA_OUT_L = range(0x3A, 0x3F)

FIFO_WORDS, WORD_BYTES = 2048, 2
WATERM, OVER_RUN, FULL_SMART, EMPTY = 0x80, 0x40, 0x20, 0x10
STOP_ON_FTH, BLE = 0x80, 0x02
DECIMATION = (0, 1, 2, 3, 4, 8, 16, 32)
RATES_HZ = (12.5, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1666.0, 3332.0, 6664.0)

WRITABLE = {
    0x01: 0xA0,
    0x04: 0x0F,
    0x05: 0x03,
    FIFO_CTRL1: 0xFF,
    FIFO_CTRL2: 0xCF,
    FIFO_CTRL3: 0x3F,
    FIFO_CTRL4: 0xFF,
    FIFO_CTRL5: 0x7F,
    0x0B: 0x81,
    0x0D: 0xFF,
    0x0E: 0xFF,
    CTRL1_XL: 0xFF,
    0x11: 0xFE,
    CTRL3_C: 0xFF,
    0x13: 0xFE,
    0x14: 0xFF,
    0x15: 0xFB,
    0x16: 0xF4,
    0x17: 0xFD,
    0x18: 0xF4,
    0x19: 0xBF,
    0x1A: 0xDF,
    **dict.fromkeys(range(0x58, 0x60), 0xFF),
    **dict.fromkeys((0x73, 0x74, 0x75), 0xFF),
}
# For CTRL9_XL the datasheet has 00h in table 19 and E0h in table 75.
RESET_VALUES = {CTRL3_C: 0x04, 0x18: 0xE0}
OFFSET_SIGNS = np.array([1.0, 1.0, -1.0])


class SimulatedLsm6ds3trc(SimulatedLsm6ds):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`."""

    writable = WRITABLE
    reset_values = RESET_VALUES
    longest_stretch: ClassVar[int] = FIFO_WORDS // 3 + 1
    fifo_register: ClassVar[int] = FIFO_DATA_OUT_L
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0x6A, **options: Unpack[ChipOptions]
    ) -> None:
        super().__init__(source, clock, WordFifo(WORD_BYTES, repeats_last=True), who_am_i=who_am_i, **options)

    def _empty_fifo(self) -> None:
        super()._empty_fifo()
        self._stale_next = True
        self._triggers = 0

    def _period_of(self, code: int) -> float:
        return 1e9 / RATES_HZ[code - 1]

    @property
    def _fifo_mode(self) -> int:
        enabled = self._memory[FIFO_CTRL5] & 0x78 and any(self._decimations)
        return self._memory[FIFO_CTRL5] & 0x07 if enabled else BYPASS

    @property
    def _recording(self) -> bool:
        return super()._recording and not self._stale_next

    @property
    def _decimations(self) -> tuple[int, int]:
        """FIFO triggers per datum of gyroscope and accelerometer; 0 if the sensor is not in the FIFO."""
        fifo_ctrl3 = self._memory[FIFO_CTRL3]
        return DECIMATION[fifo_ctrl3 >> 3 & 7], DECIMATION[fifo_ctrl3 & 7]

    @property
    def _trigger_stride(self) -> int:
        """Ticks from one FIFO trigger to the next: min(max(ODR_XL, ODR_G), ODR_FIFO)."""
        return self._stride(self._memory[FIFO_CTRL5] >> 3 & 0x0F)

    @property
    def _slowest_stride(self) -> int:
        return self._trigger_stride * max(1, *self._decimations)

    @property
    def _set_words(self) -> int:
        """Number of words of a set with data of all sensors in the FIFO."""
        return 3 * sum(1 for decimation in self._decimations if decimation)

    @property
    def _pattern_words(self) -> int:
        """Number of words after which the pattern repeats."""
        used = [decimation for decimation in self._decimations if decimation]
        cycle = math.lcm(*used)
        return sum(3 * cycle // decimation for decimation in used)

    def _stretches(self) -> Iterator[int]:
        if self._stale_next:
            yield 1
        yield from super()._stretches()

    def _batch(self, skipped: int, ticks: NDArray[np.int64], counts: NDArray[np.int16]) -> None:
        if self._fifo_mode != STOP_ON_FULL:
            self.fifo.skip(skipped * self._set_words)
        triggered = ticks % self._trigger_stride == 0
        if self._stale_next and triggered.any():
            counts, self._stale_next = self._held[None], False
        triggers = self._triggers + skipped + np.arange(triggered.sum())
        self._triggers += skipped + len(triggers)
        due = [triggers % decimation == 0 if decimation else triggers < 0 for decimation in self._decimations]
        words = counts[triggered].astype("<i2").view(np.uint8).reshape(-1, 2, 6)
        self._push(words[np.stack(due, axis=1)].tobytes())

    def _room(self) -> int:
        # The FIFO stops before the set that would fill it.
        return max(0, super()._room() - 1) // self._set_words * self._set_words

    def _fifo_depth(self) -> int:
        return self._threshold if self._memory[FIFO_CTRL4] & STOP_ON_FTH else FIFO_WORDS

    @property
    def _threshold(self) -> int:
        return (self._memory[FIFO_CTRL2] & 7) << 8 | self._memory[FIFO_CTRL1]

    def _read_register(self, register: int) -> int:
        swapped = self._memory[CTRL3_C] & BLE and OUT_TEMP_L <= register < OUTPUTS_END
        return super()._read_register(register ^ 1 if swapped else register)

    def _read_status(self, register: int) -> int | None:
        if not FIFO_STATUS1 <= register <= FIFO_STATUS4:
            return None
        # The count has 11 bits: it is 0 for a FIFO that is full and overwrites.
        count = len(self.fifo) & 0x7FF
        pattern = self.fifo.gone % self._pattern_words if any(self._decimations) else 0
        return {
            FIFO_STATUS1: count & 0xFF,
            FIFO_STATUS2: self._flags() | count >> 8,
            FIFO_STATUS3: pattern & 0xFF,
            FIFO_STATUS4: pattern >> 8,
        }[register]

    def _flags(self) -> int:
        count = len(self.fifo)
        flags = EMPTY if count == 0 else 0
        flags |= WATERM if 0 < self._threshold <= count else 0
        flags |= OVER_RUN if self._overrun and count >= self._fifo_depth() else 0
        full = self._fifo_mode != BYPASS and count + self._set_words >= self._fifo_depth()
        return flags | (FULL_SMART if full else 0)

    def _offset_g(self) -> NDArray[np.float64]:
        offset_g: NDArray[np.float64] = user_offsets_g(self._memory) * OFFSET_SIGNS
        return offset_g
