"""Driver for the InvenSense MPU-6050.

Registers and sensitivities after "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A rev 4.2. Many
modules sold under its name carry another chip; this driver accepts only a WHO_AM_I of 0x68.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from .mpu import DATUM_BYTES, FIFO_MARGIN_BYTES, Mpu


class Mpu6050(Mpu):
    """An MPU-6050 on an I2C bus, at 0x68, or 0x69 where its pin AD0 is high."""

    name: ClassVar[str] = "mpu6050"
    who_am_i_values: ClassVar[Mapping[int, str]] = {0x68: "MPU-6050"}
    fifo_bytes: ClassVar[int] = 1024
    capacity: ClassVar[int] = (1024 - FIFO_MARGIN_BYTES) // DATUM_BYTES
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x19, 11), (0x37, 2), (0x6A, 3))
    # DLPF_CFG, register 26.
    filter_bandwidths_hz: ClassVar[Mapping[int, tuple[float, float]]] = {
        1: (184, 188),
        2: (94, 98),
        3: (44, 42),
        4: (21, 20),
        5: (10, 10),
        6: (5, 5),
    }

    def temperature_c(self) -> float:
        """The chip's own temperature in degrees Celsius (registers 65 and 66)."""
        return int.from_bytes(self.temp_out.read_block(2), "big", signed=True) / 340 + 36.53

    def _set_filter(self, code: int) -> None:
        self._hold(self.config, DLPF_CFG=code)
