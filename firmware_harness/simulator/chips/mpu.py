"""Common part of the simulated MPU-6050 and MPU-6500: the register map, and the selection of data for the FIFO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from .invensense import RegisterMap, SimulatedInvenSense, Status

SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG, FIFO_EN = 0x19, 0x1A, 0x1B, 0x1C, 0x23
INT_ENABLE, INT_STATUS, USER_CTRL, PWR_MGMT_1 = 0x38, 0x3A, 0x6A, 0x6B
FIFO_R_W, I2C_MST_CTRL = 0x74, 0x24
USER_FIFO_RESET = 0x04

# Columns of a measurement (ACC_X ACC_Y ACC_Z TEMP GYRO_X GYRO_Y GYRO_Z) that each bit of FIFO_EN puts into the FIFO.
FIFO_ENABLES = ((0x08, (0, 1, 2)), (0x80, (3,)), (0x40, (4,)), (0x20, (5,)), (0x10, (6,)))
FIFO_COLUMNS = {
    enabled: [column for mask, columns in FIFO_ENABLES if enabled & mask for column in columns]
    for enabled in range(0, 0x100, 0x08)
}


class SimulatedMpu(SimulatedInvenSense):
    """An MPU-6050 or MPU-6500."""

    register_map: ClassVar[RegisterMap] = RegisterMap(
        who_am_i=0x75,
        user_ctrl=USER_CTRL,
        pwr_mgmt_1=PWR_MGMT_1,
        pwr_mgmt_2=0x6C,
        int_pin_cfg=0x37,
        outputs=0x3B,
        fifo_count_h=0x72,
        fifo_r_w=FIFO_R_W,
        overflow=Status(INT_ENABLE, INT_STATUS, 0x10),
        data_ready=Status(INT_ENABLE, INT_STATUS, 0x01),
    )
    columns: ClassVar[tuple[int, ...]] = (0, 1, 2, 6, 3, 4, 5)
    fifo_register: ClassVar[int] = FIFO_R_W

    def _fifo_columns(self) -> Sequence[int]:
        return FIFO_COLUMNS[self._memory[FIFO_EN] & 0xF8]

    def _fifo_slaves(self) -> Sequence[int]:
        enabled = self._memory[FIFO_EN] & 0x07 | self._memory[I2C_MST_CTRL] >> 2 & 0x08
        return [number for number in range(4) if enabled >> number & 1]

    def _full_scales(self) -> tuple[int, int]:
        return self._memory[ACCEL_CONFIG] >> 3 & 3, self._memory[GYRO_CONFIG] >> 3 & 3

    def _written(self, register: int, value: int) -> None:
        if register == USER_CTRL and value & USER_FIFO_RESET and self._may_reset_fifo(value):
            self._fifo.clear()
        if register in (SMPLRT_DIV, CONFIG, PWR_MGMT_1):
            self._restart_samples()

    def _may_reset_fifo(self, user_ctrl: int) -> bool:
        """Whether FIFO_RESET has an effect; the bit clears itself in either case."""
        return True
