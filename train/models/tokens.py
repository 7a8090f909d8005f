"""Shared parts of the transformers on spectrograms: tokens of a feature grid, and heads on the special tokens."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import layers, ops

from .transformer import EncoderBlock

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class GridTokens(layers.Layer):
    """Tokens of a feature grid: normalised linear projection of patches plus learned positions; and the special tokens.

    The norm, without gamma and beta, gives all tokens of the residual stream the same length. Without it, the tokens of
    fast motion are a hundred times longer than the special tokens, and no int8 scale fits both.

    Args:
        dim: width of a token.
        patch: side of the square, non-overlapping patches; the grid is zero-padded to whole patches. 1 makes every
            cell a token.
        special_tokens: 1, the class token, or 2, with the distillation token.

    Input shape: ``[batch, rows, columns, channels]``, rows along frequency.
    Output: the grid ``[batch, ceil(rows / patch), ceil(columns / patch), dim]`` and the special tokens
    ``[batch, special_tokens, dim]`` (class, distillation).

    Example:
        >>> grid, special = GridTokens(dim=8, patch=4)(keras.ops.zeros((2, 17, 25, 12)))
        >>> tuple(grid.shape), tuple(special.shape)
        ((2, 5, 7, 8), (2, 2, 8))

    Reference: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, section 3.1.
    """

    def __init__(self, dim: int, patch: int = 1, special_tokens: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if special_tokens not in (1, 2):
            raise ValueError(f"`special_tokens` must be 1 or 2. Received: special_tokens={special_tokens}")
        self.dim = dim
        self.patch = patch
        self.special_tokens = special_tokens
        self.projection = (
            layers.Dense(dim, name="projection")
            if patch == 1
            else layers.Conv2D(dim, patch, strides=patch, padding="same", name="projection")
        )
        self.norm = layers.LayerNormalization(epsilon=1e-9, center=False, scale=False, name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the positions and the special tokens."""
        self.projection.build(input_shape)
        rows, columns = (int(size or 0) for size in self.projection.compute_output_shape(input_shape)[1:3])
        self.frequency_position = self._weight((rows, 1, self.dim), 0.1, "frequency_position")
        self.time_position = self._weight((1, columns, self.dim), 0.1, "time_position")
        self.class_token = self._weight((1, self.dim), 1.0, "class_token")
        if self.special_tokens == 2:
            self.distillation_token = self._weight((1, self.dim), 1.0, "distillation_token")
        super().build(input_shape)

    def _weight(self, shape: tuple[int, ...], stddev: float, name: str) -> Any:
        return self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(stddev=stddev), name=name)

    @property
    def special(self) -> list[Any]:
        """The special tokens' weights, ``[1, dim]`` each."""
        return [self.class_token, self.distillation_token] if self.special_tokens == 2 else [self.class_token]

    def call(self, features: Any) -> tuple[Any, Any]:
        """Project the features and broadcast the special tokens over the batch."""
        grid = self.norm(self.projection(features)) + self.frequency_position + self.time_position
        special = ops.concatenate(self.special, axis=0)
        return grid, ops.broadcast_to(special, (ops.shape(features)[0], self.special_tokens, self.dim))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("dim", "patch", "special_tokens")}
        return {**super().get_config(), **own}


MOST_BLOCKS = 128
"""Largest depth, twice that of a training's settings: the ViT has two blocks for each step of depth."""


class TokenClassifier(keras.Model):
    """Base class of the transformers: grid tokens, the subclass's encoder, a norm and a head for each special token.

    Args:
        classes: number of classes.
        dim: width of a token.
        heads: attention heads.
        depth: number of repetitions of the encoder's blocks.
        patch: side of the patches that become tokens.
        mlp_ratio: hidden width of the MLPs over ``dim``.
        dropout: dropout on each residual branch.
        stem: layer from spectrograms to the feature grid; None uses the spectrogram itself.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head ``[batch, classes]``; with :attr:`distilled`, also those of the distillation head.
    """

    distilled: ClassVar[bool] = False

    def __init__(
        self,
        classes: int,
        dim: int = 48,
        heads: int = 1,
        depth: int = 1,
        patch: int = 4,
        mlp_ratio: int = 2,
        dropout: float = 0.1,
        *,
        stem: layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        if not 0 < depth <= MOST_BLOCKS:
            raise ValueError(f"`depth` must be 1 to {MOST_BLOCKS}. Received: depth={depth}")
        super().__init__(**kwargs)
        self.classes = classes
        self.dim = dim
        self.heads = heads
        self.depth = depth
        self.patch = patch
        self.mlp_ratio = mlp_ratio
        self.dropout = dropout
        self.stem = stem
        self.tokens = GridTokens(dim, patch, 2 if self.distilled else 1, name="tokens")
        self.add_blocks()
        self.norm = layers.LayerNormalization(epsilon=1e-9, name="norm")
        self.class_head = layers.Dense(classes, name="class_head")
        if self.distilled:
            self.distillation_head = layers.Dense(classes, name="distillation_head")

    def add_blocks(self) -> None:
        """Create the encoder's blocks."""
        raise NotImplementedError(f"{type(self).__name__}.add_blocks")

    def all_blocks(self) -> list[EncoderBlock]:
        """The encoder's blocks."""
        raise NotImplementedError(f"{type(self).__name__}.all_blocks")

    def encode(self, grid: Any, special: Any, training: bool | None) -> Any:
        """Special tokens ``[batch, special_tokens, dim]`` after encoding with ``[batch, rows, columns, dim]``."""
        raise NotImplementedError(f"{type(self).__name__}.encode")

    def block(self, name: str) -> EncoderBlock:
        """A new encoder block."""
        return EncoderBlock(self.dim, self.heads, self.mlp_ratio, self.dropout, name=name)

    @property
    def output_heads(self) -> list[layers.Layer]:
        """The head of each special token."""
        return [self.class_head, self.distillation_head] if self.distilled else [self.class_head]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers one after the other."""
        if self.stem is not None:
            self.stem.build(input_shape)
            input_shape = self.stem.compute_output_shape(input_shape)
        self.tokens.build(input_shape)
        for block in self.all_blocks():
            block.build((input_shape[0], None, None, self.dim))
        for layer in (self.norm, *self.output_heads):
            layer.build((input_shape[0], self.dim))
        self.built = True

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Logits of the class head, or of both heads."""
        features = spectrogram if self.stem is None else self.stem(spectrogram, training=training)
        grid, special = self.tokens(features)
        special = self.norm(self.encode(grid, special, training))
        logits = [head(special[:, index]) for index, head in enumerate(self.output_heads)]
        return tuple(logits) if self.distilled else logits[0]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        names = ("classes", "dim", "heads", "depth", "patch", "mlp_ratio", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
