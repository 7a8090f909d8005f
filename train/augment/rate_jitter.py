"""Error of the sensor's sample rate."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer
from .sampling import resample


@keras.saving.register_keras_serializable(PACKAGE)
class RateJitter(RandomLayer):
    """Resample each window with a random rate error, around its centre.

    A sensor's oscillator deviates from its data sheet by a few per cent: a slow one spreads the same samples over more
    of the movement. Values between samples are interpolated linearly; beyond the ends of the window the end is held.

    Args:
        max_fraction: largest relative error of the sample interval.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``.

    Example:
        >>> tuple(RateJitter(max_fraction=0.05, rate=1.0, seed=0)(keras.ops.ones((8, 100, 6)), training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, max_fraction: float = 0.05, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if not 0 <= max_fraction < 1:
            raise ValueError(f"`max_fraction` must be in [0, 1). Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Resample in training, else return the input."""
        if not training:
            return windows
        batch, length = ops.shape(windows)[0], windows.shape[1]
        error = self.uniform((batch, 1), -self.max_fraction, self.max_fraction)
        error = error * ops.reshape(self.chosen(windows), (batch, 1))
        time = ops.arange(length, dtype=windows.dtype)
        return resample(windows, time + (time - (length - 1) / 2) * error)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
