"""The few operations that lowered graphs consist of, and the exact rewrites of their weights.

All tensors have rank 4 or less, every product is a 1×1 CONV_2D or a BATCH_MATMUL, every norm an L2_NORMALIZATION: all
runtimes have int8 kernels for these. FULLY_CONNECTED is avoided because with per-channel weights it crashes
tflite-runtime 2.14.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Array = NDArray[np.float64]
Norm = Callable[[tf.Tensor], tf.Tensor]
_FEW_TOKENS = 16


def values(variable: Any) -> Array:
    """A weight's value in double precision, the precision of the rewrites; also while a graph is traced."""
    with tf.init_scope():
        return np.asarray(variable).astype(np.float64)


def constant(array: Any) -> tf.Tensor:
    """A float32 constant of the graph."""
    return tf.constant(np.asarray(array), tf.float32)


def centred(array: Array) -> Array:
    """Subtract the mean over the last axis, the features of a token."""
    return array - array.mean(axis=-1, keepdims=True)


def written(array: Array) -> Array:
    """Weights of a write to the residual stream, as the graph uses them: centred and divided by √features.

    If every write to the stream is centred, the stream has no mean to remove and a layer norm on it is a
    root-mean-square norm. Only norms read the stream, so its scale is free: it is chosen such that a normed token has
    length 1.
    """
    return centred(array) / np.sqrt(array.shape[-1])


def pointwise(x: tf.Tensor, kernel: Array, bias: Array, *, relu: bool = False) -> tf.Tensor:
    """A linear layer over the last axis of a rank-4 tensor, as 1×1 CONV_2D.

    Args:
        x: ``[1, rows, columns, inputs]``.
        kernel: ``[inputs, outputs]``.
        bias: ``[outputs]``.
        relu: whether a ReLU follows.
    """
    y = tf.nn.bias_add(tf.nn.conv2d(x, constant(kernel[None, None]), 1, "VALID"), constant(bias))
    return tf.nn.relu(y) if relu else y


def folded_norm(norm: Any, kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Fold gamma, beta and √features of a layer norm into the weights of the linear layer after it.

    For a token x of the residual stream, LN(x) = γ · √d · x / ‖x‖ + β, and :func:`unit_norm` computes x / ‖x‖.
    """
    gamma, beta = values(norm.gamma), values(norm.beta)
    return (gamma * np.sqrt(len(gamma)))[:, None] * kernel, beta @ kernel + bias


def unit_norm(x: tf.Tensor) -> tf.Tensor:
    """Token divided by its Euclidean length: one L2_NORMALIZATION, whose int8 kernel sums in 32 bits."""
    return tf.math.l2_normalize(x, axis=-1, epsilon=1e-6)


def stream_norm(x: tf.Tensor) -> tf.Tensor:
    """:func:`unit_norm` of tokens of the residual stream, in a form that is faster in int8.

    L2_NORMALIZATION is a scalar loop on one core, while products and sums are vectorised: x · rsqrt(Σx²) takes half the
    time if there are enough tokens. Squares in eight bits need tokens of similar length, which is true for the stream
    but not for the output of a projection.
    """
    _, rows, tokens, dim = x.shape
    if rows * tokens <= _FEW_TOKENS:
        return unit_norm(x)
    return x * tf.math.rsqrt(pointwise(x * x, np.ones((dim, 1)), np.full(1, 1e-12)))


def folded_affine(norm: Any) -> tuple[Array, Array]:
    """A trained batch norm as factor and offset of each feature."""
    factor = values(norm.gamma) / np.sqrt(values(norm.moving_variance) + norm.epsilon)
    return factor, values(norm.beta) - values(norm.moving_mean) * factor


def folded_batch_norm(convolution: Any, norm: Any) -> tuple[Array, Array]:
    """Fold a batch norm into kernel and bias of the convolution (without bias) before it."""
    factor, offset = folded_affine(norm)
    return values(convolution.kernel) * factor, offset


def attention(layer: Any, norm: Any, tokens: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    """Self-attention of ``queries`` over ``tokens``, both ``[1, rows, n, dim]`` and unit-normed.

    The scale is folded into the query weights, the norm into all three. With one head the products of weights are
    folded too, so that neither keys nor output need a product of their own: softmax(q·(K·x)ᵀ) = softmax((q·K)·xᵀ),
    whose right side is the tokens themselves, and O·(A·V·x) = A·((O·V)·x), since the rows of A sum to one.

    Args:
        layer: the trained :class:`SelfAttention`.
        norm: the layer norm before it.
        tokens: tokens that are attended to.
        queries: tokens whose result is needed.
    """
    dim, heads = layer.dim, layer.heads
    kernel, bias = folded_norm(norm, values(layer.query_key_value.kernel), values(layer.query_key_value.bias))
    kernels, biases = np.split(kernel, 3, axis=1), np.split(bias, 3)
    scale = (dim // heads) ** -0.5
    kernels[0], biases[0] = kernels[0] * scale, biases[0] * scale
    projection, offset = written(values(layer.output_projection.kernel)), written(values(layer.output_projection.bias))
    if heads == 1:
        query = pointwise(queries, kernels[0] @ kernels[1].T, biases[0] @ kernels[1].T)
        value = pointwise(tokens, kernels[2] @ projection, biases[2] @ projection + offset)
        return tf.matmul(tf.nn.softmax(tf.matmul(query, tokens, transpose_b=True)), value)
    query, key, value = (
        _split_heads(pointwise(x, *weights), heads)
        for x, weights in zip((queries, tokens, tokens), zip(kernels, biases, strict=True), strict=True)
    )
    weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
    return pointwise(_merge_heads(tf.matmul(weights, value), queries.shape), projection, offset)


def _split_heads(x: tf.Tensor, heads: int) -> tf.Tensor:
    _, rows, tokens, dim = x.shape
    return tf.transpose(tf.reshape(x, (rows, tokens, heads, dim // heads)), (0, 2, 1, 3))


def _merge_heads(x: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    return tf.reshape(tf.transpose(x, (0, 2, 1, 3)), shape)


def shares(prediction: str) -> tuple[float, float]:
    """Share of the class head and of the distillation head in the logits."""
    return {"class": (1.0, 0.0), "distillation": (0.0, 1.0), "mean": (0.5, 0.5)}[prediction]


@dataclass(frozen=True)
class LoweringOptions:
    """Choices that lowering leaves open.

    Args:
        prediction: head used for predictions, ``"class"``, ``"distillation"`` or ``"mean"``.
        norm: norm for tokens of the residual stream, :func:`stream_norm` or :func:`unit_norm`.
    """

    prediction: str = "mean"
    norm: Norm = stream_norm


class Lowered(NamedTuple):
    """What a lowered network gives.

    Args:
        logits: ``[1, classes]``.
        embedding: ``[1, width]``, the tensor that its last product reads; None where there is more than one.
    """

    logits: tf.Tensor
    embedding: tf.Tensor | None = None


def encoder(block: Any, norm: Norm, tokens: tf.Tensor, first: tf.Tensor | None = None) -> tf.Tensor:
    """An encoder block on the tokens of each row.

    Args:
        block: the trained :class:`EncoderBlock`.
        norm: norm for the tokens of the stream.
        tokens: ``[1, rows, n, dim]``.
        first: the first few of these tokens, if only their results are needed.
    """
    kept, normed = tokens, norm(tokens)
    queries = normed
    if first is not None:
        kept, queries = first, normed[:, :, : first.shape[2]]
    kept = kept + attention(block.attention, block.attention_norm, normed, queries)
    kernel, bias = folded_norm(block.mlp_norm, values(block.expand.kernel), values(block.expand.bias))
    hidden = pointwise(norm(kept), kernel, bias, relu=True)
    return kept + pointwise(hidden, written(values(block.contract.kernel)), written(values(block.contract.bias)))
