"""Circular shift of raw windows in time."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer


@keras.saving.register_keras_serializable(PACKAGE)
class TimeShift(RandomLayer):
    """Roll each window by a random number of samples, forwards or backwards.

    Args:
        max_fraction: largest shift, as a fraction of the window.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``.

    Example:
        >>> windows = keras.random.normal((8, 100, 6), seed=0)
        >>> tuple(TimeShift(rate=1.0, seed=0)(windows, training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, max_fraction: float = 0.5, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.max_fraction = max_fraction

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Shift in training, else return the input."""
        if not training:
            return windows
        length = windows.shape[1]
        fraction = self.uniform((ops.shape(windows)[0], 1, 1), -self.max_fraction, self.max_fraction)
        shift = ops.cast(ops.round(fraction * length * self.chosen(windows)), "int32")
        index = (ops.reshape(ops.arange(length, dtype="int32"), (1, length, 1)) - shift) % length
        return ops.take_along_axis(windows, index, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
