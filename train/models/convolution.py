"""A convolution with batch norm, which the converter merges into one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from .taps import convolve

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class NormedConvolution(layers.Layer):
    """Convolution without bias, stride 1, "same" padding, followed by batch normalisation and optionally ReLU.

    Args:
        filters: output channels.
        kernel_size: rows and columns of the kernel.
        relu: whether a ReLU follows.
        separable: whether to use a depthwise convolution of ``kernel_size`` followed by a 1×1 convolution.

    Input shape: ``[batch, rows, columns, channels]``.
    Output shape: ``[batch, rows, columns, filters]``.
    """

    def __init__(
        self, filters: int, kernel_size: Sequence[int], relu: bool = True, separable: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = [int(size) for size in kernel_size]
        self.relu = relu
        self.separable = separable
        self.depthwise: layers.Layer | None = None
        if separable:
            self.depthwise = layers.DepthwiseConv2D(self.kernel_size, padding="same", use_bias=False)
        self.convolution = layers.Conv2D(
            filters,
            1 if separable else self.kernel_size,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
        )
        self.normalisation = layers.BatchNormalization(momentum=0.9)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers."""
        if self.depthwise is not None:
            self.depthwise.build(input_shape)
        self.convolution.build(input_shape)
        self.normalisation.build(self.compute_output_shape(input_shape))
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the layer."""
        x = inputs if self.depthwise is None else self.depthwise(inputs)
        x = self.normalisation(convolve(x, self.convolution.kernel, padding="same"), training=training)
        return keras.ops.relu(x) if self.relu else x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for an input shape."""
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "relu", "separable")}
        return {**super().get_config(), **own}
