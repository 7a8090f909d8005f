"""A small plain convolutional network on spectrograms."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from .convolution import NormedConvolution

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class Cnn2d(keras.Model):
    """Three 3×3 convolutions with batch norm, ReLU and 2×2 max-pool, a global average pool and a linear layer.

    Args:
        classes: number of classes.
        width: channels of the first convolution; the others have 2 and 4 times as many.
        dropout: dropout before the last layer.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(Cnn2d(classes=5)(keras.ops.zeros((2, 17, 25, 12))).shape)
        (2, 5)
    """

    def __init__(self, classes: int, width: int = 24, dropout: float = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.width = width
        self.dropout = dropout
        self.convolutions = [NormedConvolution(width * 2**i, (3, 3), name=f"convolution_{i + 1}") for i in range(3)]
        self.pool = layers.MaxPooling2D(2, padding="same")
        self.average = layers.GlobalAveragePooling2D()
        self.drop = layers.Dropout(dropout)
        self.head = layers.Dense(classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        for layer in self.convolutions:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.head.build((input_shape[0], input_shape[-1]))
        self.built = True

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Logits of a spectrogram."""
        x = spectrogram
        for layer in self.convolutions:
            x = self.pool(layer(x, training=training))
        return self.head(self.drop(self.average(x), training=training))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "classes": self.classes, "width": self.width, "dropout": self.dropout}
