"""DeSepTr: a distilled separable transformer on the teacher's stem.

The grid of stem features is encoded along frequency, column by column, and then along time, row by row. A class and a
distillation token ride along both: each column gets its copy, the copies are averaged, and each row gets the average.
Frequency comes first and columns do not see each other there, so that a stream can keep the encoded columns.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .resnet18 import ResNetStem
from .transformer import EncoderBlock

PACKAGE = "deseptr"
SPECIAL_TOKENS = 2


@keras.saving.register_keras_serializable(PACKAGE)
class GridTokens(layers.Layer):
    """Tokens of a feature grid: a normed linear projection plus learned positions, and the two special tokens.

    The norm, without gamma and beta, starts all tokens of the residual stream at one length. Without it a jogger's are
    a hundred times as long as the special tokens, and no int8 scale holds both.

    Args:
        dim: width of a token.

    Input shape: ``[batch, rows, columns, channels]``, rows along frequency.
    Output: the grid ``[batch, rows, columns, dim]`` and the special tokens ``[batch, 2, dim]`` (class, distillation).
    """

    def __init__(self, dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.projection = layers.Dense(dim, name="projection")
        self.norm = layers.LayerNormalization(epsilon=1e-9, center=False, scale=False, name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the positions and the special tokens."""
        rows, columns = int(input_shape[1] or 0), int(input_shape[2] or 0)
        self.projection.build(input_shape)
        self.frequency_position = self._weight((rows, 1, self.dim), 0.1, "frequency_position")
        self.time_position = self._weight((1, columns, self.dim), 0.1, "time_position")
        self.class_token = self._weight((1, self.dim), 1.0, "class_token")
        self.distillation_token = self._weight((1, self.dim), 1.0, "distillation_token")
        super().build(input_shape)

    def _weight(self, shape: tuple[int, ...], stddev: float, name: str) -> Any:
        return self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(stddev=stddev), name=name)

    def call(self, features: Any) -> tuple[Any, Any]:
        """Project the features and hand out the special tokens."""
        grid = self.norm(self.projection(features)) + self.frequency_position + self.time_position
        special = ops.concatenate([self.class_token, self.distillation_token], axis=0)
        return grid, ops.broadcast_to(special, (ops.shape(features)[0], SPECIAL_TOKENS, self.dim))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "dim": self.dim}


def encode_axis(block: Any, grid: Any, special: Any, training: bool | None) -> tuple[Any, Any]:
    """Encode every row of ``grid`` with its own copy of the special tokens; the copies are averaged.

    Args:
        block: encoder block.
        grid: ``[batch, rows, tokens, dim]``.
        special: ``[batch, 2, dim]``.
        training: whether dropout is active.

    Returns:
        The encoded grid and special tokens, shaped as they came.
    """
    rows = ops.shape(grid)[1]
    copies = ops.repeat(ops.expand_dims(special, 1), rows, axis=1)
    encoded = block(ops.concatenate([copies, grid], axis=2), training=training)
    return encoded[:, :, SPECIAL_TOKENS:], ops.mean(encoded[:, :, :SPECIAL_TOKENS], axis=1)


@keras.saving.register_keras_serializable(PACKAGE)
class DeSepTr(keras.Model):
    """Data-efficient separable transformer with a class and a distillation head.

    Args:
        classes: number of classes.
        dim: width of a token.
        heads: attention heads.
        depth: how often the pair of encoders is applied.
        stem_filters: channels of the stem, those of the teacher's.
        mlp_ratio: hidden width of the MLPs over ``dim``.
        dropout: dropout on each residual branch.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Reference: McQuire et al., A Data Efficient Vision Transformer for Robust Human Activity Recognition from the
    Spectrograms of Wearable Sensor Data, IEEE SSP 2023; Ristea et al., SepTr, Interspeech 2022; Touvron et al., DeiT,
    ICML 2021.
    """

    def __init__(
        self,
        classes: int,
        dim: int = 48,
        heads: int = 1,
        depth: int = 1,
        stem_filters: int = 64,
        mlp_ratio: int = 2,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.dim = dim
        self.heads = heads
        self.depth = depth
        self.stem_filters = stem_filters
        self.mlp_ratio = mlp_ratio
        self.dropout = dropout
        self.stem = ResNetStem(stem_filters, name="stem")
        self.tokens = GridTokens(dim, name="tokens")
        self.frequency_blocks = [self._block(f"frequency_{i + 1}") for i in range(depth)]
        self.time_blocks = [self._block(f"time_{i + 1}") for i in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-9, name="norm")
        self.class_head = layers.Dense(classes, name="class_head")
        self.distillation_head = layers.Dense(classes, name="distillation_head")

    def _block(self, name: str) -> EncoderBlock:
        return EncoderBlock(self.dim, self.heads, self.mlp_ratio, self.dropout, name=name)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        self.stem.build(input_shape)
        features = self.stem.compute_output_shape(input_shape)
        self.tokens.build(features)
        for block in (*self.frequency_blocks, *self.time_blocks):
            block.build((features[0], None, None, self.dim))
        for layer in (self.norm, self.class_head, self.distillation_head):
            layer.build((features[0], self.dim))
        self.built = True

    def call(self, spectrogram: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Logits of both heads."""
        grid, special = self.tokens(self.stem(spectrogram, training=training))
        for frequency_block, time_block in zip(self.frequency_blocks, self.time_blocks, strict=True):
            columns, special = encode_axis(frequency_block, ops.swapaxes(grid, 1, 2), special, training)
            grid, special = encode_axis(time_block, ops.swapaxes(columns, 1, 2), special, training)
        special = self.norm(special)
        return self.class_head(special[:, 0]), self.distillation_head(special[:, 1])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        names = ("classes", "dim", "heads", "depth", "stem_filters", "mlp_ratio", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
