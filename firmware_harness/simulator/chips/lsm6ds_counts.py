"""Counts of the simulated LSM6DS chips from acceleration and angular rate: sensitivities and self-test.

After table 3 of the datasheets DS12814 and DocID030071 rev 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY

CTRL1_XL, CTRL2_G, CTRL5_C, CTRL6_C, X_OFS_USR = 0x10, 0x11, 0x14, 0x15, 0x73
FS_125, USR_OFF_W = 0x02, 0x08

ACC_MG_PER_LSB = (0.061, 0.488, 0.122, 0.244)
GYRO_MDPS_PER_LSB = (8.75, 17.5, 35.0, 70.0)
GYRO_MDPS_PER_LSB_AT_125 = 4.375
# Inside the limits of 90 to 1700 mg, 20 to 80 deg/s at 250 and 150 to 700 deg/s at 2000.
SELF_TEST_G = 0.8
SELF_TEST_DPS, SELF_TEST_DPS_AT_2000 = 50.0, 400.0
ACC_SELF_TEST_SIGN = {0b01: 1.0, 0b10: -1.0}
GYRO_SELF_TEST_SIGN = {0b01: 1.0, 0b11: -1.0}


def counts_of(
    signals: NDArray[np.float64], memory: Sequence[int], acc_scale: int, offset_g: NDArray[np.float64]
) -> NDArray[np.int16]:
    """Counts ``[n, 6]``, gyroscope first, rounded and saturated.

    Args:
        signals: ``[n, 6]`` in m/s^2 and rad/s, accelerometer first.
        memory: the registers.
        acc_scale: FS_XL.
        offset_g: offset ``[3]`` of the accelerometer's axes.
    """
    gyro_scale, test = memory[CTRL2_G] >> 2 & 3, memory[CTRL5_C]
    test_dps = SELF_TEST_DPS_AT_2000 if gyro_scale == 3 else SELF_TEST_DPS
    dps = np.rad2deg(signals[:, 3:]) + test_dps * GYRO_SELF_TEST_SIGN.get(test >> 2 & 3, 0.0)
    g = signals[:, :3] / STANDARD_GRAVITY + SELF_TEST_G * ACC_SELF_TEST_SIGN.get(test & 3, 0.0) + offset_g
    mdps = GYRO_MDPS_PER_LSB_AT_125 if memory[CTRL2_G] & FS_125 else GYRO_MDPS_PER_LSB[gyro_scale]
    exact = np.concatenate([dps * (1000 / mdps), g * (1000 / ACC_MG_PER_LSB[acc_scale])], axis=1)
    counts: NDArray[np.int16] = np.clip(np.rint(exact), -32768, 32767).astype(np.int16)
    return counts


def user_offsets_g(memory: Sequence[int]) -> NDArray[np.float64]:
    """The user's offsets ``[3]`` in g, with the sign as written."""
    offsets = np.array(memory[X_OFS_USR : X_OFS_USR + 3], np.uint8).astype(np.int8)
    return np.ldexp(offsets.astype(np.float64), -6 if memory[CTRL6_C] & USR_OFF_W else -10)
