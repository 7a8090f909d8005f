"""Error of the sensors' scale, as between a calibrated device and another."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer


@keras.saving.register_keras_serializable(PACKAGE)
class Gain(RandomLayer):
    """Scale each three-axis sensor of an example by a random factor near 1, each sensor by its own.

    Gravity is scaled with the rest, as a badly calibrated accelerometer would.

    Args:
        max_fraction: largest difference of the factor from 1.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``, three channels a sensor.
    """

    def __init__(self, max_fraction: float = 0.1, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if not 0 <= max_fraction < 1:
            raise ValueError(f"`max_fraction` must keep signs. Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Scale in training, else pass on."""
        if not training:
            return windows
        shape = (ops.shape(windows)[0], 1, windows.shape[2] // 3)
        error = self.uniform(shape, -self.max_fraction, self.max_fraction) * self.chosen(windows)
        return windows * (1.0 + ops.repeat(error, 3, axis=2))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
