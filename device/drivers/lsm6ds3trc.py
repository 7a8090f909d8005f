"""Driver for the ST LSM6DS3TR-C, and the LSM6DSL and LSM6DSM, which have the same identity and FIFO.

After the datasheet DocID030071 rev 3 (also DS11879) and application note AN5130. The FIFO holds 2048 words of 16 bits
without tags, gyroscope before accelerometer; FIFO_PATTERN is the number of the next one of the six words. Only whole
datums are read, and before and after every drain the next word must be the gyroscope's x.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .fifo_imu import CHECK_ATTEMPTS, LONGEST_LEVEL_NS, FifoLevel
from .lsm6ds import CONTINUOUS, RATES_HZ, Lsm6ds
from .registers import Register, bit, bits

FIFO_WORDS = 2048
WORDS_PER_SET = 3
DATUM_WORDS = 2 * WORDS_PER_SET
FIFO_DATUMS = FIFO_WORDS // DATUM_WORDS
# Room left for the samples that come in between reading the level and reading the data.
FIFO_MARGIN_DATUMS = 8
# Largest ratio of the chip's true rate to its nominal one.
FASTEST = 1.1
NO_DECIMATION = 0b001
# Frequency and number of polls for the first datum.
POLLS_PER_PERIOD = 8
POLLS = 12


class Lsm6ds3trc(Lsm6ds):
    """An LSM6DS3TR-C on an I2C bus."""

    name: ClassVar[str] = "lsm6ds3trc"
    who_am_i_values: ClassVar[Mapping[int, str]] = {0x6A: "LSM6DS3TR-C, LSM6DSL or LSM6DSM"}
    capacity: ClassVar[int] = FIFO_DATUMS - FIFO_MARGIN_DATUMS
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x01, 26), (0x73, 3))

    fifo_ctrl1 = Register(0x06)
    fifo_ctrl2 = Register(0x07)
    fifo_ctrl3 = Register(0x08, DEC_FIFO_GYRO=bits(5, 3), DEC_FIFO_XL=bits(2, 0))
    fifo_ctrl4 = Register(0x09)
    fifo_ctrl5 = Register(0x0A, ODR_FIFO=bits(6, 3), FIFO_MODE=bits(2, 0))
    master_config = Register(0x1A)
    fifo_status1 = Register(0x3A)
    fifo_status2 = Register(
        0x3B, WATERM=bit(7), OVER_RUN=bit(6), FIFO_FULL_SMART=bit(5), FIFO_EMPTY=bit(4), DIFF_FIFO=bits(2, 0)
    )
    fifo_data_out_l = Register(0x3E)
    x_ofs_usr = Register(0x73)
    y_ofs_usr = Register(0x74)
    z_ofs_usr = Register(0x75)

    _rate_code = 1
    _first_datum = True
    _aligned = True
    _overrun = False
    # Level when it was last read, less what has been read since, and when that was.
    _left = 0
    _left_ns = 0

    def stop(self) -> None:
        """Stop the FIFO and power both sensors down."""
        self.fifo_ctrl5.write()
        super().stop()

    def _set_up_fifo(self, rate_code: int) -> None:
        for register in (self.ctrl9_xl, self.fifo_ctrl1, self.fifo_ctrl2, self.fifo_ctrl4, self.master_config):
            self._hold(register)
        for offset in (self.x_ofs_usr, self.y_ofs_usr, self.z_ofs_usr):
            self._hold(offset)
        self._hold(self.fifo_ctrl3, DEC_FIFO_GYRO=NO_DECIMATION, DEC_FIFO_XL=NO_DECIMATION)
        self._rate_code = rate_code

    def _begin_fifo(self) -> None:
        for _ in range(CHECK_ATTEMPTS):
            # Bypass mode empties it.
            self.fifo_ctrl5.write()
            self._first_datum, self._aligned, self._overrun = True, True, False
            self._hold(self.fifo_ctrl5, ODR_FIFO=self._rate_code, FIFO_MODE=CONTINUOUS)
            if self._discard_first():
                return

    def _discard_first(self) -> bool:
        """Take out the first datum after a change of mode, which is not to be relied on (datasheet, section 5.5).

        Done here so that the next datum comes within a sample period from now, as with other chips. If the chip is slow
        or hangs, the first drain discards it. Returns False if the host was delayed, so that the time of the next datum
        is unknown.
        """
        pause_ns = round(1e9 / self._rate_hz / POLLS_PER_PERIOD)
        for _ in range(POLLS):
            before_ns = self._clock.now_ns()
            self._clock.sleep_ns(pause_ns)
            level = self._level()
            if level.datums and level.aligned:
                self._read_fifo(self.datum_bytes)
                self._first_datum = False
                return level.datums == 1 and self._clock.now_ns() - before_ns < pause_ns + LONGEST_LEVEL_NS
        return True

    @property
    def _rate_hz(self) -> float:
        return RATES_HZ[self._rate_code - 1]

    def _level(self) -> FifoLevel:
        low, high, pattern, pattern_high = self.fifo_status1.read_block(4)
        status = self.fifo_status2.register.decode(high)
        words = status["DIFF_FIFO"] << 8 | low
        self._left, self._left_ns = words // DATUM_WORDS, self._clock.now_ns()
        # An overrun makes the count 0 (AN5130, table 64).
        self._overrun |= bool(status["OVER_RUN"] or (words == 0 and not status["FIFO_EMPTY"]))
        # A single flipped bit never leads from one multiple of 3 to another.
        aligned = not (pattern or pattern_high & 3 or words % WORDS_PER_SET)
        return FifoLevel(words // DATUM_WORDS, aligned=aligned, overflowed=self._overrun)

    def _read_fifo(self, length: int) -> bytes:
        # After register 3Fh the chip goes on at 3Eh, with the next word.
        data = self.fifo_data_out_l.read_block(length)
        # The first read clears OVER_RUN: only the clock shows that the host was delayed for too long.
        came = (self._clock.now_ns() - self._left_ns) / 1e9 * self._rate_hz * FASTEST
        self._overrun |= self._left + came >= FIFO_DATUMS
        self._left -= length // self.datum_bytes
        return data

    def _overflowed_meanwhile(self) -> bool:
        after, _ = self._checked_level()
        self._aligned = after.aligned
        return after.overflowed or after.datums > self.capacity

    def _decode(self, data: bytes) -> NDArray[np.int16] | None:
        if not self._aligned:
            return None
        datums = np.frombuffer(data, "<i2").reshape(-1, DATUM_WORDS)
        if self._first_datum and len(datums):
            self._first_datum, datums = False, datums[1:]
        return datums[:, [3, 4, 5, 0, 1, 2]]
