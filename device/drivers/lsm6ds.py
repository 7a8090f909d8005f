"""Common part of ST's LSM6DS chips: registers 01h to 21h, rates, full scales, reset and turn-on times.

After the datasheets of the LSM6DSOX (DS12814) and LSM6DS3TR-C (DocID030071 rev 3) and their application notes AN5272
and AN5130. The chips differ in their FIFOs, which are left to the subclasses. Rates above 833 Hz are left out: there
the gyroscope's fixed filter is wider than half the rate.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from .fifo_imu import FifoImu, choose_rate
from .registers import Register, bit, bits

# Output data rate in Hz by ODR_XL and ODR_G, which are one more than the place in this list.
RATES_HZ = (12.5, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0)
# Register codes of the full scales, CTRL1_XL and CTRL2_G.
ACC_CODES = {2: 0, 4: 2, 8: 3, 16: 1}
GYRO_CODES = {250: 0, 500: 1, 1000: 2, 2000: 3}
CONTINUOUS = 0b110
# Loading of the trim values after power-up, 15 ms (AN5130, section 3).
BOOT_NS = 16_000_000
RESET_POLL_NS = 1_000_000
RESET_TIMEOUT_NS = 50_000_000
# Gyroscope turn-on from power-down, and the samples that its filter needs to settle, the one under way included
# (AN5130, tables 14 and 15).
WAKE_NS = 70_000_000
SETTLING_SAMPLES = 4


class Lsm6ds(FifoImu):
    """A chip of the family on an I2C bus, at 0x6A, or 0x6B where its pin SA0 is high."""

    addresses: ClassVar[tuple[int, ...]] = (0x6A, 0x6B)
    # FUNC_CFG_ACCESS with one bank of embedded functions or sensor hub selected.
    bank_register: ClassVar[int | None] = 0x01
    other_banks: ClassVar[tuple[int, ...]] = (0x80, 0x40, 0x20)
    # Sensitivities are trimmed to these figures, not to a full scale of 32768 counts.
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 1 / 0.061e-3, 4: 1 / 0.122e-3, 8: 1 / 0.244e-3, 16: 1 / 0.488e-3}
    gyro_lsb_per_dps: ClassVar[Mapping[int, float]] = {
        125: 1 / 4.375e-3,
        250: 1 / 8.75e-3,
        500: 1 / 17.5e-3,
        1000: 1 / 35e-3,
        2000: 1 / 70e-3,
    }

    func_cfg_access = Register(0x01)
    who_am_i = Register(0x0F)
    # LPF_XL is LPF2_XL_EN in the LSM6DSOX and LPF1_BW_SEL in the LSM6DS3TR-C: with CTRL8_XL at 0 either means ODR/4.
    ctrl1_xl = Register(0x10, ODR_XL=bits(7, 4), FS_XL=bits(3, 2), LPF_XL=bit(1))
    ctrl2_g = Register(0x11, ODR_G=bits(7, 4), FS_G=bits(3, 2), FS_125=bit(1))
    ctrl3_c = Register(
        0x12, BOOT=bit(7), BDU=bit(6), H_LACTIVE=bit(5), PP_OD=bit(4), SIM=bit(3), IF_INC=bit(2), SW_RESET=bit(0)
    )
    ctrl4_c = Register(0x13)
    ctrl5_c = Register(0x14)
    ctrl6_c = Register(0x15)
    ctrl7_g = Register(0x16)
    ctrl8_xl = Register(0x17)
    ctrl9_xl = Register(0x18, DEN_X=bit(7), DEN_Y=bit(6), DEN_Z=bit(5), I3C_DISABLE=bit(1))
    ctrl10_c = Register(0x19)
    out_temp = Register(0x20)

    def stop(self) -> None:
        """Power both sensors down."""
        self.ctrl1_xl.write()
        self.ctrl2_g.write()

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (registers 20h and 21h)."""
        return int.from_bytes(self.out_temp.read_block(2), "little", signed=True) / 256 + 25

    def _reset(self) -> None:
        self._clock.sleep_ns(BOOT_NS)
        # While the bank of embedded functions is selected, only this register has its usual address.
        self.func_cfg_access.write()
        self.ctrl1_xl.write()
        self.ctrl2_g.write()
        self.ctrl3_c.write(IF_INC=1, SW_RESET=1)
        self._await(lambda: not self.ctrl3_c.read()["SW_RESET"], RESET_POLL_NS, RESET_TIMEOUT_NS, "SW_RESET cleared")

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        rate_code = RATES_HZ.index(choose_rate(RATES_HZ, rate_hz)) + 1
        self._hold(self.func_cfg_access)
        self._hold(self.ctrl3_c, BDU=1, IF_INC=1)
        # High-performance modes, no self-test, no high-pass filter, no masking: 0 in all of them.
        for register in (self.ctrl4_c, self.ctrl5_c, self.ctrl6_c, self.ctrl7_g, self.ctrl8_xl, self.ctrl10_c):
            self._hold(register)
        self._set_up_fifo(rate_code)
        self._hold(self.ctrl1_xl, ODR_XL=rate_code, FS_XL=ACC_CODES[acc_full_scale_g], LPF_XL=1)
        self._hold(
            self.ctrl2_g,
            ODR_G=rate_code,
            FS_G=GYRO_CODES.get(gyro_full_scale_dps, 0),
            FS_125=int(gyro_full_scale_dps == 125),
        )
        self._clock.sleep_ns(WAKE_NS + round(SETTLING_SAMPLES / RATES_HZ[rate_code - 1] * 1e9))
        actual_hz = self._actual_rate_hz(rate_code)
        # The gyroscope's own filter is always wider than the accelerometer's ODR/4 (AN5130, tables 9 and 11).
        return actual_hz, actual_hz / 4

    @abstractmethod
    def _set_up_fifo(self, rate_code: int) -> None:
        """Let both sensors' data into the FIFO at their own rate, while it is off."""

    def _actual_rate_hz(self, rate_code: int) -> float:
        """The rate that the chip itself reports, once it samples."""
        return RATES_HZ[rate_code - 1]
