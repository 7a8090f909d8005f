"""Tokens of the spectrogram: rows of bins, column by column."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .strided_convolution import StridedConvolution

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class SpectrumStem(layers.Layer):
    """A convolution along bins, a depthwise one along time and a projection to tokens.

    A column covers 5 frames and the next begins 4 frames later; nothing is padded in time.

    Args:
        dim: width of a token.
        filters: channels of the first convolution.

    Input shape: ``[batch, frames, bins, channels]``, time first.
    Output shape: ``[batch, columns, bins / 2, dim]``, within ±1.

    Example:
        >>> tuple(SpectrumStem(dim=8)(keras.ops.zeros((2, 25, 12, 12))).shape)
        (2, 6, 6, 8)
    """

    def __init__(self, dim: int, filters: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.filters = filters
        self.along_bins = StridedConvolution(filters, (1, 4), (1, 2), name="along_bins")
        self.along_time = StridedConvolution(None, (5, 1), (4, 1), name="along_time")
        self.projection = StridedConvolution(dim, clamp=True, gamma=0.4, name="projection")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        batch, frames, bins, channels = input_shape
        shape: Any = (batch, frames, None if bins is None else bins + 2, channels)
        for layer in (self.along_bins, self.along_time, self.projection):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        super().build(input_shape)

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Tokens of a spectrogram."""
        x = ops.pad(spectrogram, ((0, 0), (0, 0), (1, 1), (0, 0)))
        x = self.along_time(self.along_bins(x, training=training), training=training)
        return self.projection(x, training=training)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "dim": self.dim, "filters": self.filters}
