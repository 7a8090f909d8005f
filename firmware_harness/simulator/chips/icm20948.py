"""A register-accurate ICM-20948: four banks of registers, two sample clocks, FIFO and status bits, self-test.

Written from the datasheet DS-000189 rev 1.3, deliberately sharing no table with the driver. The AK09916 in the same
package is :class:`.SimulatedAk09916`, behind the chip's I2C master or, in bypass mode, at address 0x0C. Not modelled,
besides the parts named in :mod:`.invensense`: the averaging filters, the correction of the time base, which reads
as zero, and the FIFO's watermark, for which the datasheet has an interrupt but no level. Writes to a register that the
bank does not have are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .i2c_master import MasterMap, SlaveMap
from .invensense import (
    RegisterMap,
    SimulatedInvenSense,
    Status,
    acc_offset_g,
    axes_under_test,
    gyro_offset_dps,
    trimmed_response,
)
from .magnetometer import SimulatedAk09916

# Register numbers with the bank in bits 8 and 9.
USER_CTRL, LP_CONFIG, PWR_MGMT_1, PWR_MGMT_2 = 0x003, 0x005, 0x006, 0x007
FIFO_EN_1, FIFO_EN_2, FIFO_RST, FIFO_MODE, FIFO_R_W = 0x066, 0x067, 0x068, 0x069, 0x072
REG_BANK_SEL = 0x07F
SELF_TEST_X_GYRO, SELF_TEST_X_ACCEL = 0x102, 0x10E
ACC_OFFSETS = (0x114, 0x117, 0x11A)
GYRO_SMPLRT_DIV, GYRO_CONFIG_1, GYRO_CONFIG_2, XG_OFFS_USRH = 0x200, 0x201, 0x202, 0x203
ACCEL_SMPLRT_DIV_1, ACCEL_SMPLRT_DIV_2, ACCEL_CONFIG, ACCEL_CONFIG_2 = 0x210, 0x211, 0x214, 0x215

FIFO_BYTES = 512
FCHOICE = 0x01
# The datasheet has no time of a reset; Pimoroni's driver waits so long, and works with the real chip.
RESET_NS = 10_000_000
# Highest rate, that of the unfiltered gyroscope, in Hz; the others are 1125 and, unfiltered, 4500.
TICK_HZ = 9000

WRITABLE = {
    USER_CTRL: 0xF0,
    LP_CONFIG: 0x70,
    PWR_MGMT_1: 0x6F,
    PWR_MGMT_2: 0x3F,
    0x00F: 0xFE,
    0x010: 0x8F,
    0x011: 0x01,
    0x012: 0x1F,
    0x013: 0x1F,
    FIFO_EN_1: 0x0F,
    FIFO_EN_2: 0x1F,
    FIFO_RST: 0x1F,
    FIFO_MODE: 0x1F,
    0x076: 0x01,
    REG_BANK_SEL: 0x30,
    **dict.fromkeys((0x102, 0x103, 0x104, 0x10E, 0x10F, 0x110), 0xFF),
    **dict.fromkeys((0x114, 0x117, 0x11A), 0xFF),
    **dict.fromkeys((0x115, 0x118, 0x11B), 0xFE),
    GYRO_SMPLRT_DIV: 0xFF,
    GYRO_CONFIG_1: 0x3F,
    GYRO_CONFIG_2: 0x3F,
    **dict.fromkeys(range(XG_OFFS_USRH, XG_OFFS_USRH + 6), 0xFF),
    0x209: 0x01,
    ACCEL_SMPLRT_DIV_1: 0x0F,
    ACCEL_SMPLRT_DIV_2: 0xFF,
    0x212: 0x03,
    0x213: 0xFF,
    ACCEL_CONFIG: 0x3F,
    ACCEL_CONFIG_2: 0x1F,
    0x252: 0xFF,
    0x253: 0x07,
    0x254: 0xFF,
    0x300: 0x0F,
    0x301: 0x9F,
    0x302: 0x9F,
    **dict.fromkeys(range(0x303, 0x317), 0xFF),
}
# Trims differ from chip to chip.
TRIMS = {
    **dict(zip((0x102, 0x103, 0x104), (0xA3, 0x9E, 0xAC), strict=True)),
    **dict(zip((0x10E, 0x10F, 0x110), (0x8E, 0x94, 0x97), strict=True)),
    0x114: 0x05,
    0x115: 0xE2,
    0x117: 0xF1,
    0x118: 0x3C,
    0x11A: 0x18,
    0x11B: 0x90,
}
RESET_VALUES = {
    LP_CONFIG: 0x40,
    PWR_MGMT_1: 0x41,
    GYRO_CONFIG_1: 0x01,
    ACCEL_CONFIG: 0x01,
    0x254: 0x03,
    **TRIMS,
}
# Columns of a measurement (ACC_X ACC_Y ACC_Z GYRO_X GYRO_Y GYRO_Z TEMP) that each bit of FIFO_EN_2 puts into the FIFO.
FIFO_ENABLES = ((0x10, (0, 1, 2)), (0x02, (3,)), (0x04, (4,)), (0x08, (5,)), (0x01, (6,)))
FIFO_COLUMNS = [
    [column for mask, columns in FIFO_ENABLES if enabled & mask for column in columns] for enabled in range(0x20)
]


class SimulatedIcm20948(SimulatedInvenSense):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access, at exact multiples of the sample period.
        who_am_i: value of register 0 of bank 0.
        options: further ones of :class:`Chip`.
    """

    register_map: ClassVar[RegisterMap] = RegisterMap(
        who_am_i=0x000,
        user_ctrl=USER_CTRL,
        pwr_mgmt_1=PWR_MGMT_1,
        pwr_mgmt_2=PWR_MGMT_2,
        int_pin_cfg=0x00F,
        outputs=0x02D,
        fifo_count_h=0x070,
        fifo_r_w=FIFO_R_W,
        overflow=Status(0x012, 0x01B, 0x1F),
        data_ready=Status(0x011, 0x01A, 0x01),
    )
    master_map: ClassVar[MasterMap] = MasterMap(
        user_ctrl=USER_CTRL,
        int_pin_cfg=0x00F,
        status=0x017,
        external_data=0x03B,
        slaves=tuple(SlaveMap(*range(first, first + 4)) for first in (0x303, 0x307, 0x30B, 0x30F)),
        slave_4=SlaveMap(*range(0x313, 0x318)),
    )
    # Figures 12 and 13: y and z point the other way.
    magnetometer_axes: ClassVar[Sequence[tuple[int, int]]] = ((0, 1), (1, -1), (2, -1))
    columns: ClassVar[tuple[int, ...]] = (0, 1, 2, 3, 4, 5, 6)
    writable: ClassVar[Mapping[int, int]] = WRITABLE
    fifo_bytes: ClassVar[int] = FIFO_BYTES
    longest_stretch: ClassVar[int] = FIFO_BYTES // 2 + 1
    fifo_register: ClassVar[int] = FIFO_R_W
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))
    # Tables 1 and 2.
    acc_start_up_ns: ClassVar[int] = 20_000_000
    gyro_start_up_ns: ClassVar[int] = 35_000_000

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0xEA, **options: Unpack[ChipOptions]
    ) -> None:
        options.setdefault("reset_ns", RESET_NS)
        super().__init__(source, clock, who_am_i=who_am_i, magnetometer=SimulatedAk09916(clock), **options)

    @property
    def period_ns(self) -> int:
        """Sample period of the faster sensor."""
        return round(min(self._gyro_ticks, self._acc_ticks) * 1e9 / TICK_HZ)

    @property
    def _gyro_ticks(self) -> int:
        """Sample period of the gyroscope in 1/9000 s."""
        return 8 * (1 + self._memory[GYRO_SMPLRT_DIV]) if self._memory[GYRO_CONFIG_1] & FCHOICE else 1

    @property
    def _acc_ticks(self) -> int:
        """Sample period of the accelerometer in 1/9000 s."""
        divider = (self._memory[ACCEL_SMPLRT_DIV_1] & 0x0F) << 8 | self._memory[ACCEL_SMPLRT_DIV_2]
        return 8 * (1 + divider) if self._memory[ACCEL_CONFIG] & FCHOICE else 2

    @property
    def _keeps_oldest(self) -> bool:
        return bool(self._memory[FIFO_MODE] & 0x1F)

    def _memory_index(self, register: int) -> int:
        bank = self._memory[REG_BANK_SEL] >> 4 & 3
        return register if register == REG_BANK_SEL else bank << 8 | register

    def _reset_values(self) -> Mapping[int, int]:
        return RESET_VALUES

    def _fifo_columns(self) -> Sequence[int]:
        # While its reset is asserted, the FIFO takes nothing.
        return () if self._memory[FIFO_RST] else FIFO_COLUMNS[self._memory[FIFO_EN_2] & 0x1F]

    def _fifo_slaves(self) -> Sequence[int]:
        enabled = 0 if self._memory[FIFO_RST] else self._memory[FIFO_EN_1]
        return [number for number in range(4) if enabled >> number & 1]

    def _full_scales(self) -> tuple[int, int]:
        return self._memory[ACCEL_CONFIG] >> 1 & 3, self._memory[GYRO_CONFIG_1] >> 1 & 3

    def _temperature_count(self) -> float:
        return (self._temperature_c - 21) * 333.87

    def _written(self, register: int, value: int) -> None:
        if register == FIFO_RST and value & 0x1F:
            self._fifo.clear()
        if register in (
            GYRO_SMPLRT_DIV,
            GYRO_CONFIG_1,
            ACCEL_SMPLRT_DIV_1,
            ACCEL_SMPLRT_DIV_2,
            ACCEL_CONFIG,
            PWR_MGMT_1,
        ):
            self._restart_samples()

    def _due(self, ticks: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        gyro, acc = self._gyro_ticks, self._acc_ticks
        if gyro == acc:
            return None
        ends = (ticks + 1) * min(gyro, acc)
        due_acc, due_gyro = (ends // period > (ends - min(gyro, acc)) // period for period in (acc, gyro))
        return np.stack([due_acc] * 3 + [due_gyro] * 4, axis=1)

    def _added(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        memory = self._memory
        tested_g = np.array([trimmed_response(memory[SELF_TEST_X_ACCEL + axis], 16384) for axis in range(3)])
        tested_dps = np.array([trimmed_response(memory[SELF_TEST_X_GYRO + axis], 131) for axis in range(3)])
        offset_g = np.array([acc_offset_g(memory, TRIMS, register) for register in ACC_OFFSETS])
        offset_dps = np.array([gyro_offset_dps(memory, XG_OFFS_USRH + 2 * axis) for axis in range(3)])
        return (
            tested_g * axes_under_test(memory[ACCEL_CONFIG_2] >> 2) + offset_g,
            tested_dps * axes_under_test(memory[GYRO_CONFIG_2] >> 3) + offset_dps,
        )
