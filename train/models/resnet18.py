"""ResNet-18, the teacher (He et al., CVPR 2016, table 1), on spectrograms.

The stem is a separate layer because the student reuses it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class ResNetStem(layers.Layer):
    """7×7 convolution with stride 2, batch normalisation, ReLU, 3×3 max-pool with stride 2.

    Args:
        filters: output channels.

    Input shape: ``[batch, bins, frames, channels]``.
    Output shape: ``[batch, ceil(bins / 4), ceil(frames / 4), filters]``.
    """

    def __init__(self, filters: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.convolution = layers.Conv2D(
            filters, 7, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal"
        )
        self.normalisation = layers.BatchNormalization(momentum=0.9)
        self.pool = layers.MaxPooling2D(3, strides=2, padding="same")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers."""
        self.convolution.build(input_shape)
        self.normalisation.build(self.convolution.compute_output_shape(input_shape))
        super().build(input_shape)

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Features of a spectrogram."""
        x = self.normalisation(self.convolution(spectrogram), training=training)
        return self.pool(keras.ops.relu(x))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the features for an input shape."""
        return self.pool.compute_output_shape(self.convolution.compute_output_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable(PACKAGE)
class BasicBlock(layers.Layer):
    """Two 3×3 convolutions with a shortcut, which is a 1×1 convolution if the shape changes.

    On very small grids most kernel taps only ever meet padding; :func:`reach` leaves those out.

    Args:
        filters: output channels.
        strides: stride of the first convolution.

    Input shape: ``[batch, rows, columns, channels]``.
    Output shape: ``[batch, ceil(rows / strides), ceil(columns / strides), filters]``.
    """

    def __init__(self, filters: int, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.first_normalisation = layers.BatchNormalization(momentum=0.9)
        self.second_normalisation = layers.BatchNormalization(momentum=0.9)
        self.shortcut: layers.Layer | None = None
        self.shortcut_normalisation: layers.Layer | None = None

    def _convolution(self, size: int | tuple[int, ...], strides: int = 1) -> layers.Layer:
        return layers.Conv2D(
            self.filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers; the shortcut has weights only if the shape changes."""
        inner = self.compute_output_shape(input_shape)
        self.first = self._convolution(tuple(reach(size, self.strides) for size in input_shape[1:3]), self.strides)
        self.first.build(input_shape)
        self.first_normalisation.build(inner)
        self.second = self._convolution(tuple(reach(size) for size in inner[1:3]))
        self.second.build(inner)
        self.second_normalisation.build(inner)
        if self.strides != 1 or input_shape[-1] != self.filters:
            self.shortcut = self._convolution(1, self.strides)
            self.shortcut_normalisation = layers.BatchNormalization(momentum=0.9)
            self.shortcut.build(input_shape)
            self.shortcut_normalisation.build(inner)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the block."""
        x = keras.ops.relu(self.first_normalisation(self.first(inputs), training=training))
        x = self.second_normalisation(self.second(x), training=training)
        if self.shortcut is not None and self.shortcut_normalisation is not None:
            inputs = self.shortcut_normalisation(self.shortcut(inputs), training=training)
        return keras.ops.relu(x + inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for an input shape."""
        batch, *grid, _ = input_shape
        return (batch, *(None if size is None else -(-size // self.strides) for size in grid), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


def reach(size: int | None, strides: int = 1) -> int:
    """Number of taps of a padded 3-tap kernel that can reach any of ``size`` cells; the others never matter.

    On a grid of one cell, one of the 9 weights of a kernel is used: most of ResNet-18's 11 million weights are not.
    """
    if size == 1:
        return 1
    return 2 if size == 2 and strides == 2 else 3


@keras.saving.register_keras_serializable(PACKAGE)
class ResNet18(keras.Model):
    """Stem, four stages of two basic blocks, global average pool and a linear layer.

    Args:
        classes: number of classes.
        width: channels of the first stage; the stages have 1, 2, 4 and 8 times as many. 64 is ResNet-18.
        dropout: dropout before the last layer.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(ResNet18(classes=5, width=4)(keras.ops.zeros((2, 17, 25, 12))).shape)
        (2, 5)

    Reference: He et al., Deep Residual Learning for Image Recognition, CVPR 2016.
    """

    def __init__(self, classes: int, width: int = 64, dropout: float = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.width = width
        self.dropout = dropout
        self.stem = ResNetStem(width, name="stem")
        self.blocks = [
            BasicBlock(width * 2**stage, strides=2 if stage and not block else 1, name=f"stage{stage + 1}_{block + 1}")
            for stage in range(4)
            for block in range(2)
        ]
        self.pool = layers.GlobalAveragePooling2D()
        self.drop = layers.Dropout(dropout)
        self.head = layers.Dense(classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        stages: list[layers.Layer] = [self.stem, *self.blocks]
        for layer in stages:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.head.build((input_shape[0], input_shape[-1]))
        self.built = True

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Logits of a spectrogram."""
        x = self.stem(spectrogram, training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(self.drop(self.pool(x), training=training))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "classes": self.classes, "width": self.width, "dropout": self.dropout}
