"""Base classes of the augmentation layers: active only in training, seeded, applied to a random part of the batch."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

PACKAGE = "deseptr"


class RandomLayer(keras.layers.Layer):
    """Base class of the augmentation layers.

    Args:
        rate: probability that an example is changed.
        seed: seed of the layer's generator, or None for one drawn from Keras' global seed.
    """

    def __init__(self, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be a probability. Received: rate={rate}")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def uniform(self, shape: tuple[Any, ...], low: float = 0.0, high: float = 1.0) -> Any:
        """Uniform random numbers of ``shape``."""
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def chosen(self, inputs: Any) -> Any:
        """Random selection of the examples to change: 0 or 1, shaped ``[batch, 1, …]`` to broadcast over ``inputs``."""
        batch = ops.shape(inputs)[0]
        draw = self.uniform((batch,) + (1,) * (len(inputs.shape) - 1))
        return ops.cast(draw < self.rate, inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shape: the input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class AxisLayer(RandomLayer):
    """Base class of layers that work along one axis of a spectrogram ``[batch, bins, frames, channels]``.

    Args:
        axis: ``"time"`` or ``"frequency"``.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.
    """

    _AXES: ClassVar = {"frequency": 1, "time": 2}

    def __init__(self, axis: str = "time", rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if axis not in self._AXES:
            raise ValueError(f"`axis` must be one of {sorted(self._AXES)}. Received: axis={axis}")
        self.axis = axis

    def random_band(self, spectrogram: Any, max_fraction: float) -> Any:
        """A random band along the axis: 1 inside and 0 outside, shaped to broadcast over ``spectrogram``.

        Its width is uniform up to ``max_fraction`` of the axis; examples that are not selected have none.
        """
        index = self._AXES[self.axis]
        size = spectrogram.shape[index]
        batch = ops.shape(spectrogram)[0]
        width = ops.round(self.uniform((batch, 1), 0.0, max_fraction) * size)
        start = ops.floor(self.uniform((batch, 1)) * (size - width + 1))
        position = ops.arange(size, dtype=spectrogram.dtype)
        band = ops.cast((position >= start) & (position < start + width), spectrogram.dtype)
        shape = [batch, 1, 1, 1]
        shape[index] = size
        return ops.reshape(band, shape) * self.chosen(spectrogram)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "axis": self.axis}
