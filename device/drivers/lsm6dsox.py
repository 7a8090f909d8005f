"""Driver for the ST LSM6DSOX, and the LSM6DSO, which has the same registers.

After the datasheet DS12814 and application note AN5272. The FIFO holds 512 words of 7 bytes: a tag that names the
sensor whose data it is and in which time slot it was taken, and three axes. Gyroscope and accelerometer are paired by
the tags' slot counter, so a lost word cannot shift one against the other. The tag's parity bit is ignored: a flipped
bit of sensor or counter contradicts the neighbouring tags, and the datasheet does not define the parity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .fifo_imu import FifoLevel
from .lsm6ds import CONTINUOUS, Lsm6ds
from .registers import Register, bit, bits

FIFO_WORDS = 512
WORD_BYTES = 7
# Room left, in pairs of words, for what comes in between reading the level and reading the data.
FIFO_MARGIN_PAIRS = 3
GYRO_TAG, ACC_TAG = 0x01, 0x02
# ODR = (6667 + 0.0015 * INTERNAL_FREQ_FINE * 6667) / coefficient; the coefficient is 512 at 12.5 Hz and halves with
# every step (DS12814, INTERNAL_FREQ_FINE).
OSCILLATOR_HZ = 6667
OSCILLATOR_STEP = 0.0015
SLOWEST_COEFFICIENT = 512


class Lsm6dsox(Lsm6ds):
    """An LSM6DSOX on an I2C bus."""

    name: ClassVar[str] = "lsm6dsox"
    who_am_i_values: ClassVar[Mapping[int, str]] = {0x6C: "LSM6DSOX or LSM6DSO"}
    capacity: ClassVar[int] = FIFO_WORDS // 2 - FIFO_MARGIN_PAIRS
    datum_bytes: ClassVar[int] = 2 * WORD_BYTES
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x01, 25),)

    fifo_ctrl1 = Register(0x07)
    fifo_ctrl2 = Register(0x08)
    fifo_ctrl3 = Register(0x09, BDR_GY=bits(7, 4), BDR_XL=bits(3, 0))
    fifo_ctrl4 = Register(0x0A, DEC_TS_BATCH=bits(7, 6), ODR_T_BATCH=bits(5, 4), FIFO_MODE=bits(2, 0))
    fifo_status1 = Register(0x3A)
    fifo_status2 = Register(
        0x3B,
        FIFO_WTM_IA=bit(7),
        FIFO_OVR_IA=bit(6),
        FIFO_FULL_IA=bit(5),
        COUNTER_BDR_IA=bit(4),
        FIFO_OVR_LATCHED=bit(3),
        DIFF_FIFO=bits(1, 0),
    )
    internal_freq_fine = Register(0x63)
    fifo_data_out_tag = Register(0x78)

    # A word whose pair was incomplete at the last read, and the slot of the last pair.
    _odd_word = b""
    _last_slot: int | None = None
    _overrun = False

    def stop(self) -> None:
        """Stop the FIFO and power both sensors down."""
        self.fifo_ctrl4.write()
        super().stop()

    def _set_up_fifo(self, rate_code: int) -> None:
        # The I3C interface is on by default and not meant to be on an I2C bus.
        self._hold(self.ctrl9_xl, I3C_DISABLE=1)
        self._hold(self.fifo_ctrl1)
        self._hold(self.fifo_ctrl2)
        self._hold(self.fifo_ctrl3, BDR_GY=rate_code, BDR_XL=rate_code)

    def _actual_rate_hz(self, rate_code: int) -> float:
        fine = int.from_bytes(self.internal_freq_fine.read_block(1), signed=True)
        return OSCILLATOR_HZ * (1 + OSCILLATOR_STEP * fine) / (SLOWEST_COEFFICIENT >> (rate_code - 1))

    def _begin_fifo(self) -> None:
        # Bypass mode empties it; reading the status clears an old overrun.
        self.fifo_ctrl4.write()
        self.fifo_status1.read_block(2)
        self._odd_word, self._last_slot, self._overrun = b"", None, False
        self._hold(self.fifo_ctrl4, FIFO_MODE=CONTINUOUS)

    def _level(self) -> FifoLevel:
        low, high = self.fifo_status1.read_block(2)
        status = self.fifo_status2.register.decode(high)
        # This read clears the latched flag in the chip, so it is kept here.
        self._overrun |= bool(status["FIFO_OVR_IA"] or status["FIFO_OVR_LATCHED"])
        return FifoLevel((status["DIFF_FIFO"] << 8 | low) // 2, overflowed=self._overrun)

    def _read_fifo(self, length: int) -> bytes:
        # After register 7Eh the chip goes on at 78h, with the next word.
        return self.fifo_data_out_tag.read_block(length)

    def _decode(self, data: bytes) -> NDArray[np.int16] | None:
        words = np.frombuffer(self._odd_word + data, np.uint8).reshape(-1, WORD_BYTES)
        if self._last_slot is None and len(words) > 1 and _slots(words)[0] != _slots(words)[1]:
            # The FIFO was switched on between the two words of a slot.
            words = words[1:]
        paired = len(words) // 2 * 2
        pairs = words[:paired].reshape(-1, 2, WORD_BYTES)
        if not self._fits(pairs):
            return None
        self._odd_word = words[paired:].tobytes()
        if len(pairs):
            self._last_slot = int(_slots(pairs)[-1, 0])
        # The two words come in either order; the accelerometer's tag is the larger.
        order = np.argsort(-_sensors(pairs), axis=1)[:, :, None]
        axes = np.take_along_axis(pairs, order, axis=1)[:, :, 1:]
        return np.ascontiguousarray(axes).view("<i2").reshape(-1, 6)

    def _fits(self, pairs: NDArray[np.uint8]) -> bool:
        """Whether each pair is one of both sensors in one time slot, and no slot is missing."""
        slots, sensors = _slots(pairs), _sensors(pairs)
        before = [] if self._last_slot is None else [self._last_slot]
        steps = np.diff(np.concatenate([before, slots[:, 0]])) % 4
        return bool(
            (slots[:, 0] == slots[:, 1]).all()
            and (np.sort(sensors, axis=1) == (GYRO_TAG, ACC_TAG)).all()
            and (steps == 1).all()
        )


def _slots(words: NDArray[np.uint8]) -> NDArray[np.int64]:
    """TAG_CNT of words ``[…, 7]``."""
    return (words[..., 0] >> 1 & 3).astype(np.int64)


def _sensors(words: NDArray[np.uint8]) -> NDArray[np.int64]:
    """TAG_SENSOR of words ``[…, 7]``."""
    return (words[..., 0] >> 3).astype(np.int64)
