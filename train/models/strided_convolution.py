"""A valid convolution with batch norm and a bounded or rectified output, one operation in an int8 graph."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
from keras import layers, ops

from .taps import convolve

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class StridedConvolution(layers.Layer):
    """Convolution without bias and padding, followed by batch normalisation and ReLU or a clamp to ±1.

    Args:
        filters: output channels; None makes the convolution depthwise, with a stride along rows only and one column.
        kernel_size: rows and columns of the kernel.
        strides: stride along rows and columns.
        clamp: whether a clamp to ±1 replaces the ReLU; an int8 graph has it as RELU_N1_TO_1.
        gamma: initial gamma of the batch norm.

    Input shape: ``[batch, rows, columns, channels]``.
    Output shape: ``[batch, (rows - kernel rows) // stride + 1, …, filters]``.

    Example:
        >>> tuple(StridedConvolution(8, (6, 1), (2, 1))(keras.ops.zeros((2, 64, 6, 2))).shape)
        (2, 30, 6, 8)
    """

    def __init__(
        self,
        filters: int | None,
        kernel_size: Sequence[int] = (1, 1),
        strides: Sequence[int] = (1, 1),
        clamp: bool = False,
        gamma: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = [int(size) for size in kernel_size]
        self.strides = [int(stride) for stride in strides]
        self.clamp = clamp
        self.gamma = gamma
        self.normalisation = layers.BatchNormalization(
            momentum=0.9, gamma_initializer=keras.initializers.Constant(gamma)
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel: ``[rows, columns, channels, filters]``, or ``[rows, columns, channels, 1]`` depthwise."""
        channels = int(input_shape[-1] or 0)
        initializer: Any = "glorot_uniform" if self.clamp else "he_normal"
        if self.filters is None:
            initializer = keras.initializers.RandomNormal(stddev=prod(self.kernel_size) ** -0.5)
        shape = (*self.kernel_size, channels, self.filters or 1)
        self.kernel = self.add_weight(shape=shape, initializer=initializer, name="kernel")
        self.normalisation.build((input_shape[0], None, None, self.filters or channels))
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the layer."""
        x = self.normalisation(self._convolve(inputs), training=training)
        return ops.clip(x, -1.0, 1.0) if self.clamp else ops.relu(x)

    def _convolve(self, inputs: Any) -> Any:
        if self.filters is not None:
            return convolve(inputs, self.kernel, self.strides)
        # TensorFlow's depthwise kernel has one stride for both axes: columns are placed beside the channels.
        rows, columns, channels = inputs.shape[1:]
        flat = ops.reshape(inputs, (-1, rows, 1, columns * channels))
        kernel = ops.tile(self.kernel, (1, 1, columns, 1))
        y = ops.depthwise_conv(flat, kernel, strides=self.strides[0], padding="valid")
        return ops.reshape(y, (-1, y.shape[1], columns, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for an input shape."""
        batch, *grid, channels = input_shape
        sizes = zip(grid, self.kernel_size, self.strides, strict=True)
        valid = (None if size is None else (size - kernel) // stride + 1 for size, kernel, stride in sizes)
        return (batch, *valid, self.filters or channels)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "strides", "clamp", "gamma")}
        return {**super().get_config(), **own}
