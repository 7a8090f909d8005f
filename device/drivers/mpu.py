"""Common part of InvenSense's MPU-6050 and MPU-6500: registers, reset, and a FIFO of bytes.

Register numbers after "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A rev 4.2, and "MPU-6500
Register Map and Descriptions", RM-MPU-6500A rev 2.1. The FIFO's size is not a multiple of the 12-byte datum used here,
and it overwrites its oldest *bytes*: once it has overflowed, nothing in it can be trusted to be aligned.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from .fifo_imu import FifoImu, FifoLevel, choose_rate
from .registers import Register, bit, bits

DATUM_BYTES = 12
# Room left for the samples that come in between reading the count and reading the data.
FIFO_MARGIN_BYTES = 3 * DATUM_BYTES
INTERNAL_RATE_HZ = 1000
MAX_DIVIDER = 255
RESET_POLL_NS = 10_000_000
RESET_TIMEOUT_NS = 300_000_000
# Gyroscope start-up from sleep, 30 ms in the MPU-6050 and 35 ms in the MPU-6500, typical (product specifications
# PS-MPU-6000A rev 3.4, section 6.1, and PS-MPU-6500A rev 1.1, table 1).
WAKE_NS = 50_000_000


class Mpu(FifoImu):
    """A chip of the family on an I2C bus, at 0x68, or 0x69 where its pin AD0 is high."""

    addresses: ClassVar[tuple[int, ...]] = (0x68, 0x69)
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}
    gyro_lsb_per_dps: ClassVar[Mapping[int, float]] = {250: 131.0, 500: 65.5, 1000: 32.8, 2000: 16.4}
    fifo_bytes: ClassVar[int]
    # Bandwidth (accelerometer, gyroscope) in Hz by the filter's code, widest first. The code 0 is left out everywhere:
    # with it the gyroscope samples at 8 kHz.
    filter_bandwidths_hz: ClassVar[Mapping[int, tuple[float, float]]]

    smplrt_div = Register(0x19)
    config = Register(0x1A, FIFO_MODE=bit(6), EXT_SYNC_SET=bits(5, 3), DLPF_CFG=bits(2, 0))
    gyro_config = Register(0x1B, XG_ST=bit(7), YG_ST=bit(6), ZG_ST=bit(5), FS_SEL=bits(4, 3), FCHOICE_B=bits(1, 0))
    accel_config = Register(0x1C, XA_ST=bit(7), YA_ST=bit(6), ZA_ST=bit(5), AFS_SEL=bits(4, 3))
    fifo_en = Register(
        0x23,
        TEMP_FIFO_EN=bit(7),
        XG_FIFO_EN=bit(6),
        YG_FIFO_EN=bit(5),
        ZG_FIFO_EN=bit(4),
        ACCEL_FIFO_EN=bit(3),
        SLV_FIFO_EN=bits(2, 0),
    )
    i2c_mst_ctrl = Register(
        0x24, MULT_MST_EN=bit(7), WAIT_FOR_ES=bit(6), SLV_3_FIFO_EN=bit(5), I2C_MST_P_NSR=bit(4), I2C_MST_CLK=bits(3, 0)
    )
    i2c_slv0_addr = Register(0x25, I2C_SLV0_RNW=bit(7), I2C_ID_0=bits(6, 0))
    i2c_slv0_reg = Register(0x26)
    i2c_slv0_ctrl = Register(
        0x27,
        I2C_SLV0_EN=bit(7),
        I2C_SLV0_BYTE_SW=bit(6),
        I2C_SLV0_REG_DIS=bit(5),
        I2C_SLV0_GRP=bit(4),
        I2C_SLV0_LENG=bits(3, 0),
    )
    int_pin_cfg = Register(0x37, INT_RD_CLEAR=bit(4), I2C_BYPASS_EN=bit(1))
    int_enable = Register(0x38, MOT_EN=bit(6), FIFO_OFLOW_EN=bit(4), I2C_MST_INT_EN=bit(3), DATA_RDY_EN=bit(0))
    int_status = Register(0x3A, MOT_INT=bit(6), FIFO_OFLOW_INT=bit(4), I2C_MST_INT=bit(3), DATA_RDY_INT=bit(0))
    temp_out = Register(0x41)
    user_ctrl = Register(
        0x6A,
        FIFO_EN=bit(6),
        I2C_MST_EN=bit(5),
        I2C_IF_DIS=bit(4),
        FIFO_RESET=bit(2),
        I2C_MST_RESET=bit(1),
        SIG_COND_RESET=bit(0),
    )
    pwr_mgmt_1 = Register(0x6B, DEVICE_RESET=bit(7), SLEEP=bit(6), CYCLE=bit(5), TEMP_DIS=bit(3), CLKSEL=bits(2, 0))
    pwr_mgmt_2 = Register(0x6C, LP_WAKE_CTRL=bits(7, 6), STBY_ACC=bits(5, 3), STBY_GYRO=bits(2, 0))
    fifo_count = Register(0x72)
    fifo_r_w = Register(0x74)
    who_am_i = Register(0x75)

    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""
        self.fifo_en.write()
        self.user_ctrl.write()
        self.pwr_mgmt_1.write(SLEEP=1)

    def _reset(self) -> None:
        self.pwr_mgmt_1.write(DEVICE_RESET=1)
        self._await(
            lambda: not self.pwr_mgmt_1.read()["DEVICE_RESET"], RESET_POLL_NS, RESET_TIMEOUT_NS, "DEVICE_RESET cleared"
        )
        # The PLL on the gyroscope is steadier than the internal oscillator (register 107).
        self._hold(self.pwr_mgmt_1, CLKSEL=1)
        self._hold(self.pwr_mgmt_2)
        self._clock.sleep_ns(WAKE_NS)

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        actual_hz = choose_rate(map(_rate_hz, range(MAX_DIVIDER + 1)), rate_hz)
        code = self._filter_for(actual_hz)
        self._set_filter(code)
        self._hold(self.smplrt_div, value=round(INTERNAL_RATE_HZ / actual_hz) - 1)
        self._hold(self.gyro_config, FS_SEL=list(self.gyro_lsb_per_dps).index(gyro_full_scale_dps))
        self._hold(self.accel_config, AFS_SEL=list(self.acc_lsb_per_g).index(acc_full_scale_g))
        self._hold(self.int_pin_cfg)
        self._hold(self.int_enable, FIFO_OFLOW_EN=1)
        return actual_hz, min(self.filter_bandwidths_hz[code])

    @abstractmethod
    def _set_filter(self, code: int) -> None:
        """Set the low-pass filters of both sensors."""

    def _begin_fifo(self) -> None:
        self.fifo_en.write()
        self.user_ctrl.write()
        # FIFO_RESET works while FIFO_EN is 0 (RM-MPU-6000A, register 106).
        self.user_ctrl.write(FIFO_RESET=1)
        self.int_status.read()
        self._hold(self.user_ctrl, FIFO_EN=1, I2C_MST_EN=1 if self._slaves else 0)
        self._hold(self.fifo_en, XG_FIFO_EN=1, YG_FIFO_EN=1, ZG_FIFO_EN=1, ACCEL_FIFO_EN=1, SLV_FIFO_EN=self._slaves)

    def _level(self) -> FifoLevel:
        count = int.from_bytes(self.fifo_count.read_block(2), "big")
        # A single flipped bit never leads from one multiple of 12 to another, nor of 20.
        return FifoLevel(count // self.datum_bytes, aligned=count % self.datum_bytes == 0 or count == self.fifo_bytes)

    def _overflowed_meanwhile(self) -> bool:
        return bool(self.int_status.read()["FIFO_OFLOW_INT"])

    def _read_fifo(self, length: int) -> bytes:
        return self.fifo_r_w.read_block(length)

    @property
    def _slaves(self) -> int:
        """Bit mask of the slaves of the I2C master that are read into the FIFO."""
        return 0

    def _filter_for(self, rate_hz: float) -> int:
        for code, bandwidths_hz in self.filter_bandwidths_hz.items():
            if max(bandwidths_hz) < rate_hz / 2:
                return code
        return max(self.filter_bandwidths_hz)


def _rate_hz(divider: int) -> float:
    """Output data rate for SMPLRT_DIV (register 25)."""
    return INTERNAL_RATE_HZ / (1 + divider)
