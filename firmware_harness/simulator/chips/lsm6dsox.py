"""A register-accurate LSM6DSOX: its register map, fine frequency, and FIFO of tagged words.

Written from the datasheet DS12814 and application note AN5272. Not modelled, besides the parts named in :mod:`.lsm6ds`:
FIFO compression, batching of temperature, time stamps and changes of rate, and the counter of batch events. An empty
FIFO reads as zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .lsm6ds import CTRL3_C, SimulatedLsm6ds
from .lsm6ds_counts import CTRL1_XL, user_offsets_g
from .word_fifo import WordFifo

FIFO_CTRL1, FIFO_CTRL2, FIFO_CTRL3, FIFO_CTRL4 = 0x07, 0x08, 0x09, 0x0A
CTRL7_G, CTRL8_XL, CTRL9_XL = 0x16, 0x17, 0x18
FIFO_STATUS1, FIFO_STATUS2, INTERNAL_FREQ_FINE, FIFO_DATA_OUT_TAG = 0x3A, 0x3B, 0x63, 0x78

WTM_IA, OVR_IA, FULL_IA, OVR_LATCHED = 0x80, 0x40, 0x20, 0x08
STOP_ON_WTM, WTM8 = 0x80, 0x01
USR_OFF_ON_OUT, XL_FS_MODE = 0x02, 0x02

WRITABLE = {
    0x01: 0xC0,
    0x02: 0xC0,
    0x04: 0xFF,
    0x05: 0xFF,
    0x06: 0x03,
    FIFO_CTRL1: 0xFF,
    FIFO_CTRL2: 0xD7,
    FIFO_CTRL3: 0xFF,
    FIFO_CTRL4: 0xF7,
    0x0B: 0xE7,
    0x0C: 0xFF,
    0x0D: 0xFF,
    0x0E: 0x7F,
    CTRL1_XL: 0xFE,
    0x11: 0xFE,
    CTRL3_C: 0xFD,
    0x13: 0x6E,
    0x14: 0xFF,
    0x15: 0xFF,
    CTRL7_G: 0xF7,
    CTRL8_XL: 0xFF,
    CTRL9_XL: 0xFE,
    0x19: 0x20,
    0x56: 0x7F,
    **dict.fromkeys((0x57, 0x58, 0x59, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F), 0xFF),
    0x62: 0x98,
    **dict.fromkeys((0x73, 0x74, 0x75), 0xFF),
}
RESET_VALUES = {0x02: 0x3F, CTRL3_C: 0x04, CTRL9_XL: 0xE0}

FIFO_WORDS, WORD_BYTES = 512, 7
OSCILLATOR_HZ = 6667.0
FINE_STEP = 0.0015
GYRO_NC, ACC_NC = 0x01, 0x02
# Tag byte by sensor and time slot: TAG_SENSOR, TAG_CNT and the bit that makes the number of ones even.
TAGS = np.array(
    [
        [(sensor << 3 | slot << 1) | (sensor << 3 | slot << 1).bit_count() % 2 for slot in range(4)]
        for sensor in (GYRO_NC, ACC_NC)
    ],
    np.uint8,
)


class SimulatedLsm6dsox(SimulatedLsm6ds):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    INTERNAL_FREQ_FINE holds the ``rate_error`` that it begins with, as a factory trim, rounded to its step; a later
    rate error does not change it.
    """

    writable = WRITABLE
    reset_values = RESET_VALUES
    longest_stretch: ClassVar[int] = FIFO_WORDS + 1
    fifo_register: ClassVar[int] = FIFO_DATA_OUT_TAG
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0x6C, **options: Unpack[ChipOptions]
    ) -> None:
        self._freq_fine = max(-128, min(127, round(options.get("rate_error", 0.0) / FINE_STEP)))
        super().__init__(source, clock, WordFifo(WORD_BYTES), who_am_i=who_am_i, **options)

    def _clear(self) -> None:
        super()._clear()
        self._memory[INTERNAL_FREQ_FINE] = self._freq_fine & 0xFF

    def _empty_fifo(self) -> None:
        super()._empty_fifo()
        self._latched = False

    def _period_of(self, code: int) -> float:
        return (1024 >> code) / OSCILLATOR_HZ * 1e9

    @property
    def _fifo_mode(self) -> int:
        return self._memory[FIFO_CTRL4] & 0x07

    @property
    def _batch_codes(self) -> tuple[int, int]:
        """Codes of the batch rates of gyroscope and accelerometer, limited to their sample rates; 0 for none."""
        codes = (self._memory[FIFO_CTRL3] >> 4, self._memory[FIFO_CTRL3] & 0x0F)
        limits = (self._gyro_code, self._acc_code)
        gyro, acc = (min(code, limit) if code <= 10 else 0 for code, limit in zip(codes, limits, strict=True))
        return gyro, acc

    @property
    def _slowest_stride(self) -> int:
        return max((self._stride(code) for code in self._batch_codes if code), default=1)

    def _batch(self, skipped: int, ticks: NDArray[np.int64], counts: NDArray[np.int16]) -> None:
        strides = [self._stride(code) for code in self._batch_codes]
        due = [
            ticks % stride == 0 if code else np.zeros(len(ticks), bool)
            for code, stride in zip(self._batch_codes, strides, strict=True)
        ]
        slots = ticks // min((s for s, c in zip(strides, self._batch_codes, strict=True) if c), default=1)
        words = np.empty((len(ticks), 2, WORD_BYTES), np.uint8)
        words[:, :, 0] = TAGS[:, slots % 4].T
        words[:, :, 1:] = counts.astype("<i2").view(np.uint8).reshape(-1, 2, 6)
        self._push(words[np.stack(due, axis=1)].tobytes())

    def _fifo_depth(self) -> int:
        return self._watermark if self._memory[FIFO_CTRL2] & STOP_ON_WTM else FIFO_WORDS

    @property
    def _watermark(self) -> int:
        return (self._memory[FIFO_CTRL2] & WTM8) << 8 | self._memory[FIFO_CTRL1]

    def _push(self, words: bytes) -> None:
        super()._push(words)
        self._latched |= self._overrun or len(self.fifo) >= self._fifo_depth()

    def _read_status(self, register: int) -> int | None:
        count = len(self.fifo)
        if register == FIFO_STATUS1:
            return count & 0xFF
        if register != FIFO_STATUS2:
            return None
        flags = WTM_IA if 0 < self._watermark <= count else 0
        flags |= OVR_IA if self._recording and count >= self._fifo_depth() else 0
        flags |= FULL_IA if self._recording and count + self._words_at_once >= self._fifo_depth() else 0
        flags |= OVR_LATCHED if self._latched else 0
        self._latched = False
        return flags | count >> 8

    @property
    def _words_at_once(self) -> int:
        return sum(1 for code in self._batch_codes if code)

    def _acc_scale(self) -> int:
        scale = super()._acc_scale()
        return 0 if scale == 1 and self._memory[CTRL8_XL] & XL_FS_MODE else scale

    def _offset_g(self) -> NDArray[np.float64]:
        used = self._memory[CTRL7_G] & USR_OFF_ON_OUT
        return -user_offsets_g(self._memory) if used else np.zeros(3)
