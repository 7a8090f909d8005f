"""Gaussian noise on raw windows, with its own level for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianNoise(RandomLayer):
    """Add white noise with a random level for each example.

    ``keras.layers.GaussianNoise`` has one level for all channels; acceleration and angular rate need different ones.

    Args:
        stddev: largest standard deviation of each channel, in its unit; the level is a uniform fraction of it.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``.

    Example:
        >>> layer = GaussianNoise([0.1] * 3 + [0.01] * 3, rate=1.0, seed=0)
        >>> tuple(layer(keras.ops.zeros((8, 100, 6)), training=True).shape)
        (8, 100, 6)
    """

    def __init__(self, stddev: Sequence[float], rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.stddev = [float(v) for v in stddev]

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Add the noise in training, else return the input."""
        if not training:
            return windows
        shape = ops.shape(windows)
        level = self.uniform((shape[0], 1, 1)) * ops.convert_to_tensor(self.stddev, "float32")
        noise = keras.random.normal(shape, seed=self.seed_generator, dtype=windows.dtype)
        return windows + self.chosen(windows) * level * noise

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "stddev": self.stddev}
