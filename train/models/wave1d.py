"""A residual network along time on both views of a window: the teacher of the waveform."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .taps import convolve

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class TemporalBlock(layers.Layer):
    """Two convolutions along time with batch norm around a shortcut, as in ResNet's basic block.

    Args:
        filters: output channels.
        stride: stride of the first convolution and of the shortcut.

    Input shape: ``[batch, time, channels]``.
    Output shape: ``[batch, ceil(time / stride), filters]``.

    Example:
        >>> tuple(TemporalBlock(8, stride=2)(keras.ops.zeros((2, 75, 4))).shape)
        (2, 38, 8)
    """

    def __init__(self, filters: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.stride = stride
        self.first = _convolution(filters, 5, stride, "first")
        self.first_normalisation = layers.BatchNormalization(momentum=0.9, name="first_normalisation")
        self.second = _convolution(filters, 5, 1, "second")
        self.second_normalisation = layers.BatchNormalization(momentum=0.9, name="second_normalisation")
        self.shortcut: layers.Layer | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers; a shortcut gets a convolution only if it changes the shape."""
        output_shape = (*input_shape[:-1], self.filters)
        self.first.build(input_shape)
        self.second.build(output_shape)
        self.first_normalisation.build(output_shape)
        self.second_normalisation.build(output_shape)
        if self.stride > 1 or input_shape[-1] != self.filters:
            self.shortcut = _convolution(self.filters, 1, self.stride, "shortcut")
            self.shortcut_normalisation = layers.BatchNormalization(momentum=0.9, name="shortcut_normalisation")
            self.shortcut.build(input_shape)
            self.shortcut_normalisation.build(output_shape)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the block."""
        x = ops.relu(self.first_normalisation(_apply(self.first, inputs), training=training))
        x = self.second_normalisation(_apply(self.second, x), training=training)
        if self.shortcut is not None:
            inputs = self.shortcut_normalisation(_apply(self.shortcut, inputs), training=training)
        return ops.relu(x + inputs)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


@keras.saving.register_keras_serializable(PACKAGE)
class Wave1d(keras.Model):
    """A convolution and three residual blocks along time, mean and maximum over time, and a linear layer.

    Args:
        classes: number of classes.
        width: channels of the first convolution and block; the others have 1.5 and 2 times as many.
        dropout: dropout before the last layer.

    Input shape: ``[batch, window_length, channels]``.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(Wave1d(classes=5, width=8)(keras.ops.zeros((2, 128, 12))).shape)
        (2, 5)

    Reference: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, with convolutions along time; Wang
    et al., Time Series Classification from Scratch with Deep Neural Networks, IJCNN 2017.
    """

    def __init__(self, classes: int, width: int = 64, dropout: float = 0.4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.width = width
        self.dropout = dropout
        self.convolution = _convolution(width, 7, 2, "convolution")
        self.normalisation = layers.BatchNormalization(momentum=0.9)
        self.blocks = [
            TemporalBlock(filters, stride, name=f"block_{index + 1}")
            for index, (filters, stride) in enumerate(((width, 1), (width * 3 // 2, 2), (width * 2, 2)))
        ]
        self.drop = layers.Dropout(dropout)
        self.head = layers.Dense(classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        self.convolution.build(input_shape)
        shape: Any = (*input_shape[:-1], self.width)
        self.normalisation.build(shape)
        for block in self.blocks:
            block.build(shape)
            shape = (*shape[:-1], block.filters)
        self.head.build((input_shape[0], 2 * shape[-1]))
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logits of windows."""
        x = ops.relu(self.normalisation(_apply(self.convolution, windows), training=training))
        for block in self.blocks:
            x = block(x, training=training)
        features = ops.concatenate([ops.mean(x, axis=1), ops.max(x, axis=1)], axis=-1)
        return self.head(self.drop(features, training=training))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "classes": self.classes, "width": self.width, "dropout": self.dropout}


def _convolution(filters: int, size: int, stride: int, name: str) -> layers.Layer:
    return layers.Conv1D(
        filters, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )


def _apply(convolution: Any, x: Any) -> Any:
    """A convolution along time of ``[batch, time, channels]``."""
    y = convolve(ops.expand_dims(x, 2), ops.expand_dims(convolution.kernel, 1), (convolution.strides[0], 1), "same")
    return ops.squeeze(y, axis=2)
