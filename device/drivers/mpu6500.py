"""Driver for the InvenSense MPU-6500, and the MPU-9250 and MPU-9255, which are one with a magnetometer beside it.

After "MPU-6500 Register Map and Descriptions", RM-MPU-6500A rev 2.1, and "MPU-9250 Register Map and Descriptions",
RM-MPU-9250A rev 1.6. Unlike the MPU-6050, it has a separate register for the accelerometer's filter, half the FIFO
size, and another temperature scale.

It also drives chips with a WHO_AM_I of 0x98, that of the ICM-20689, as on most modules sold as MPU-6050: they have the
MPU-6500's registers, and the MPU-6050's driver would leave their accelerometer unfiltered. Their temperature may be off
by some degrees. The magnetometer is that of :mod:`.magnetometer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from deseptr.contract import SensorError
from deseptr.device.bus import BusError

from .magnetometer import Ak8963, Magnetometer
from .mpu import DATUM_BYTES, FIFO_MARGIN_BYTES, Mpu
from .nine_axis import NineAxisImu
from .registers import Register, bit, bits

CLONE = 0x98
WITH_MAGNETOMETER = (0x71, 0x73)
# 400 kHz.
MASTER_CLOCK = 13


class Mpu6500(NineAxisImu, Mpu):
    """An MPU-6500, MPU-9250 or MPU-9255 on an I2C bus, at 0x68, or 0x69 where its pin AD0 is high."""

    name: ClassVar[str] = "mpu6500"
    who_am_i_values: ClassVar[Mapping[int, str]] = {
        0x70: "MPU-6500",
        0x71: "MPU-9250",
        0x73: "MPU-9255",
        CLONE: "ICM-20689 or clone of an MPU-6050",
    }
    # The documented size; larger ones are shared with the motion processor, so the reset value of 512 bytes is kept.
    fifo_bytes: ClassVar[int] = 512
    capacity: ClassVar[int] = (512 - FIFO_MARGIN_BYTES) // DATUM_BYTES
    magnetometer: ClassVar[type[Magnetometer]] = Ak8963
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x13, 21), (0x37, 2), (0x6A, 3), (0x77, 8))
    # A_DLPF_CFG and DLPF_CFG, registers 29 and 26; for the accelerometer the wider figures of the later document.
    filter_bandwidths_hz: ClassVar[Mapping[int, tuple[float, float]]] = {
        1: (218.1, 184),
        2: (99, 92),
        3: (44.8, 41),
        4: (21.2, 20),
        5: (10.2, 10),
        6: (5.05, 5),
    }

    xg_offset_h = Register(0x13)
    xg_offset_l = Register(0x14)
    yg_offset_h = Register(0x15)
    yg_offset_l = Register(0x16)
    zg_offset_h = Register(0x17)
    zg_offset_l = Register(0x18)
    accel_config_2 = Register(0x1D, FIFO_SIZE=bits(7, 6), ACCEL_FCHOICE_B=bit(3), A_DLPF_CFG=bits(2, 0))
    xa_offset_h = Register(0x77)
    xa_offset_l = Register(0x78)
    ya_offset_h = Register(0x7A)
    ya_offset_l = Register(0x7B)
    za_offset_h = Register(0x7D)
    za_offset_l = Register(0x7E)

    def stop(self) -> None:
        """Stop sampling and put the chip and its magnetometer to sleep."""
        self._stop_magnetometer()
        super().stop()

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (registers 65 and 66; PS-MPU-6500A rev 1.1, table 3)."""
        return int.from_bytes(self.temp_out.read_block(2), "big", signed=True) / 333.87 + 21

    def _has_magnetometer(self) -> bool:
        return self.who_am_i.read()["value"] in WITH_MAGNETOMETER

    def _connect(self, on: bool) -> None:
        self.user_ctrl.write()
        self.int_pin_cfg.write(I2C_BYPASS_EN=1 if on else 0)

    def _hold_slave(self, address: int, register: int, length: int) -> None:
        # A sample is complete only with what the slave has given.
        self._hold(self.i2c_mst_ctrl, WAIT_FOR_ES=1, I2C_MST_CLK=MASTER_CLOCK)
        self._hold(self.i2c_slv0_addr, I2C_SLV0_RNW=1, I2C_ID_0=address)
        self._hold(self.i2c_slv0_reg, value=register)
        self._hold(self.i2c_slv0_ctrl, I2C_SLV0_EN=1, I2C_SLV0_LENG=length)

    def _reset(self) -> None:
        super()._reset()
        for offset in (
            self.xg_offset_h,
            self.xg_offset_l,
            self.yg_offset_h,
            self.yg_offset_l,
            self.zg_offset_h,
            self.zg_offset_l,
        ):
            self._hold(offset)
        # Factory trims, different in every chip.
        for trim in (
            self.xa_offset_h,
            self.xa_offset_l,
            self.ya_offset_h,
            self.ya_offset_l,
            self.za_offset_h,
            self.za_offset_l,
        ):
            self._adopt(trim)

    def _set_filter(self, code: int) -> None:
        self._hold(self.config, DLPF_CFG=code)
        try:
            self._hold(self.accel_config_2, A_DLPF_CFG=code)
        except BusError:
            raise
        except SensorError:
            # A true clone of the MPU-6050 has no such register: its CONFIG filters both sensors.
            if self.who_am_i.read()["value"] != CLONE:
                raise
