"""SepTr: the grid is encoded along one axis and then along the other.

Along the first axis, each row is encoded with its own copy of the special tokens. The average of the copies is used for
the second axis.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .tokens import TokenClassifier
from .transformer import EncoderBlock

PACKAGE = "deseptr"
AXES = ("frequency", "time")


def encode_axis(block: Any, grid: Any, special: Any, training: bool | None) -> tuple[Any, Any]:
    """Encode every row of ``grid`` with its own copy of the special tokens and average the copies.

    Args:
        block: encoder block.
        grid: ``[batch, rows, tokens, dim]``.
        special: ``[batch, special_tokens, dim]``.
        training: whether dropout is active.

    Returns:
        The encoded grid and special tokens, with unchanged shapes.
    """
    rows, count = ops.shape(grid)[1], special.shape[1]
    copies = ops.repeat(ops.expand_dims(special, 1), rows, axis=1)
    encoded = block(ops.concatenate([copies, grid], axis=2), training=training)
    return encoded[:, :, count:], ops.mean(encoded[:, :, :count], axis=1)


@keras.saving.register_keras_serializable(PACKAGE)
class SepTr(TokenClassifier):
    """Separable transformer: patch projection, class token, alternating encoder blocks along the two axes.

    Args:
        classes: number of classes.
        dim: width of a token.
        heads: attention heads.
        depth: number of pairs of encoder blocks.
        patch: side of the patches.
        mlp_ratio: hidden width of the MLPs over ``dim``.
        dropout: dropout on each residual branch.
        first: axis of the first block of each pair, ``"frequency"`` or ``"time"``.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(SepTr(classes=5, dim=8)(keras.ops.zeros((2, 17, 25, 12))).shape)
        (2, 5)

    Reference: Ristea et al., SepTr: Separable Transformer for Audio Spectrogram Processing, Interspeech 2022.
    """

    def __init__(self, classes: int, *arguments: Any, first: str = "frequency", **kwargs: Any) -> None:
        if first not in AXES:
            raise ValueError(f"`first` must be one of {AXES}. Received: first={first}")
        super().__init__(classes, *arguments, **kwargs)
        self.first = first

    def add_blocks(self) -> None:
        """Add one pair of blocks for each step of depth."""
        self.frequency_blocks = [self.block(f"frequency_{i + 1}") for i in range(self.depth)]
        self.time_blocks = [self.block(f"time_{i + 1}") for i in range(self.depth)]

    def all_blocks(self) -> list[EncoderBlock]:
        """The encoder's blocks, those along frequency before those along time."""
        return [*self.frequency_blocks, *self.time_blocks]

    @property
    def stages(self) -> list[EncoderBlock]:
        """The encoder's blocks in order of application."""
        pairs = zip(self.frequency_blocks, self.time_blocks, strict=True)
        return [block for pair in pairs for block in (pair if self.first == "frequency" else reversed(pair))]

    def encode(self, grid: Any, special: Any, training: bool | None) -> Any:
        """Encode along one axis after the other; the axis being encoded is the last but one of the tensor."""
        if self.first == "frequency":
            grid = ops.swapaxes(grid, 1, 2)
        for block in self.stages:
            grid, special = encode_axis(block, grid, special, training)
            grid = ops.swapaxes(grid, 1, 2)
        return special

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "first": self.first}
