"""Scale error of the sensors, as between differently calibrated devices."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer


@keras.saving.register_keras_serializable(PACKAGE)
class Gain(RandomLayer):
    """Scale each three-axis sensor of an example by its own random factor near 1.

    Gravity is scaled too, as by a badly calibrated accelerometer.

    Args:
        max_fraction: largest deviation of the factor from 1.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``, three channels per sensor.

    Example:
        >>> scaled = Gain(max_fraction=0.1, rate=1.0, seed=0)(keras.ops.ones((8, 100, 6)), training=True)
        >>> bool(keras.ops.all(keras.ops.abs(scaled - 1) <= 0.1))
        True
    """

    def __init__(self, max_fraction: float = 0.1, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if not 0 <= max_fraction < 1:
            raise ValueError(f"`max_fraction` must be in [0, 1). Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Scale in training, else return the input."""
        if not training:
            return windows
        shape = (ops.shape(windows)[0], 1, windows.shape[2] // 3)
        error = self.uniform(shape, -self.max_fraction, self.max_fraction) * self.chosen(windows)
        return windows * (1.0 + ops.repeat(error, 3, axis=2))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
