"""Warp of raw windows along time: a movement that begins faster and ends slower, or the reverse."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer
from .sampling import resample


@keras.saving.register_keras_serializable(PACKAGE)
class TimeWarp(RandomLayer):
    """Displace samples along time, most at a random point and not at all at the ends; linear interpolation.

    The point lies between a third and five sixths of the input, which has the history of a window at its beginning.

    Args:
        max_samples: largest displacement; less than a sixth of the input's length, or time would run backwards.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``.

    Example:
        >>> tuple(TimeWarp(max_samples=10, rate=1.0, seed=0)(keras.ops.ones((8, 100, 6)), training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, max_samples: float = 10.0, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if max_samples < 0:
            raise ValueError(f"`max_samples` must not be negative. Received: max_samples={max_samples}")
        self.max_samples = max_samples

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Warp in training, else return the input."""
        if not training:
            return windows
        batch, last = ops.shape(windows)[0], float(windows.shape[1] - 1)
        point = self.uniform((batch, 1), last / 3, last * 5 / 6)
        displacement = self.uniform((batch, 1), -self.max_samples, self.max_samples)
        displacement = displacement * ops.reshape(self.chosen(windows), (batch, 1))
        time = ops.arange(windows.shape[1], dtype=windows.dtype)
        bump = ops.where(time < point, time / point, (last - time) / (last - point))
        return resample(windows, time + displacement * bump)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_samples": self.max_samples}
