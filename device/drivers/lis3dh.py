"""Driver for the ST LIS3DH, an accelerometer without a gyroscope; the LIS2DH12 has the same registers and identity.

After the datasheet DocID17530 rev 2 and application note AN3308. It runs in normal mode, 10 bits: the high-resolution
mode's bandwidth is a ninth of the rate, and that of people's movements is more than the 5.6 Hz which that is at 50 Hz.
The FIFO holds 32 samples. The first read from it clears the overrun flag, so that only the clock shows whether samples
were lost between the reads of level and data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .fifo_imu import FifoLevel, choose_rate
from .registers import Register, bit, bits
from .self_test import Limits
from .self_testing_imu import SelfTestingImu

FIFO_DATUMS = 32
# Room left for the samples that come in between reading the level and reading the data.
FIFO_MARGIN_DATUMS = 2
# Largest ratio of the chip's true rate to its nominal one.
FASTEST = 1.1
AUTO_INCREMENT = 0x80
# Output data rate in Hz by the code in CTRL_REG1 (table 31).
RATES_HZ = {2: 10.0, 3: 25.0, 4: 50.0, 5: 100.0, 6: 200.0, 7: 400.0}
STREAM = 0b10
# Words are left-justified: 10 bits of 16 in normal mode.
UNUSED_BITS = 6
BOOT_POLL_NS = 1_000_000
BOOT_TIMEOUT_NS = 50_000_000
# Turn-on in normal mode, 1.6 ms, and a few samples for the filter.
WAKE_NS = 1_600_000
SETTLING_SAMPLES = 4


class Lis3dh(SelfTestingImu):
    """A LIS3DH on an I2C bus, at 0x18, or 0x19 where its pin SDO/SA0 is high."""

    name: ClassVar[str] = "lis3dh"
    addresses: ClassVar[tuple[int, ...]] = (0x18, 0x19)
    who_am_i_values: ClassVar[Mapping[int, str]] = {0x33: "LIS3DH or LIS2DH12"}
    # 4, 8, 16 and 48 mg per digit in normal mode (table 4).
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 1 / 4e-3, 4: 1 / 8e-3, 8: 1 / 16e-3, 16: 1 / 48e-3}
    capacity: ClassVar[int] = FIFO_DATUMS - FIFO_MARGIN_DATUMS
    datum_bytes: ClassVar[int] = 6
    auto_increment: ClassVar[int] = AUTO_INCREMENT
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x1F, 7), (0x2E, 1))
    # 17 to 360 digits in either direction at 2 g in normal mode (table 4; AN3308, self-test).
    self_test_hz: ClassVar[float] = 100.0
    self_test_full_scale_g: ClassVar[int] = 2
    self_test_limits_g: ClassVar[Limits] = ((17 * 4e-3, 360 * 4e-3),) * 3

    who_am_i = Register(0x0F)
    temp_cfg_reg = Register(0x1F)
    ctrl_reg1 = Register(0x20, ODR=bits(7, 4), LPEN=bit(3), ZEN=bit(2), YEN=bit(1), XEN=bit(0))
    ctrl_reg2 = Register(0x21)
    ctrl_reg3 = Register(0x22)
    ctrl_reg4 = Register(0x23, BDU=bit(7), BLE=bit(6), FS=bits(5, 4), HR=bit(3), ST=bits(2, 1), SIM=bit(0))
    ctrl_reg5 = Register(0x24, BOOT=bit(7), FIFO_EN=bit(6))
    ctrl_reg6 = Register(0x25)
    out_x_l = Register(0x28 | AUTO_INCREMENT)
    fifo_ctrl_reg = Register(0x2E, FM=bits(7, 6), TR=bit(5), FTH=bits(4, 0))
    fifo_src_reg = Register(0x2F, WTM=bit(7), OVRN_FIFO=bit(6), EMPTY=bit(5), FSS=bits(4, 0))

    _rate_hz = RATES_HZ[4]
    _overrun = False
    # Level when it was last read, less what has been read since, and when that was.
    _left = 0
    _left_ns = 0

    def stop(self) -> None:
        """Stop sampling: power-down."""
        self.ctrl_reg1.write()

    def _reset(self) -> None:
        self.ctrl_reg1.write()
        # Loads the trim values again; the other registers keep theirs, and are all written.
        self.ctrl_reg5.write(BOOT=1)
        self._await(lambda: not self.ctrl_reg5.read()["BOOT"], BOOT_POLL_NS, BOOT_TIMEOUT_NS, "BOOT cleared")
        for register in (self.temp_cfg_reg, self.ctrl_reg2, self.ctrl_reg3, self.ctrl_reg6):
            self._hold(register)

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        self._rate_hz = choose_rate(RATES_HZ.values(), rate_hz)
        self._hold(self.ctrl_reg4, BDU=1, FS=list(self.acc_lsb_per_g).index(acc_full_scale_g))
        self._hold(self.ctrl_reg5, FIFO_EN=1)
        code = next(code for code, hz in RATES_HZ.items() if hz == self._rate_hz)
        self._hold(self.ctrl_reg1, ODR=code, XEN=1, YEN=1, ZEN=1)
        self._settle()
        # In normal mode the bandwidth is half the rate (AN3308, operating modes).
        return self._rate_hz, self._rate_hz / 2

    def _settle(self) -> None:
        self._clock.sleep_ns(WAKE_NS + round(SETTLING_SAMPLES / self._rate_hz * 1e9))

    def _force(self, direction: int) -> None:
        self._hold(self.ctrl_reg4, BDU=1, ST=direction)
        # AN3308 waits for 90 ms.
        self._clock.sleep_ns(90_000_000)

    def _change_g(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs(second - first)

    def _begin_fifo(self) -> None:
        # Bypass mode empties it.
        self.fifo_ctrl_reg.write()
        self._overrun, self._left = False, 0
        self._hold(self.fifo_ctrl_reg, FM=STREAM)

    def _level(self) -> FifoLevel:
        at_ns = self._clock.now_ns()
        # Without the bit for auto-increment, a read of two bytes gives this register twice.
        first, second = self.fifo_src_reg.read_block(2)
        status = self.fifo_src_reg.register.decode(first)
        datums = 0 if status["EMPTY"] else status["FSS"]
        self._left, self._left_ns = datums, at_ns
        if first == second:
            self._overrun |= bool(status["OVRN_FIFO"])
        return FifoLevel(datums, aligned=first == second, overflowed=self._overrun)

    def _read_fifo(self, length: int) -> bytes:
        # After register 2Dh the chip goes on at 28h, with the next sample.
        data = self.out_x_l.read_block(length)
        came = (self._clock.now_ns() - self._left_ns) / 1e9 * self._rate_hz * FASTEST
        self._overrun |= self._left + came >= FIFO_DATUMS
        self._left -= length // self.datum_bytes
        return data

    def _overflowed_meanwhile(self) -> bool:
        after, _ = self._checked_level()
        return after.overflowed or after.datums > self.capacity

    def _decode(self, data: bytes) -> NDArray[np.int16] | None:
        return np.frombuffer(data, "<i2").reshape(-1, 3) >> UNUSED_BITS
