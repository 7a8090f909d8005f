"""Driver for the InvenSense MPU-6500, and the MPU-9250 and MPU-9255, which are one with a magnetometer beside it.

After "MPU-6500 Register Map and Descriptions", RM-MPU-6500A rev 2.1, and "MPU-9250 Register Map and Descriptions",
RM-MPU-9250A rev 1.6. Unlike the MPU-6050, it has a separate register for the accelerometer's filter, half the FIFO
size, and another temperature scale.

It also drives chips with a WHO_AM_I of 0x98, that of the ICM-20689, as on most modules sold as MPU-6050: they have the
MPU-6500's registers, and the MPU-6050's driver would leave their accelerometer unfiltered. Their temperature may be off
by some degrees. The magnetometer is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from deseptr.contract import SensorError
from deseptr.device.bus import BusError

from .mpu import DATUM_BYTES, FIFO_MARGIN_BYTES, Mpu
from .registers import Register, bit, bits

CLONE = 0x98


class Mpu6500(Mpu):
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
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x13, 17), (0x37, 2), (0x6A, 3), (0x77, 8))
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

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (registers 65 and 66; PS-MPU-6500A rev 1.1, table 3)."""
        return int.from_bytes(self.temp_out.read_block(2), "big", signed=True) / 333.87 + 21

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
