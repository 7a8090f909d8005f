"""Driver for the Bosch BMI270.

After the datasheet BST-BMI270-DS000 and Bosch's own driver. The chip does nothing before a configuration file was
written into it, after every reset. The FIFO holds 2048 bytes of frames with a header each; it drops its oldest frames
when it is full, and then begins with a frame that tells how many, so that no lost sample goes unnoticed. A frame that
was read in part is given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError

from .bmi270_config import read_config
from .fifo_imu import FifoLevel, choose_rate
from .registers import Register, bit, bits
from .self_test import Limits
from .self_testing_imu import SelfTestingImu

FIFO_BYTES = 2048
# A header, the gyroscope's and the accelerometer's axes.
FRAME_BYTES = 13
# Room left, in frames, for what comes in between reading the length and reading the data.
FIFO_MARGIN_FRAMES = 5
GYRO_ACC, GYRO_ALONE, ACC_ALONE, SKIP, INPUT_CONFIG = 0x8C, 0x88, 0x84, 0x40, 0x48
# Interrupt tags of the header.
TAGS = 0x03
# Sizes of the other frames, header included.
OTHER_BYTES = {GYRO_ALONE: 7, ACC_ALONE: 7, SKIP: 2, INPUT_CONFIG: 5}
# Header of a frame that is not there.
NOTHING = 0x80
# Output data rate in Hz by the code that both sensors have, and the lower of their bandwidths with the normal filter.
RATES_HZ = {6: 25.0, 7: 50.0, 8: 100.0, 9: 200.0, 10: 400.0, 11: 800.0, 12: 1600.0}
BANDWIDTHS_HZ = {6: 10.1, 7: 20.3, 8: 39.9, 9: 74.6, 10: 136.6, 11: 254.6, 12: 353.0}
NORMAL_FILTER = 2
SOFT_RESET, FIFO_FLUSH = 0xB6, 0xB0
RESET_NS = 2_000_000
POWER_SAVE_OFF_NS = 450_000
CONFIG_BURST = 128
# It takes 20 ms to take effect.
INIT_POLL_NS, INIT_TIMEOUT_NS = 10_000_000, 150_000_000
INIT_OK = 1
# Start of the gyroscope, 45 ms, and a few samples for the filters.
WAKE_NS = 50_000_000
SETTLING_SAMPLES = 4


class Bmi270(SelfTestingImu):
    """A BMI270 on an I2C bus, at 0x68, or 0x69 where its pin SDO is high."""

    name: ClassVar[str] = "bmi270"
    addresses: ClassVar[tuple[int, ...]] = (0x68, 0x69)
    who_am_i_values: ClassVar[Mapping[int, str]] = {0x24: "BMI270"}
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}
    gyro_lsb_per_dps: ClassVar[Mapping[int, float]] = {
        125: 262.144,
        250: 131.072,
        500: 65.536,
        1000: 32.768,
        2000: 16.384,
    }
    capacity: ClassVar[int] = FIFO_BYTES // FRAME_BYTES - FIFO_MARGIN_FRAMES
    datum_bytes: ClassVar[int] = FRAME_BYTES
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x40, 10), (0x6D, 11), (0x7C, 2))
    # Least differences of the two forces at ±16 g and 1600 Hz; no more than the span of the scale.
    self_test_hz: ClassVar[float] = 1600.0
    self_test_full_scale_g: ClassVar[int] = 16
    self_test_forces: ClassVar[tuple[int, int]] = (-1, 1)
    self_test_limits_g: ClassVar[Limits] = ((16.0, 32.0), (-32.0, -15.0), (10.0, 32.0))

    who_am_i = Register(0x00)
    internal_status = Register(0x21, MESSAGE=bits(3, 0))
    temperature = Register(0x22)
    fifo_length = Register(0x24)
    fifo_data = Register(0x26)
    feat_page = Register(0x2F)
    gyr_cas = Register(0x3C)
    acc_conf = Register(0x40, ACC_FILTER_PERF=bit(7), ACC_BWP=bits(6, 4), ACC_ODR=bits(3, 0))
    acc_range = Register(0x41)
    gyr_conf = Register(0x42, GYR_FILTER_PERF=bit(7), GYR_NOISE_PERF=bit(6), GYR_BWP=bits(5, 4), GYR_ODR=bits(3, 0))
    gyr_range = Register(0x43)
    fifo_downs = Register(0x45, ACC_FILT_DATA=bit(7), ACC_DOWNS=bits(6, 4), GYR_FILT_DATA=bit(3), GYR_DOWNS=bits(2, 0))
    fifo_config_0 = Register(0x48, FIFO_TIME_EN=bit(1), FIFO_STOP_ON_FULL=bit(0))
    fifo_config_1 = Register(
        0x49, FIFO_GYR_EN=bit(7), FIFO_ACC_EN=bit(6), FIFO_AUX_EN=bit(5), FIFO_HEADER_EN=bit(4), FIFO_TAG=bits(3, 0)
    )
    init_ctrl = Register(0x59)
    init_addr_0 = Register(0x5B)
    init_data = Register(0x5E)
    acc_self_test = Register(0x6D, AMP=bit(3), SIGN=bit(2), EN=bit(0))
    nv_conf = Register(0x70)
    gyr_off_comp_6 = Register(0x77)
    pwr_conf = Register(0x7C, FUP_EN=bit(2), FIFO_SELF_WAKE_UP=bit(1), ADV_POWER_SAVE=bit(0))
    pwr_ctrl = Register(0x7D, TEMP_EN=bit(3), ACC_EN=bit(2), GYR_EN=bit(1), AUX_EN=bit(0))
    cmd = Register(0x7E)

    # Share of the rate about z that the gyroscope measures about x, in 1/512.
    _factor_zx = 0
    _begun = _skipped = _misaligned = False

    def stop(self) -> None:
        """Power both sensors down."""
        self.pwr_ctrl.write()
        self.pwr_conf.write(ADV_POWER_SAVE=1)

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (registers 22h and 23h)."""
        return int.from_bytes(self.temperature.read_block(2), "little", signed=True) / 512 + 23

    def _reset(self) -> None:
        self.cmd.write(value=SOFT_RESET)
        self._clock.sleep_ns(RESET_NS)
        # Power saving would hold up what follows, and the FIFO.
        self.pwr_conf.write()
        self._clock.sleep_ns(POWER_SAVE_OFF_NS)
        self._load_config(read_config())
        self.feat_page.write()
        factor = self.gyr_cas.read_block(1)[0] & 0x7F
        self._factor_zx = factor - 128 if factor & 0x40 else factor

    def _load_config(self, config: bytes) -> None:
        self.init_ctrl.write()
        for begin in range(0, len(config), CONFIG_BURST):
            # The address counts words of 16 bits: 4 bits in the first register, the others in the second.
            word = begin // 2
            where = bytes((word & 0x0F, word >> 4))
            self.bus.write(self.address, self.init_addr_0.register.address, where)
            self.bus.write(self.address, self.init_data.register.address, config[begin : begin + CONFIG_BURST])
        self.init_ctrl.write(value=1)
        deadline = self._clock.now_ns() + INIT_TIMEOUT_NS
        while (status := self.internal_status.read()["MESSAGE"]) != INIT_OK:
            if self._clock.now_ns() > deadline:
                raise SensorError(
                    self._where,
                    found=f"INTERNAL_STATUS {status} after its configuration file was written",
                    expected=f"{INIT_OK}, initialised",
                    next_step="check the wiring, and that the file is the BMI270's",
                )
            self._clock.sleep_ns(INIT_POLL_NS)

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        actual_hz = choose_rate(RATES_HZ.values(), rate_hz)
        code = next(code for code, hz in RATES_HZ.items() if hz == actual_hz)
        self._hold(self.pwr_conf)
        # No offsets of the user's, no gain, no self-test, no magnetometer: 0 in all of them.
        for register in (self.nv_conf, self.gyr_off_comp_6, self.acc_self_test):
            self._hold(register)
        self._hold(self.acc_conf, ACC_FILTER_PERF=1, ACC_BWP=NORMAL_FILTER, ACC_ODR=code)
        self._hold(self.gyr_conf, GYR_FILTER_PERF=1, GYR_NOISE_PERF=1, GYR_BWP=NORMAL_FILTER, GYR_ODR=code)
        self._hold(self.acc_range, value=list(self.acc_lsb_per_g).index(acc_full_scale_g))
        self._hold(self.gyr_range, value=list(reversed(self.gyro_lsb_per_dps)).index(gyro_full_scale_dps))
        self._hold(self.fifo_downs, ACC_FILT_DATA=1, GYR_FILT_DATA=1)
        self._hold(self.fifo_config_0)
        self._hold(self.pwr_ctrl, TEMP_EN=1, ACC_EN=1, GYR_EN=1)
        self._clock.sleep_ns(WAKE_NS + round(SETTLING_SAMPLES / actual_hz * 1e9))
        return actual_hz, BANDWIDTHS_HZ[code]

    def _force(self, direction: int) -> None:
        self._hold(self.acc_self_test, AMP=1, SIGN=int(direction > 0), EN=1)
        self._clock.sleep_ns(51_000_000)

    def _begin_fifo(self) -> None:
        self.fifo_config_1.write()
        self.cmd.write(value=FIFO_FLUSH)
        self._begun = self._skipped = self._misaligned = False
        self._hold(self.fifo_config_1, FIFO_GYR_EN=1, FIFO_ACC_EN=1, FIFO_HEADER_EN=1)

    def _level(self) -> FifoLevel:
        length = int.from_bytes(self.fifo_length.read_block(2), "little") & 0x3FFF
        return FifoLevel(length // FRAME_BYTES, aligned=length <= FIFO_BYTES)

    def _read_fifo(self, length: int) -> bytes:
        return self._datums_of(self.fifo_data.read_block(length))

    def _datums_of(self, frames: bytes) -> bytes:
        """The axes of all whole frames of both sensors."""
        datums, begin = bytearray(), 0
        while begin < len(frames) and not self._misaligned:
            header = frames[begin] & ~TAGS
            size = FRAME_BYTES if header == GYRO_ACC else OTHER_BYTES.get(header, 0)
            if header == NOTHING or (size and begin + size > len(frames)):
                break
            if header == GYRO_ACC:
                datums += frames[begin + 1 : begin + size]
                self._begun = True
            self._skipped |= header == SKIP
            # The sensors may begin one after the other, but not stop so.
            self._misaligned |= not size or (self._begun and header in (GYRO_ALONE, ACC_ALONE))
            begin += size
        return bytes(datums)

    def _overflowed_meanwhile(self) -> bool:
        return self._skipped or super()._overflowed_meanwhile()

    def _decode(self, data: bytes) -> NDArray[np.int16] | NDArray[np.float32] | None:
        if self._misaligned:
            return None
        counts = np.frombuffer(data, "<i2").reshape(-1, 6)[:, [3, 4, 5, 0, 1, 2]].astype(np.float32)
        counts[:, 3] -= self._factor_zx / 512 * counts[:, 5]
        return counts
