"""Tokens of the waveform: what a spectrogram of magnitudes cannot show, the direction and order of a movement."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .strided_convolution import StridedConvolution
from .view_spectrogram import VIEWS

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class WaveformTrunk(layers.Layer):
    """Convolutions along time on each channel, then across channels; two tokens and the peaks of each column.

    All channels share the kernels along time; the two views of a channel are their input features. Maxima, not strides,
    halve the rate, so that a small shift of the window changes little. A column covers 47 samples and the next begins
    16 samples later; nothing is padded.

    Args:
        dim: width of a token.
        maps: feature maps of the first convolution, and of the second and third.
        mixed: features across channels.

    Input shape: ``[batch, window_length, 2 · channels]``: all coarse channels, then all fine channels.
    Output: tokens ``[batch, columns, 2, dim]`` within ±1 and peaks ``[batch, columns, mixed]``.

    Example:
        >>> tokens, peaks = WaveformTrunk(dim=8)(keras.ops.zeros((2, 128, 12)))
        >>> tuple(tokens.shape), tuple(peaks.shape)
        ((2, 6, 2, 8), (2, 6, 144))
    """

    def __init__(self, dim: int, maps: tuple[int, int] = (16, 16), mixed: int = 144, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.maps = [int(count) for count in maps]
        self.mixed = mixed
        first, second = self.maps
        self.temporal = [
            StridedConvolution(first, (6, 1), name="temporal_1"),
            layers.MaxPooling2D((4, 1), strides=(2, 1), name="pool_1"),
            StridedConvolution(second, (5, 1), name="temporal_2"),
            layers.MaxPooling2D((2, 1), strides=(2, 1), name="pool_2"),
            StridedConvolution(second, (3, 1), name="temporal_3"),
        ]
        self.across = StridedConvolution(mixed, name="across")
        self.shape = StridedConvolution(None, (6, 1), (4, 1), name="shape")
        self.peak = layers.MaxPooling2D((6, 1), strides=(4, 1), name="peak")
        self.projections = [
            StridedConvolution(dim, clamp=True, gamma=0.4, name=f"{name}_projection") for name in ("shape", "peak")
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        batch, length, channels = input_shape
        count = int(channels or 0) // VIEWS
        shape: Any = (batch, length, count, VIEWS)
        for layer in self.temporal:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.across.build((batch, shape[1], 1, count * shape[3]))
        for layer in (self.shape, *self.projections):
            layer.build((batch, shape[1], 1, self.mixed))
        super().build(input_shape)

    def call(self, views: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Tokens and peaks of encoded windows."""
        count = views.shape[-1] // VIEWS
        x = ops.stack([views[..., :count], views[..., count:]], axis=-1)
        for layer in self.temporal:
            x = layer(x, training=training) if isinstance(layer, StridedConvolution) else layer(x)
        mixed = self.across(ops.reshape(x, (-1, x.shape[1], 1, count * x.shape[3])), training=training)
        peaks = self.peak(mixed)
        columns = (self.shape(mixed, training=training), peaks)
        tokens = [layer(x, training=training) for layer, x in zip(self.projections, columns, strict=True)]
        return ops.concatenate(tokens, axis=2), ops.squeeze(peaks, axis=2)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("dim", "maps", "mixed")}
        return {**super().get_config(), **own}
