"""Attention as 1×1 convolutions, BATCH_MATMUL and SOFTMAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deseptr.convert.lowering.blocks import Array, constant, pointwise, values

from .affine import computed, folded
from .refused import refuse


def multi_head_attention(
    layer: Any,
    query: Any,
    value: Any,
    key: Any = None,
    *,
    attention_mask: Any = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
    **masks: Any,
) -> Any:
    """Attention of ``[1, queries, features]`` to ``[1, values, features]``; its scale is in the query's weights."""
    settings = layer.get_config()
    if attention_mask is not None or use_causal_mask or any(mask is not None for mask in masks.values()):
        raise refuse(layer, "a mask, whose infinite scores no int8 step can hold", "attention without a mask")
    if settings.get("use_gate") or settings.get("sliding_window") is not None:
        raise refuse(layer, "a gate or a sliding window", "attention without them")
    if len(query.shape) != 3 or len(layer.output_dense.kernel.shape) != 3:
        raise refuse(layer, "attention along several axes", "tokens [batch, time, features]")
    scale = 1.0 / np.sqrt(layer.key_dim)
    q, k, v = (
        _heads(dense, tokens, factor)
        for dense, tokens, factor in (
            (layer.query_dense, query, scale),
            (layer.key_dense, value if key is None else key, 1.0),
            (layer.value_dense, value, 1.0),
        )
    )
    weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True))
    merged = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
    merged = tf.reshape(merged, (1, 1, merged.shape[1], -1))
    kernel = values(layer.output_dense.kernel)
    kernel = kernel.reshape(-1, kernel.shape[-1])
    result = pointwise(merged, kernel, _bias(layer.output_dense, kernel.shape[-1]))
    result = tf.squeeze(result, axis=1)
    return (result, weights) if return_attention_scores else result


def _heads(dense: Any, tokens: Any, factor: float) -> tf.Tensor:
    """Projections of all heads, ``[1, heads, tokens, features]``."""
    kernel = values(dense.kernel)
    inputs, heads, features = kernel.shape
    flat = kernel.reshape(inputs, -1)
    tensor, flat, bias = folded(tokens, flat, _bias(dense, heads * features))
    projected = pointwise(tf.expand_dims(tensor, 1), flat * factor, bias * factor)
    return tf.transpose(tf.reshape(projected, (1, -1, heads, features)), (0, 2, 1, 3))


def _bias(dense: Any, count: int) -> Array:
    return np.zeros(count) if dense.bias is None else values(dense.bias).reshape(-1)


def dot_attention(
    layer: Any, inputs: Any, *, return_attention_scores: bool = False, use_causal_mask: bool = False
) -> Any:
    """Attention with weights softmax(q·kᵀ), without projections."""
    if use_causal_mask:
        raise refuse(layer, "a mask, whose infinite scores no int8 step can hold", "attention without a mask")
    if layer.score_mode != "dot":
        raise refuse(layer, f"score_mode={layer.score_mode!r}", "score_mode='dot'")
    query, value, *key = (computed(x) for x in inputs)
    if layer.use_scale:
        query = query * constant(values(layer.scale))
    weights = tf.nn.softmax(tf.matmul(query, key[0] if key else value, transpose_b=True))
    result = tf.matmul(weights, value)
    return (result, weights) if return_attention_scores else result


LAYERS: dict[Any, Callable[..., Any]] = {
    keras.layers.MultiHeadAttention: multi_head_attention,
    keras.layers.Attention: dot_attention,
}
