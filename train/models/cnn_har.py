"""CNN-HAR, for comparison: convolutions along time on each channel separately, then one across all channels."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .convolution import NormedConvolution

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class CnnHar(keras.Model):
    """Four convolutional layers on raw windows: 50, 40 and 20 maps along time, 400 across the channels.

    The published network has a local response norm after each layer, for which int8 runtimes have no kernel; here it
    is a batch norm. Windows are padded at the ends. Everything else is as published: 64 k parameters for six channels.

    Args:
        classes: number of classes.
        maps: feature maps of the three temporal layers.
        unified_maps: feature maps of the layer across all channels.
        dropout: dropout before the last layer.
        views: views of each channel, which are the input features of the first layer.

    Input shape: ``[batch, window_length, views · channels]``: the first view of all channels, each divided by its input
    range, then the second view.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(CnnHar(classes=5)(keras.ops.zeros((2, 100, 6))).shape)
        (2, 5)

    Reference: Yang et al., Deep Convolutional Neural Networks on Multichannel Time Series for Human Activity
    Recognition, IJCAI 2015.
    """

    def __init__(
        self,
        classes: int,
        maps: tuple[int, int, int] = (50, 40, 20),
        unified_maps: int = 400,
        dropout: float = 0.2,
        views: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.maps = [int(count) for count in maps]
        self.unified_maps = unified_maps
        self.dropout = dropout
        self.views = views
        self.temporal = [
            NormedConvolution(count, (size, 1), name=f"temporal_{i + 1}")
            for i, (count, size) in enumerate(zip(self.maps, (5, 5, 3), strict=True))
        ]
        self.pool = layers.MaxPooling2D((4, 1), strides=(2, 1), padding="same")
        self.across = layers.Dense(unified_maps, use_bias=False, kernel_initializer="he_normal", name="across")
        self.normalisation = layers.BatchNormalization(momentum=0.9)
        self.drop = layers.Dropout(dropout)
        self.head = layers.Dense(classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        batch, length, channels = input_shape
        count = int(channels or 0) // self.views
        maps = self.views
        for layer in self.temporal:
            layer.build((batch, length, count, maps))
            maps = layer.filters
        self.across.build((batch, length, count * maps))
        self.normalisation.build((batch, length, self.unified_maps))
        self.head.build((batch, self.unified_maps))
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logits of windows."""
        first, second, third = self.temporal
        by_view = ops.reshape(windows, (-1, windows.shape[1], self.views, windows.shape[2] // self.views))
        x = self.pool(first(ops.swapaxes(by_view, 2, 3), training=training))
        x = third(self.pool(second(x, training=training)), training=training)
        x = self.across(ops.reshape(x, (-1, x.shape[1], x.shape[2] * x.shape[3])))
        x = ops.max(ops.relu(self.normalisation(x, training=training)), axis=1)
        return self.head(self.drop(x, training=training))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("classes", "maps", "unified_maps", "dropout", "views")}
        return {**super().get_config(), **own}
