"""A register-accurate MPU-6500, or MPU-9250 or MPU-9255: register memory, sample clock, FIFO, status bits, self-test.

Written from "MPU-6500 Register Map and Descriptions", RM-MPU-6500A rev 2.1, "MPU-9250 Register Map and Descriptions",
RM-MPU-9250A rev 1.6, and the product specification PS-MPU-6500A rev 1.1. The AK8963 in an MPU-9250 or MPU-9255 is
:class:`.SimulatedAk8963`, behind the chip's I2C master or, in bypass mode, at address 0x0C. Not modelled, besides the
parts named in :mod:`.invensense`: FIFO sizes other than 512 bytes, and the accelerometer's own rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .i2c_master import SLAVES, MasterMap, SlaveMap
from .invensense import acc_offset_g, axes_under_test, gyro_offset_dps, trimmed_response
from .magnetometer import SimulatedAk8963
from .mpu import ACCEL_CONFIG, CONFIG, FIFO_EN, GYRO_CONFIG, INT_ENABLE, PWR_MGMT_1, SMPLRT_DIV, USER_CTRL, SimulatedMpu

SELF_TEST_X_GYRO, SELF_TEST_X_ACCEL, XG_OFFSET_H, ACCEL_CONFIG_2 = 0x00, 0x0D, 0x13, 0x1D
ACC_OFFSETS = (0x77, 0x7A, 0x7D)
FIFO_BYTES = 512
FIFO_MODE, FCHOICE_B = 0x40, 0x03

WRITABLE = {
    **dict.fromkeys((0x00, 0x01, 0x02, 0x0D, 0x0E, 0x0F), 0xFF),
    **dict.fromkeys(range(XG_OFFSET_H, XG_OFFSET_H + 6), 0xFF),
    SMPLRT_DIV: 0xFF,
    CONFIG: 0x7F,
    GYRO_CONFIG: 0xFB,
    ACCEL_CONFIG: 0xF8,
    ACCEL_CONFIG_2: 0xCF,
    0x1E: 0x0F,
    0x1F: 0xFF,
    FIFO_EN: 0xFF,
    **dict.fromkeys(range(0x24, 0x35), 0xFF),
    0x37: 0xFE,
    INT_ENABLE: 0x59,
    **dict.fromkeys(range(0x63, 0x67), 0xFF),
    0x67: 0x9F,
    0x69: 0xC0,
    USER_CTRL: 0xF0,
    PWR_MGMT_1: 0x7F,
    0x6C: 0xFF,
    **dict.fromkeys(ACC_OFFSETS, 0xFF),
    **dict.fromkeys((0x78, 0x7B, 0x7E), 0xFE),
}
# Trims differ from chip to chip.
TRIMS = {
    **dict(zip((0x00, 0x01, 0x02), (0xA8, 0xB1, 0xA2), strict=True)),
    **dict(zip((0x0D, 0x0E, 0x0F), (0x8C, 0x90, 0x9B), strict=True)),
    0x77: 0xEA,
    0x78: 0x24,
    0x7A: 0x12,
    0x7B: 0xC8,
    0x7D: 0x1F,
    0x7E: 0x5E,
}


class SimulatedMpu6500(SimulatedMpu):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access, at exact multiples of the sample period.
        who_am_i: value of register 117: 0x70 for an MPU-6500, which is asleep after power-up, 0x71 for an MPU-9250 or
            0x73 for an MPU-9255, which are awake.
        options: further ones of :class:`Chip`.
    """

    writable: ClassVar[Mapping[int, int]] = WRITABLE
    master_map: ClassVar[MasterMap] = MasterMap(
        user_ctrl=USER_CTRL,
        int_pin_cfg=0x37,
        status=0x36,
        external_data=0x49,
        slaves=tuple(SlaveMap(0x25 + 3 * n, 0x26 + 3 * n, 0x27 + 3 * n, 0x63 + n) for n in range(SLAVES)),
        slave_4=SlaveMap(address=0x31, register=0x32, control=0x34, data_out=0x33, data_in=0x35),
    )
    # PS-MPU-9250A-01 rev 1.1, section 9.1: its x and y are exchanged, and z points the other way.
    magnetometer_axes: ClassVar[Sequence[tuple[int, int]]] = ((1, 1), (0, 1), (2, -1))
    fifo_bytes: ClassVar[int] = FIFO_BYTES
    longest_stretch: ClassVar[int] = FIFO_BYTES // 2 + 1
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))
    # PS-MPU-6500A rev 1.1, tables 1 and 2.
    acc_start_up_ns: ClassVar[int] = 20_000_000
    gyro_start_up_ns: ClassVar[int] = 35_000_000

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0x70, **options: Unpack[ChipOptions]
    ) -> None:
        alone = who_am_i == 0x70
        self._power_up_mode = 0x40 if alone else 0x01
        magnetometer = None if alone else SimulatedAk8963(clock)
        super().__init__(source, clock, who_am_i=who_am_i, magnetometer=magnetometer, **options)

    @property
    def period_ns(self) -> int:
        """Sample period: 1 ms times 1 + SMPLRT_DIV with the gyroscope's filter, otherwise that of 8 or 32 kHz."""
        if self._memory[GYRO_CONFIG] & FCHOICE_B:
            return 31_250
        if self._memory[CONFIG] & 0x07 in (0, 7):
            return 125_000
        return 1_000_000 * (1 + self._memory[SMPLRT_DIV])

    def _reset_values(self) -> Mapping[int, int]:
        # Register 107 is loaded from a fuse, PU_SLEEP_MODE.
        return {**TRIMS, PWR_MGMT_1: self._power_up_mode}

    @property
    def _keeps_oldest(self) -> bool:
        return bool(self._memory[CONFIG] & FIFO_MODE)

    def _temperature_count(self) -> float:
        return (self._temperature_c - 21) * 333.87

    def _added(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        memory = self._memory
        tested_g = np.array([trimmed_response(memory[SELF_TEST_X_ACCEL + axis], 16384) for axis in range(3)])
        tested_dps = np.array([trimmed_response(memory[SELF_TEST_X_GYRO + axis], 131) for axis in range(3)])
        offset_g = np.array([acc_offset_g(memory, TRIMS, register) for register in ACC_OFFSETS])
        offset_dps = np.array([gyro_offset_dps(memory, XG_OFFSET_H + 2 * axis) for axis in range(3)])
        return (
            tested_g * axes_under_test(memory[ACCEL_CONFIG] >> 5) + offset_g,
            tested_dps * axes_under_test(memory[GYRO_CONFIG] >> 5) + offset_dps,
        )
