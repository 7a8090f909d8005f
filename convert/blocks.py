"""The few operations that lowered graphs are made of, and the exact rewrites of their weights.

Everything is rank 4 or less, every product is a 1×1 CONV_2D or a BATCH_MATMUL, every norm an L2_NORMALIZATION: int8
kernels that all runtimes have. FULLY_CONNECTED is avoided because its per-channel weights crash tflite-runtime 2.14.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Array = NDArray[np.float64]


def values(variable: Any) -> Array:
    """A weight's value in double precision, in which rewrites are computed; also while a graph is traced."""
    with tf.init_scope():
        return np.asarray(variable).astype(np.float64)


def constant(array: Any) -> tf.Tensor:
    """A float32 constant of the graph."""
    return tf.constant(np.asarray(array), tf.float32)


def centred(array: Array) -> Array:
    """Subtract the mean over the last axis, the features of a token."""
    return array - array.mean(axis=-1, keepdims=True)


def written(array: Array) -> Array:
    """What is written to the residual stream, as the graph holds it: centred and over √features.

    A stream whose every write is centred has no mean to remove, so that a layer norm on it is a root-mean-square norm;
    and since nothing but norms reads it, its scale is free: it is chosen so that a normed token has length 1.
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
    """Weights of the linear layer after a layer norm with gamma, beta and √features folded in.

    On a token x of the residual stream, LN(x) = γ · √d · x / ‖x‖ + β, and :func:`unit_norm` gives x / ‖x‖.
    """
    gamma, beta = values(norm.gamma), values(norm.beta)
    return (gamma * np.sqrt(len(gamma)))[:, None] * kernel, beta @ kernel + bias


def unit_norm(x: tf.Tensor) -> tf.Tensor:
    """Token over its Euclidean length: one L2_NORMALIZATION, whose int8 kernel sums in 32 bits."""
    return tf.math.l2_normalize(x, axis=-1, epsilon=1e-6)


def folded_batch_norm(convolution: Any, norm: Any) -> tuple[Array, Array]:
    """Kernel and bias of a convolution without bias with the batch norm behind it folded in."""
    factor = values(norm.gamma) / np.sqrt(values(norm.moving_variance) + norm.epsilon)
    return values(convolution.kernel) * factor, values(norm.beta) - values(norm.moving_mean) * factor


def attention(layer: Any, norm: Any, tokens: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    """Self-attention of ``queries`` over ``tokens``, both ``[1, rows, n, dim]`` and unit-normed.

    The scale is folded into the query weights, the norm into all three.

    Args:
        layer: the trained :class:`SelfAttention`.
        norm: the layer norm before it.
        tokens: what is attended to.
        queries: the tokens whose result is wanted.
    """
    dim, heads = layer.dim, layer.heads
    kernel, bias = folded_norm(norm, values(layer.query_key_value.kernel), values(layer.query_key_value.bias))
    scale = (dim // heads) ** -0.5
    query = pointwise(queries, kernel[:, :dim] * scale, bias[:dim] * scale)
    key = pointwise(tokens, kernel[:, dim : 2 * dim], bias[dim : 2 * dim])
    value = pointwise(tokens, kernel[:, 2 * dim :], bias[2 * dim :])
    query, key, value = (_split_heads(x, heads) for x in (query, key, value))
    weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
    mixed = _merge_heads(tf.matmul(weights, value), queries.shape)
    projection = layer.output_projection
    return pointwise(mixed, written(values(projection.kernel)), written(values(projection.bias)))


def _split_heads(x: tf.Tensor, heads: int) -> tf.Tensor:
    if heads == 1:
        return x
    _, rows, tokens, dim = x.shape
    return tf.transpose(tf.reshape(x, (rows, tokens, heads, dim // heads)), (0, 2, 1, 3))


def _merge_heads(x: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    return tf.reshape(x if x.shape == shape else tf.transpose(x, (0, 2, 1, 3)), shape)


def encoder(block: Any, tokens: tf.Tensor, wanted: int | None = None) -> tf.Tensor:
    """An encoder block on the tokens of each row.

    Args:
        block: the trained :class:`EncoderBlock`.
        tokens: ``[1, rows, n, dim]``.
        wanted: compute the first so many tokens of the result alone, where nothing reads the others.
    """
    normed = unit_norm(tokens)
    kept, queries = tokens[:, :, :wanted], normed[:, :, :wanted]
    kept = kept + attention(block.attention, block.attention_norm, normed, queries)
    kernel, bias = folded_norm(block.mlp_norm, values(block.expand.kernel), values(block.expand.bias))
    hidden = pointwise(unit_norm(kept), kernel, bias, relu=True)
    return kept + pointwise(hidden, written(values(block.contract.kernel)), written(values(block.contract.bias)))
