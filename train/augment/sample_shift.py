"""Shift of a window within its recording."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer
from .sampling import gather_rows


@keras.saving.register_keras_serializable(PACKAGE)
class SampleShift(RandomLayer):
    """Cut the window at a random place out of itself and the real samples around it.

    Unlike a circular shift, this changes where in the window a transition happens and joins nothing that was apart.
    Outside training the window in the middle is cut.

    Args:
        max_samples: largest shift; the input has as many samples too many at either end.
        rate: probability that an example is shifted.
        seed: seed of the layer's generator.

    Input shape: ``[batch, max_samples + time + max_samples, channels]``.
    Output shape: ``[batch, time, channels]``.

    Example:
        >>> tuple(SampleShift(max_samples=25, seed=0)(keras.ops.ones((8, 150, 6)), training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, max_samples: int = 25, rate: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.max_samples = max_samples

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Cut a window at a random place in training, else in the middle."""
        length = windows.shape[1] - 2 * self.max_samples
        if not training:
            return windows[:, self.max_samples : self.max_samples + length]
        batch = ops.shape(windows)[0]
        places = 2 * self.max_samples + 1
        shift = ops.floor(self.uniform((batch, 1)) * places) - self.max_samples
        shift = ops.clip(shift, -self.max_samples, self.max_samples) * ops.reshape(self.chosen(windows), (batch, 1))
        first = ops.cast(shift, "int32") + self.max_samples
        return gather_rows(windows, first + ops.arange(length, dtype="int32"))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shape: the input shape without the samples at the ends."""
        batch, length, channels = input_shape
        return (batch, None if length is None else length - 2 * self.max_samples, channels)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_samples": self.max_samples}
