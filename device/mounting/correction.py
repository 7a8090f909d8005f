"""Samples of a turned sensor as they would be without the turn: axes change places and signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, SENSORS, Mounting, SetupError, sensors_of


class MountingCorrection:
    """Corrects accelerometer, gyroscope and magnetometer alike.

    Args:
        mounting: how the sensor is turned.
        channels: names of the samples' channels.

    Raises:
        SetupError: if a sensor has not all three axes among the channels, so that it cannot be turned.

    >>> correct = MountingCorrection(Mounting.named("x90"), ("acc_x", "acc_y", "acc_z"))
    >>> correct(np.float32([[1, 2, 3]])).tolist()
    [[1.0, -3.0, 2.0]]
    """

    def __init__(self, mounting: Mounting, channels: Sequence[str]) -> None:
        self.mounting = mounting
        columns, signs = list(range(len(channels))), np.ones(len(channels), np.float32)
        whole = [SENSORS[name].channels for name in sensors_of(channels)]
        alone = set(channels) - {axis for axes in whole for axis in axes}
        if alone and mounting != AS_TRAINED:
            raise SetupError(
                f"mounting {mounting.name}",
                found=f"a model of {', '.join(sorted(alone))} without the other axes",
                expected="all three axes of each sensor",
                next_step="mount the sensor as in training",
            )
        places = {name: place for place, name in enumerate(channels)}
        for axes in whole:
            for axis, column, sign in zip(axes, mounting.columns, mounting.signs, strict=True):
                columns[places[axis]] = places[axes[column]]
                signs[places[axis]] = sign
        self._columns, self._signs = np.array(columns, np.intp), signs

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The corrected samples ``[…, channel]``, a new array."""
        corrected: NDArray[np.float32] = samples[..., self._columns]
        corrected *= self._signs
        return corrected
