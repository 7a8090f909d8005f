"""Lost samples, as after an overflow of a sensor's FIFO."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer
from .sampling import gather_rows


@keras.saving.register_keras_serializable(PACKAGE)
class DroppedSamples(RandomLayer):
    """Replace a random run of samples of each window by the last sample before it, on all channels.

    Args:
        max_fraction: longest run, as a fraction of the window; the shortest run is one sample.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``.

    Example:
        >>> windows = keras.random.normal((8, 100, 6), seed=0)
        >>> tuple(DroppedSamples(max_fraction=0.2, rate=1.0, seed=0)(windows, training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, max_fraction: float = 0.1, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if not 0 <= max_fraction < 1:
            raise ValueError(f"`max_fraction` must leave a sample to hold. Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Drop samples in training, else return the input."""
        if not training:
            return windows
        batch, length = ops.shape(windows)[0], windows.shape[1]
        run = 1.0 + ops.floor(self.uniform((batch, 1)) * max(1, round(self.max_fraction * length)))
        last = ops.floor(self.uniform((batch, 1)) * (length - run))
        run = run * ops.reshape(self.chosen(windows), (batch, 1))
        time = ops.arange(length, dtype=windows.dtype)
        held = ops.where((time > last) & (time <= last + run), last, time)
        return gather_rows(windows, ops.cast(held, "int32"))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
