"""ViT: the patches of the spectrogram as one sequence after a class token."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .tokens import TokenClassifier
from .transformer import EncoderBlock

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class ViT(TokenClassifier):
    """Vision transformer: patch projection, class token, encoder over all patches at once.

    Learned positions along each axis are added, as in the separable models, so that a comparison with them shows the
    effect of the encoder alone.

    Args:
        classes: number of classes.
        dim: width of a token.
        heads: attention heads.
        depth: number of encoder blocks.
        patch: side of the patches.
        mlp_ratio: hidden width of the MLPs over ``dim``.
        dropout: dropout on each residual branch.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> tuple(ViT(classes=5, dim=8)(keras.ops.zeros((2, 17, 25, 12))).shape)
        (2, 5)

    Reference: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021.
    """

    def add_blocks(self) -> None:
        """Add one block for each step of depth."""
        self.blocks = [self.block(f"block_{i + 1}") for i in range(self.depth)]

    def all_blocks(self) -> list[EncoderBlock]:
        """The encoder's blocks."""
        return self.blocks

    def encode(self, grid: Any, special: Any, training: bool | None) -> Any:
        """Encode the special tokens and all patches as one sequence."""
        _, rows, columns, dim = grid.shape
        tokens = ops.concatenate([special, ops.reshape(grid, (-1, rows * columns, dim))], axis=1)
        for block in self.blocks:
            tokens = block(tokens, training=training)
        return tokens[:, : special.shape[1]]
