"""The encoder block that the separable transformer applies along one axis at a time.

It uses only ``keras.ops``. The nonlinearity is ReLU and every norm is followed by a linear layer, so that the converter
can fold means, gammas and betas into weights and the graph needs no GELU.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class SelfAttention(layers.Layer):
    """Multi-head self-attention over the token axis (Vaswani et al., NeurIPS 2017, section 3.2).

    Args:
        dim: width of a token.
        heads: number of heads; must divide ``dim``.

    Input and output shape: ``[..., tokens, dim]``; all leading axes are batch axes.

    Example:
        >>> tuple(SelfAttention(dim=8, heads=2)(keras.ops.zeros((2, 5, 8))).shape)
        (2, 5, 8)
    """

    def __init__(self, dim: int, heads: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if dim % heads:
            raise ValueError(f"`heads` must divide `dim`. Received: dim={dim}, heads={heads}")
        self.dim = dim
        self.heads = heads
        self.query_key_value = layers.Dense(3 * dim, name="query_key_value")
        self.output_projection = layers.Dense(dim, name="output_projection")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the projections."""
        self.query_key_value.build(input_shape)
        self.output_projection.build(input_shape)
        super().build(input_shape)

    def call(self, tokens: Any) -> Any:
        """Mix the tokens of each sequence."""
        shape = ops.shape(tokens)
        per_head = self.dim // self.heads
        packed = ops.reshape(self.query_key_value(tokens), (-1, shape[-2], 3, self.heads, per_head))
        query, key, value = ops.unstack(ops.transpose(packed, (2, 0, 3, 1, 4)), 3)
        scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) * per_head**-0.5
        mixed = ops.matmul(ops.softmax(scores), value)
        return self.output_projection(ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), shape))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "dim": self.dim, "heads": self.heads}


@keras.saving.register_keras_serializable(PACKAGE)
class EncoderBlock(layers.Layer):
    """Pre-norm transformer encoder block: x + attention(norm(x)), then x + MLP(norm(x)).

    Args:
        dim: width of a token.
        heads: attention heads.
        mlp_ratio: hidden width of the MLP over ``dim``.
        dropout: dropout on the output of each branch.

    Input and output shape: ``[..., tokens, dim]``.

    Example:
        >>> tuple(EncoderBlock(dim=8, heads=2)(keras.ops.zeros((2, 5, 8))).shape)
        (2, 5, 8)
    """

    def __init__(self, dim: int, heads: int = 1, mlp_ratio: int = 2, dropout: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.heads = heads
        self.mlp_ratio = mlp_ratio
        self.dropout = dropout
        self.attention_norm = layers.LayerNormalization(epsilon=1e-9, name="attention_norm")
        self.attention = SelfAttention(dim, heads, name="attention")
        self.mlp_norm = layers.LayerNormalization(epsilon=1e-9, name="mlp_norm")
        self.expand = layers.Dense(mlp_ratio * dim, activation="relu", name="expand")
        self.contract = layers.Dense(dim, name="contract")
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers."""
        for layer in (self.attention_norm, self.attention, self.mlp_norm, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.mlp_ratio * self.dim))
        super().build(input_shape)

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        """Encode the tokens of each sequence."""
        tokens = tokens + self.drop(self.attention(self.attention_norm(tokens)), training=training)
        return tokens + self.drop(self.contract(self.expand(self.mlp_norm(tokens))), training=training)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("dim", "heads", "mlp_ratio", "dropout")}
        return {**super().get_config(), **own}
