"""Driver for the TDK InvenSense ICM-20948.

After the datasheet DS-000189 rev 1.3; register numbers below are the document's. Its registers lie in four banks, and
gyroscope and accelerometer have a divider and a filter each. The FIFO is 512 bytes, not a multiple of the 12-byte datum
used here, and overwrites its oldest *bytes*. The magnetometer is that of :mod:`.magnetometer`; the motion processor is
left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from deseptr.device.bus import I2cBus
from deseptr.device.clock import Clock

from .fifo_imu import FifoLevel, choose_rate
from .magnetometer import Ak09916, Magnetometer
from .nine_axis import NineAxisImu
from .registers import BoundRegister, Register, bit, bits

# Section 4.14 promises 512 bytes; how much more there is depends on the motion processor.
FIFO_BYTES = 512
DATUM_BYTES = 12
# Room left for the samples that come in between reading the count and reading the data.
FIFO_MARGIN_BYTES = 3 * DATUM_BYTES
INTERNAL_RATE_HZ = 1125
# GYRO_SMPLRT_DIV has 8 bits; the accelerometer's divider has 12, of which as many are used.
MAX_DIVIDER = 255
ALL_FIFOS = 0x1F
# 345.6 kHz, the highest that keeps to the limits of the bus (table 23).
MASTER_CLOCK = 7
RESET_POLL_NS = 10_000_000
RESET_TIMEOUT_NS = 300_000_000
# Gyroscope start-up from sleep, 35 ms typical (table 1).
WAKE_NS = 50_000_000
# -3 dB bandwidth in Hz by GYRO_DLPFCFG (table 16) and ACCEL_DLPFCFG (table 18), widest first; 0 of the latter is as 1.
GYRO_BANDWIDTHS_HZ = {7: 361.4, 0: 196.6, 1: 151.8, 2: 119.5, 3: 51.2, 4: 23.9, 5: 11.6, 6: 5.7}
ACC_BANDWIDTHS_HZ = {7: 473.0, 1: 246.0, 2: 111.4, 3: 50.4, 4: 23.9, 5: 11.5, 6: 5.7}
# Bank, register number and length of the reads that cover every held register; the last leaves the usual bank selected.
SLAVE_SPAN = (3, 0x01, 5)
BANKED_SPANS = ((2, 0x00, 22), (1, 0x14, 8), (0, 0x03, 17), (0, 0x66, 4))


class Icm20948(NineAxisImu):
    """An ICM-20948 on an I2C bus, at 0x68, or 0x69 where its pin AD0 is high."""

    name: ClassVar[str] = "icm20948"
    addresses: ClassVar[tuple[int, ...]] = (0x68, 0x69)
    who_am_i_values: ClassVar[Mapping[int, str]] = {0xEA: "ICM-20948"}
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}
    gyro_lsb_per_dps: ClassVar[Mapping[int, float]] = {250: 131.0, 500: 65.5, 1000: 32.8, 2000: 16.4}
    fifo_bytes: ClassVar[int] = FIFO_BYTES
    magnetometer: ClassVar[type[Magnetometer]] = Ak09916
    capacity: ClassVar[int] = (FIFO_BYTES - FIFO_MARGIN_BYTES) // DATUM_BYTES
    bank_register: ClassVar[int | None] = 0x7F
    other_banks: ClassVar[tuple[int, ...]] = (0x10, 0x20, 0x30)

    who_am_i = Register(0x00)
    user_ctrl = Register(
        0x03,
        DMP_EN=bit(7),
        FIFO_EN=bit(6),
        I2C_MST_EN=bit(5),
        I2C_IF_DIS=bit(4),
        DMP_RST=bit(3),
        SRAM_RST=bit(2),
        I2C_MST_RST=bit(1),
    )
    lp_config = Register(0x05, I2C_MST_CYCLE=bit(6), ACCEL_CYCLE=bit(5), GYRO_CYCLE=bit(4))
    pwr_mgmt_1 = Register(0x06, DEVICE_RESET=bit(7), SLEEP=bit(6), LP_EN=bit(5), TEMP_DIS=bit(3), CLKSEL=bits(2, 0))
    pwr_mgmt_2 = Register(0x07, DISABLE_ACCEL=bits(5, 3), DISABLE_GYRO=bits(2, 0))
    int_pin_cfg = Register(0x0F, INT_ANYRD_2CLEAR=bit(4), BYPASS_EN=bit(1))
    int_enable_2 = Register(0x12, FIFO_OVERFLOW_EN=bits(4, 0))
    int_status_2 = Register(0x1B, FIFO_OVERFLOW_INT=bits(4, 0))
    temp_out = Register(0x39)
    fifo_en_1 = Register(0x66, SLV_FIFO_EN=bits(3, 0))
    fifo_en_2 = Register(
        0x67,
        ACCEL_FIFO_EN=bit(4),
        GYRO_Z_FIFO_EN=bit(3),
        GYRO_Y_FIFO_EN=bit(2),
        GYRO_X_FIFO_EN=bit(1),
        TEMP_FIFO_EN=bit(0),
    )
    fifo_rst = Register(0x68, FIFO_RESET=bits(4, 0))
    fifo_mode = Register(0x69, FIFO_MODE=bits(4, 0))
    fifo_count = Register(0x70)
    fifo_r_w = Register(0x72)
    reg_bank_sel = Register(0x7F, USER_BANK=bits(5, 4))

    xa_offs_h = Register(0x14, bank=1)
    xa_offs_l = Register(0x15, bank=1)
    ya_offs_h = Register(0x17, bank=1)
    ya_offs_l = Register(0x18, bank=1)
    za_offs_h = Register(0x1A, bank=1)
    za_offs_l = Register(0x1B, bank=1)

    gyro_smplrt_div = Register(0x00, bank=2)
    gyro_config_1 = Register(0x01, bank=2, GYRO_DLPFCFG=bits(5, 3), GYRO_FS_SEL=bits(2, 1), GYRO_FCHOICE=bit(0))
    gyro_config_2 = Register(0x02, bank=2, GYRO_CTEN=bits(5, 3), GYRO_AVGCFG=bits(2, 0))
    xg_offs_usrh = Register(0x03, bank=2)
    xg_offs_usrl = Register(0x04, bank=2)
    yg_offs_usrh = Register(0x05, bank=2)
    yg_offs_usrl = Register(0x06, bank=2)
    zg_offs_usrh = Register(0x07, bank=2)
    zg_offs_usrl = Register(0x08, bank=2)
    odr_align_en = Register(0x09, bank=2)
    accel_smplrt_div_1 = Register(0x10, bank=2)
    accel_smplrt_div_2 = Register(0x11, bank=2)
    accel_config = Register(0x14, bank=2, ACCEL_DLPFCFG=bits(5, 3), ACCEL_FS_SEL=bits(2, 1), ACCEL_FCHOICE=bit(0))
    accel_config_2 = Register(0x15, bank=2, ACCEL_ST_EN=bits(4, 2), DEC3_CFG=bits(1, 0))

    i2c_mst_ctrl = Register(0x01, bank=3, MULT_MST_EN=bit(7), I2C_MST_P_NSR=bit(4), I2C_MST_CLK=bits(3, 0))
    i2c_slv0_addr = Register(0x03, bank=3, I2C_SLV0_RNW=bit(7), I2C_ID_0=bits(6, 0))
    i2c_slv0_reg = Register(0x04, bank=3)
    i2c_slv0_ctrl = Register(
        0x05,
        bank=3,
        I2C_SLV0_EN=bit(7),
        I2C_SLV0_BYTE_SW=bit(6),
        I2C_SLV0_REG_DIS=bit(5),
        I2C_SLV0_GRP=bit(4),
        I2C_SLV0_LENG=bits(3, 0),
    )

    def __init__(self, bus: I2cBus, clock: Clock, address: int | None = None) -> None:
        super().__init__(bus, clock, address)
        # The bank selected last; None if unknown.
        self._bank: int | None = None

    def select_bank(self, bank: int) -> None:
        """Write REG_BANK_SEL unless the bank is already selected."""
        if self._bank != bank:
            self._bank = None
            self.bus.write(self.address, self.reg_bank_sel.register.address, bytes((bank << 4,)))
            self._bank = bank

    def stop(self) -> None:
        """Stop sampling and put the chip and its magnetometer to sleep."""
        self._stop_magnetometer()
        self.fifo_en_1.write()
        self.fifo_en_2.write()
        self.user_ctrl.write()
        self.pwr_mgmt_1.write(SLEEP=1, CLKSEL=1)

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (TEMP_OUT_H; sensitivity of table 3)."""
        return int.from_bytes(self.temp_out.read_block(2), "big", signed=True) / 333.87 + 21

    def _reset(self) -> None:
        self._bank = None
        self.pwr_mgmt_1.write(DEVICE_RESET=1, SLEEP=1, CLKSEL=1)
        self._await(
            lambda: not self.pwr_mgmt_1.read()["DEVICE_RESET"], RESET_POLL_NS, RESET_TIMEOUT_NS, "DEVICE_RESET cleared"
        )
        self._bank = None
        self._hold(self.reg_bank_sel)
        self._hold(self.pwr_mgmt_1, CLKSEL=1)
        self._clock.sleep_ns(WAKE_NS)
        self._hold(self.pwr_mgmt_2)
        # In cycles the I2C master has a rate of its own.
        self._hold(self.lp_config, I2C_MST_CYCLE=0 if self._slaves else 1)
        for trim in self._acc_trims():
            self._adopt(trim)
        for offset in self._gyro_offsets():
            self._hold(offset)

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        actual_hz = choose_rate((INTERNAL_RATE_HZ / (1 + divider) for divider in range(MAX_DIVIDER + 1)), rate_hz)
        divider = round(INTERNAL_RATE_HZ / actual_hz) - 1
        gyro_filter = _filter_for(GYRO_BANDWIDTHS_HZ, actual_hz)
        acc_filter = _filter_for(ACC_BANDWIDTHS_HZ, actual_hz)
        self._hold(self.int_pin_cfg)
        self._hold(self.int_enable_2, FIFO_OVERFLOW_EN=ALL_FIFOS)
        self._hold(self.fifo_mode)
        self._hold(self.fifo_en_1)
        # Gyroscope and accelerometer begin their periods together, at the last write of a divider.
        self._hold(self.odr_align_en, value=1)
        gyro_scale = list(self.gyro_lsb_per_dps).index(gyro_full_scale_dps)
        self._hold(self.gyro_config_1, GYRO_DLPFCFG=gyro_filter, GYRO_FS_SEL=gyro_scale, GYRO_FCHOICE=1)
        self._hold(self.gyro_config_2)
        acc_scale = list(self.acc_lsb_per_g).index(acc_full_scale_g)
        self._hold(self.accel_config, ACCEL_DLPFCFG=acc_filter, ACCEL_FS_SEL=acc_scale, ACCEL_FCHOICE=1)
        self._hold(self.accel_config_2)
        self._hold(self.gyro_smplrt_div, value=divider)
        self._hold(self.accel_smplrt_div_1)
        self._hold(self.accel_smplrt_div_2, value=divider)
        return actual_hz, min(GYRO_BANDWIDTHS_HZ[gyro_filter], ACC_BANDWIDTHS_HZ[acc_filter])

    def _begin_fifo(self) -> None:
        if self._slaves:
            self.fifo_en_1.write()
        self.fifo_en_2.write()
        self.user_ctrl.write()
        self.fifo_rst.write(FIFO_RESET=ALL_FIFOS)
        self._hold(self.fifo_rst)
        self.int_status_2.read()
        self._hold(self.user_ctrl, FIFO_EN=1, I2C_MST_EN=1 if self._slaves else 0)
        self._let_in()

    def _let_in(self) -> None:
        """Enable the FIFO's inputs in one transfer: a sample that came in between would have a part of them."""
        inputs = {"ACCEL_FIFO_EN": 1, "GYRO_X_FIFO_EN": 1, "GYRO_Y_FIFO_EN": 1, "GYRO_Z_FIFO_EN": 1}
        if self._slaves:
            slaves, own = self.fifo_en_1.register, self.fifo_en_2.register
            both = bytes((slaves.encode(SLV_FIFO_EN=self._slaves), own.encode(**inputs)))
            self.select_bank(slaves.bank)
            self.bus.write(self.address, slaves.address, both)
            self._held |= dict(zip((slaves, own), both, strict=True))
        else:
            self._hold(self.fifo_en_2, **inputs)

    def _level(self) -> FifoLevel:
        count = int.from_bytes(self.fifo_count.read_block(2), "big")
        # A single flipped bit never leads from one multiple of 12 to another, nor of 21.
        return FifoLevel(count // self.datum_bytes, aligned=count % self.datum_bytes == 0 or count == FIFO_BYTES)

    def _overflowed_meanwhile(self) -> bool:
        return bool(self.int_status_2.read()["FIFO_OVERFLOW_INT"])

    def _read_fifo(self, length: int) -> bytes:
        return self.fifo_r_w.read_block(length)

    def _settings(self) -> Mapping[Register, int]:
        selected = self.reg_bank_sel.read_block(1)[0]
        if selected:
            # Selecting a bank now would hide that all reads since the last check may have come from another one.
            return {**self._held, self.reg_bank_sel.register: selected}
        found: dict[tuple[int, int], int] = {(0, self.reg_bank_sel.register.address): selected}
        spans = (SLAVE_SPAN, *BANKED_SPANS) if self._slaves else BANKED_SPANS
        for bank, first, length in spans:
            self.select_bank(bank)
            data = self.bus.read(self.address, first, length)
            found.update(((bank, first + offset), byte) for offset, byte in enumerate(data))
        return {register: found[register.bank, register.address] for register in self._held}

    def _has_magnetometer(self) -> bool:
        return True

    def _connect(self, on: bool) -> None:
        self.user_ctrl.write()
        self.int_pin_cfg.write(BYPASS_EN=1 if on else 0)

    def _hold_slave(self, address: int, register: int, length: int) -> None:
        self._hold(self.i2c_mst_ctrl, I2C_MST_P_NSR=1, I2C_MST_CLK=MASTER_CLOCK)
        self._hold(self.i2c_slv0_addr, I2C_SLV0_RNW=1, I2C_ID_0=address)
        self._hold(self.i2c_slv0_reg, value=register)
        self._hold(self.i2c_slv0_ctrl, I2C_SLV0_EN=1, I2C_SLV0_LENG=length)

    def _acc_trims(self) -> tuple[BoundRegister, ...]:
        """Factory trims, different in every chip."""
        return (self.xa_offs_h, self.xa_offs_l, self.ya_offs_h, self.ya_offs_l, self.za_offs_h, self.za_offs_l)

    def _gyro_offsets(self) -> tuple[BoundRegister, ...]:
        return (
            self.xg_offs_usrh,
            self.xg_offs_usrl,
            self.yg_offs_usrh,
            self.yg_offs_usrl,
            self.zg_offs_usrh,
            self.zg_offs_usrl,
        )


def _filter_for(bandwidths_hz: Mapping[int, float], rate_hz: float) -> int:
    fitting = (code for code, bandwidth_hz in bandwidths_hz.items() if bandwidth_hz < rate_hz / 2)
    return next(fitting, min(bandwidths_hz, key=lambda code: bandwidths_hz[code]))
