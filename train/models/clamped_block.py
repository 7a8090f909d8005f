"""A transformer block without layer norms: batch norms that fold away and a clamp that int8 arithmetic has for free."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class ClampedBlock(layers.Layer):
    """Special tokens attend to all tokens of their sequence; then an MLP. The stream is clamped to ±1 after each.

    It has the form that the converter gives to an attention with one head: the products of query and key weights, and
    of value and output weights, are one matrix each. There is no factor 1/√dim, since the stream is small.

    Args:
        dim: width of a token.
        special: number of special tokens, the first of each sequence.
        hidden: hidden width of the MLP.
        dropout: dropout on the output of each branch.

    Input shape: ``[..., tokens, dim]``, within ±1.
    Output shape: ``[..., special, dim]``, within ±1.

    Example:
        >>> tuple(ClampedBlock(dim=8)(keras.ops.zeros((2, 5, 8))).shape)
        (2, 2, 8)
    """

    def __init__(self, dim: int, special: int = 2, hidden: int = 64, dropout: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.special = special
        self.hidden = hidden
        self.dropout = dropout
        self.query = layers.Dense(dim, name="query")
        self.value = layers.Dense(dim, name="value")
        self.expand = layers.Dense(hidden, activation="relu", kernel_initializer="he_normal", name="expand")
        self.contract = layers.Dense(dim, name="contract")
        self.attention_norm = self._norm("attention_norm")
        self.mlp_norm = self._norm("mlp_norm")
        self.drop = layers.Dropout(dropout)

    @staticmethod
    def _norm(name: str) -> layers.Layer:
        small = keras.initializers.Constant(0.3)
        return layers.BatchNormalization(momentum=0.9, gamma_initializer=small, name=name)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers."""
        for layer in (self.query, self.value, self.attention_norm, self.mlp_norm, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.hidden))
        super().build(input_shape)

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        """Encode the special tokens of each sequence."""
        special = tokens[..., : self.special, :]
        weights = ops.softmax(ops.matmul(self.query(special), ops.swapaxes(tokens, -1, -2)))
        mixed = self.attention_norm(ops.matmul(weights, self.value(tokens)), training=training)
        special = ops.clip(special + self.drop(mixed, training=training), -1.0, 1.0)
        encoded = self.mlp_norm(self.contract(self.expand(special)), training=training)
        return ops.clip(special + self.drop(encoded, training=training), -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("dim", "special", "hidden", "dropout")}
        return {**super().get_config(), **own}
