"""A register-accurate MPU-6050: register memory, sample clock, FIFO and status bits; no analogue behaviour.

Written from "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A rev 4.2, and the product specification
PS-MPU-6000A rev 3.4, deliberately sharing no table with the driver, so that an error in one shows against the other.
Parts that are not modelled are named in :mod:`.invensense`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .invensense import USER_FIFO_EN, axes_under_test
from .mpu import ACCEL_CONFIG, CONFIG, GYRO_CONFIG, INT_ENABLE, PWR_MGMT_1, SMPLRT_DIV, USER_CTRL, SimulatedMpu

SELF_TEST_X, SELF_TEST_A = 0x0D, 0x10
FIFO_BYTES = 1024

WRITABLE = {
    **dict.fromkeys((SELF_TEST_X, 0x0E, 0x0F), 0xFF),
    SELF_TEST_A: 0x3F,
    SMPLRT_DIV: 0xFF,
    CONFIG: 0x3F,
    GYRO_CONFIG: 0xF8,
    ACCEL_CONFIG: 0xF8,
    0x1F: 0xFF,
    **dict.fromkeys(range(0x23, 0x34), 0xFF),
    0x37: 0xFE,
    INT_ENABLE: 0x59,
    **dict.fromkeys(range(0x63, 0x67), 0xFF),
    0x67: 0x9F,
    0x69: 0x30,
    USER_CTRL: 0x70,
    PWR_MGMT_1: 0x6F,
    0x6C: 0xFF,
}
# XA_TEST 21, YA_TEST 17, ZA_TEST 14 and XG_TEST 14, YG_TEST 11, ZG_TEST 16: trims differ from chip to chip.
RESET_VALUES = {SELF_TEST_X: 0xAE, 0x0E: 0x8B, 0x0F: 0x70, SELF_TEST_A: 0x16, PWR_MGMT_1: 0x40}


class SimulatedMpu6050(SimulatedMpu):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access, at exact multiples of the sample period.
        who_am_i: value of register 117, to simulate a clone.
        options: further ones of :class:`Chip`.
    """

    writable: ClassVar[Mapping[int, int]] = WRITABLE
    fifo_bytes: ClassVar[int] = FIFO_BYTES
    longest_stretch: ClassVar[int] = FIFO_BYTES // 2 + 1
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))
    # PS-MPU-6000A rev 3.4, section 6.1, which has no figure for the accelerometer.
    acc_start_up_ns: ClassVar[int] = 0
    gyro_start_up_ns: ClassVar[int] = 30_000_000

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0x68, **options: Unpack[ChipOptions]
    ) -> None:
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Sample period: gyroscope rate (8 kHz without the low-pass filter, else 1 kHz) over 1 + SMPLRT_DIV."""
        unfiltered = self._memory[CONFIG] & 0x07 in (0, 7)
        return (125_000 if unfiltered else 1_000_000) * (1 + self._memory[SMPLRT_DIV])

    def _reset_values(self) -> Mapping[int, int]:
        return RESET_VALUES

    @property
    def _keeps_oldest(self) -> bool:
        return False

    def _fifo_columns(self) -> Sequence[int]:
        # Register 106: a disabled FIFO is not written to.
        return super()._fifo_columns() if self._memory[USER_CTRL] & USER_FIFO_EN else ()

    def _may_reset_fifo(self, user_ctrl: int) -> bool:
        # Register 106: FIFO_RESET works while FIFO_EN is 0.
        return not user_ctrl & USER_FIFO_EN

    def _temperature_count(self) -> float:
        return (self._temperature_c - 36.53) * 340

    def _added(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Self-test responses of registers 13 to 16: gyroscope's at 250 deg/s, accelerometer's at 8 g."""
        memory = self._memory
        gyro = np.array([memory[SELF_TEST_X + axis] & 0x1F for axis in range(3)])
        acc = np.array(
            [memory[SELF_TEST_X + axis] >> 5 << 2 | memory[SELF_TEST_A] >> 4 - 2 * axis & 3 for axis in range(3)]
        )
        dps = np.where(gyro > 0, 25 * 1.046 ** (gyro - 1.0), 0) * (1, -1, 1)
        g = np.where(acc > 0, 0.34 * (0.92 / 0.34) ** ((acc - 1) / 30), 0)
        return g * axes_under_test(memory[ACCEL_CONFIG] >> 5), dps * axes_under_test(memory[GYRO_CONFIG] >> 5)
