"""TinierHAR, for comparison: separable residual convolutions, a bidirectional GRU and attention over its states."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .convolution import NormedConvolution

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class TemporalBlock(layers.Layer):
    """Depthwise-separable 5×1 convolution with a shortcut, optionally followed by a max-pool that halves time.

    Args:
        filters: output maps; if the input has as many, the shortcut is the identity.
        pooled: whether time is halved.

    Input shape: ``[batch, time, channels, maps]``; each sensor channel is convolved separately.
    Output shape: ``[batch, time, channels, filters]``, or ``[batch, time // 2, …]``.
    """

    def __init__(self, filters: int, pooled: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.pooled = pooled
        self.main = NormedConvolution(filters, (5, 1), separable=True, name="main")
        self.shortcut: layers.Layer | None = None
        self.pool = layers.MaxPooling2D((2, 1))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the convolutions; the shortcut has one only if the number of maps changes."""
        self.main.build(input_shape)
        if input_shape[-1] != self.filters:
            self.shortcut = NormedConvolution(self.filters, (1, 1), relu=False, name="shortcut")
            self.shortcut.build(input_shape)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the block."""
        main = self.main(inputs, training=training)
        beside = inputs if self.shortcut is None else self.shortcut(inputs, training=training)
        return self.pool(main) + self.pool(beside) if self.pooled else main + beside

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for an input shape."""
        shape = self.main.compute_output_shape(input_shape)
        return tuple(self.pool.compute_output_shape(shape)) if self.pooled else shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "filters": self.filters, "pooled": self.pooled}


@keras.saving.register_keras_serializable(PACKAGE)
class TinierHar(keras.Model):
    """Six temporal blocks, the first two halving time, a bidirectional GRU, attention pooling and a linear layer.

    Args:
        classes: number of classes.
        filters: maps of the first block; the others have twice as many.
        units: units of the GRU in each direction.
        dropout: dropout before the GRU.

    Input shape: ``[batch, window_length, channels]``, each channel divided by its input range.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(TinierHar(classes=5)(keras.ops.zeros((2, 100, 6))).shape)
        (2, 5)

    Reference: Bian et al., TinierHAR, arXiv:2507.07949, 2025, with its published settings: 7.3 k parameters for six
    channels and twelve classes.
    """

    def __init__(self, classes: int, filters: int = 4, units: int = 16, dropout: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.filters = filters
        self.units = units
        self.dropout = dropout
        self.blocks = [
            TemporalBlock(filters if not i else 2 * filters, pooled=i < 2, name=f"block_{i + 1}") for i in range(6)
        ]
        self.drop = layers.Dropout(dropout)
        self.forward_gru = layers.GRU(units, return_sequences=True, name="forward_gru")
        self.backward_gru = layers.GRU(units, return_sequences=True, go_backwards=True, name="backward_gru")
        self.attention = layers.Dense(1, name="attention")
        self.head = layers.Dense(classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        shape: tuple[int | None, ...] = (*input_shape, 1)
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        batch, length, channels, maps = shape
        for gru in (self.forward_gru, self.backward_gru):
            gru.build((batch, length, int(channels or 0) * int(maps or 0)))
        self.attention.build((batch, length, 2 * self.units))
        self.head.build((batch, 2 * self.units))
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logits of windows."""
        x = ops.expand_dims(windows, -1)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.drop(ops.reshape(x, (-1, x.shape[1], x.shape[2] * x.shape[3])), training=training)
        backward = ops.flip(self.backward_gru(x, training=training), axis=1)
        states = ops.concatenate([self.forward_gru(x, training=training), backward], axis=-1)
        weights = ops.softmax(self.attention(states), axis=1)
        return self.head(ops.sum(weights * states, axis=1))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("classes", "filters", "units", "dropout")}
        return {**super().get_config(), **own}
