"""Driver for the InvenSense MPU-6050.

Registers and sensitivities after "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A rev 4.2; register
numbers below are the document's. The FIFO is 1024 bytes, not a multiple of the 12-byte datum used here, and overwrites
its oldest *bytes*: once it has overflowed, nothing in it can be trusted to be aligned.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError

from .bus import BusError, I2cBus
from .clock import Clock
from .imu import STANDARD_GRAVITY, Gap, ImuConfig, ImuSettings, Samples
from .registers import Register, bit, bits

FIFO_BYTES = 1024
DATUM_BYTES = 12
# Room left for the samples that come in between reading the count and reading the data.
FIFO_MARGIN_BYTES = 3 * DATUM_BYTES
# Several controllers and USB adapters stop at 255 bytes a transfer.
BURST_DATUMS = 20
INTERNAL_RATE_HZ = 1000
MAX_DIVIDER = 255
RESET_POLL_NS = 10_000_000
RESET_TIMEOUT_NS = 300_000_000
# Gyroscope start-up from sleep, 30 ms typical (product specification PS-MPU-6000A rev 3.4, section 6.1).
WAKE_NS = 50_000_000

OTHER_CHIPS = {
    0x19: "an MPU-6886",
    0x68: "an MPU-6050",
    0x70: "an MPU-6500",
    0x71: "an MPU-9250",
    0x73: "an MPU-9255",
    0x98: "a common clone sold as MPU-6050",
}
ACC_LSB_PER_G = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}
GYRO_LSB_PER_DPS = {250: 131.0, 500: 65.5, 1000: 32.8, 2000: 16.4}
# Bandwidth (accelerometer, gyroscope) in Hz by DLPF_CFG, register 26. 0 is left out: it would make the rate 8 kHz.
DLPF_BANDWIDTH_HZ = {1: (184, 188), 2: (94, 98), 3: (44, 42), 4: (21, 20), 5: (10, 10), 6: (5, 5)}


class Mpu6050:
    """An MPU-6050 on an I2C bus.

    Args:
        bus: the bus it is on.
        clock: for the bounded waits and the times of gaps.
        address: 0x68, or 0x69 where its pin AD0 is high.
    """

    name: ClassVar[str] = "mpu6050"
    who_am_i_value: ClassVar[int] = 0x68
    capacity: ClassVar[int] = (FIFO_BYTES - FIFO_MARGIN_BYTES) // DATUM_BYTES

    smplrt_div = Register(0x19)
    config = Register(0x1A, EXT_SYNC_SET=bits(5, 3), DLPF_CFG=bits(2, 0))
    gyro_config = Register(0x1B, XG_ST=bit(7), YG_ST=bit(6), ZG_ST=bit(5), FS_SEL=bits(4, 3))
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
    int_enable = Register(0x38, MOT_EN=bit(6), FIFO_OFLOW_EN=bit(4), I2C_MST_INT_EN=bit(3), DATA_RDY_EN=bit(0))
    int_status = Register(0x3A, MOT_INT=bit(6), FIFO_OFLOW_INT=bit(4), I2C_MST_INT=bit(3), DATA_RDY_INT=bit(0))
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
    fifo_count = Register(0x72)
    fifo_r_w = Register(0x74)
    who_am_i = Register(0x75)

    def __init__(self, bus: I2cBus, clock: Clock, address: int = 0x68) -> None:
        self.bus = bus
        self.address = address
        self._clock = clock
        self._scale = np.ones(6, np.float32)

    def identify(self) -> None:
        """Check WHO_AM_I (register 117).

        Raises:
            SensorError: if another chip answers.
        """
        found = self.who_am_i.read()["value"]
        if found == self.who_am_i_value:
            return
        kind = OTHER_CHIPS.get(found, "an unknown chip")
        raise SensorError(
            f"{self.name} on {self.bus.path} address 0x{self.address:02x}",
            found=f"WHO_AM_I 0x{found:02X} ({kind})",
            expected=f"0x{self.who_am_i_value:02X}",
            next_step="choose the driver for that chip with --sensor, or fit a genuine one",
        )

    def configure(self, config: ImuConfig) -> ImuSettings:
        """Reset the chip and set rate, filter and full scales, each read back.

        The rate is the nearest that the divider reaches; each full scale is the smallest that is at least the asked
        one; the filter is the widest whose bandwidth stays below half the rate.

        Raises:
            SensorError: if no full scale is large enough, the chip does not come out of reset, or a register does not
                keep what was written.
        """
        acc = self._full_scale("accelerometer", config.acc_full_scale_g, ACC_LSB_PER_G, "g")
        gyro = self._full_scale("gyroscope", config.gyro_full_scale_dps, GYRO_LSB_PER_DPS, "deg/s")
        divider = min(range(MAX_DIVIDER + 1), key=lambda divider: abs(_rate_hz(divider) - config.rate_hz))
        rate_hz = _rate_hz(divider)
        dlpf = _filter_for(rate_hz)
        self._reset()
        self.config.write_checked(DLPF_CFG=dlpf)
        self.smplrt_div.write_checked(value=divider)
        self.gyro_config.write_checked(FS_SEL=list(GYRO_LSB_PER_DPS).index(gyro))
        self.accel_config.write_checked(AFS_SEL=list(ACC_LSB_PER_G).index(acc))
        self.int_enable.write_checked(FIFO_OFLOW_EN=1)
        self._scale = si_per_count(acc, gyro)
        return ImuSettings(rate_hz, acc, gyro, min(DLPF_BANDWIDTH_HZ[dlpf]))

    def start(self) -> None:
        """Empty the FIFO, forget an old overflow, and let whole datums in from the next sample on."""
        self.fifo_en.write()
        self.user_ctrl.write()
        # FIFO_RESET works while FIFO_EN is 0 (register 106).
        self.user_ctrl.write(FIFO_RESET=1)
        self.int_status.read()
        self.user_ctrl.write_checked(FIFO_EN=1)
        self.fifo_en.write_checked(XG_FIFO_EN=1, YG_FIFO_EN=1, ZG_FIFO_EN=1, ACCEL_FIFO_EN=1)

    def drain(self) -> Samples:
        """Take every whole datum that the FIFO holds.

        A FIFO that has overflowed or is within three datums of it is emptied, and so is one whose data could not be
        read to the end: how far the chip's read pointer got is unknown, and a repeated read would give misaligned
        samples. Either way the result is a gap.
        """
        count = int.from_bytes(self.fifo_count.read_block(2), "big")
        if count > FIFO_BYTES - FIFO_MARGIN_BYTES:
            return self._restart("overflow")
        datums = count // DATUM_BYTES
        if datums == 0:
            return Samples(np.empty((0, 6), np.float32))
        try:
            data = self._read_datums(datums)
        except BusError:
            return self._restart("read-error")
        # Read after the data, so that an overflow while they were being read is seen too.
        if self.int_status.read()["FIFO_OFLOW_INT"]:
            return self._restart("overflow")
        return Samples(self._to_si(data))

    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""
        self.fifo_en.write()
        self.user_ctrl.write()
        self.pwr_mgmt_1.write(SLEEP=1)

    def _full_scale(self, sensor: str, wanted: float, scales: dict[int, float], unit: str) -> int:
        for full_scale in scales:
            if full_scale >= wanted:
                return full_scale
        raise SensorError(
            f"{self.name} {sensor}",
            found=f"a largest full scale of {max(scales)} {unit}",
            expected=f"at least {wanted:g} {unit}",
            next_step="use a sensor with a larger range, or a model trained with a smaller one",
        )

    def _reset(self) -> None:
        self.pwr_mgmt_1.write(DEVICE_RESET=1)
        deadline = self._clock.now_ns() + RESET_TIMEOUT_NS
        self._clock.sleep_ns(RESET_POLL_NS)
        while self.pwr_mgmt_1.read()["DEVICE_RESET"]:
            if self._clock.now_ns() > deadline:
                raise SensorError(
                    f"{self.name} on {self.bus.path} address 0x{self.address:02x}",
                    found=f"still in reset after {RESET_TIMEOUT_NS // 1_000_000} ms",
                    expected="DEVICE_RESET cleared",
                    next_step="power the sensor off and on",
                )
            self._clock.sleep_ns(RESET_POLL_NS)
        # The PLL on the gyroscope is steadier than the internal oscillator (register 107).
        self.pwr_mgmt_1.write_checked(CLKSEL=1)
        self._clock.sleep_ns(WAKE_NS)

    def _restart(self, reason: str) -> Samples:
        self.start()
        return Samples(np.empty((0, 6), np.float32), Gap(reason, self._clock.now_ns()))

    def _read_datums(self, datums: int) -> bytes:
        bursts = (min(BURST_DATUMS, datums - done) for done in range(0, datums, BURST_DATUMS))
        return b"".join([self.fifo_r_w.read_block(burst * DATUM_BYTES) for burst in bursts])

    def _to_si(self, data: bytes) -> NDArray[np.float32]:
        counts = np.frombuffer(data, ">i2").reshape(-1, 6)
        signals: NDArray[np.float32] = np.multiply(counts, self._scale, dtype=np.float32)
        return signals


def si_per_count(acc_full_scale_g: int, gyro_full_scale_dps: int) -> NDArray[np.float32]:
    """float32 ``[6]``: m/s^2 and rad/s of one count (registers 59-64 and 67-72)."""
    acc = STANDARD_GRAVITY / ACC_LSB_PER_G[acc_full_scale_g]
    gyro = np.deg2rad(1.0) / GYRO_LSB_PER_DPS[gyro_full_scale_dps]
    return np.array([acc] * 3 + [gyro] * 3, np.float32)


def _rate_hz(divider: int) -> float:
    """Output data rate for SMPLRT_DIV (register 25)."""
    return INTERNAL_RATE_HZ / (1 + divider)


def _filter_for(rate_hz: float) -> int:
    for dlpf, bandwidths in DLPF_BANDWIDTH_HZ.items():
        if max(bandwidths) < rate_hz / 2:
            return dlpf
    return max(DLPF_BANDWIDTH_HZ)
