"""The networks on raw windows as static graphs: batch norms folded away, the recurrence unrolled.

Windows in the graph are ``[1, window_length, channels]``, each channel divided by its input range.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .blocks import Lowered, LoweringOptions, constant, folded_batch_norm, pointwise, values
from .gru import gru_states
from .lower_convolutions import convolved, linear_head
from .lower_views import by_channel


def lower_cnn_har(network: Any, options: LoweringOptions, window: tf.Tensor) -> Lowered:
    """Logits and features of a window by a :class:`CnnHar`; ``options`` have no effect."""
    first, second, third = network.temporal
    pool = network.pool
    x = _normed(first, tf.reshape(window, (*window.shape, 1)) if network.views == 1 else by_channel(window))
    x = _normed(second, tf.nn.max_pool2d(x, pool.pool_size, pool.strides, "SAME"))
    x = _normed(third, tf.nn.max_pool2d(x, pool.pool_size, pool.strides, "SAME"))
    kernel, bias = folded_batch_norm(network.across, network.normalisation)
    x = pointwise(_side_by_side(x, time_axis=1), kernel, bias, relu=True)
    return linear_head(network.head, tf.nn.max_pool2d(x, x.shape[1:3], 1, "VALID"))


def lower_tinierhar(network: Any, options: LoweringOptions, window: tf.Tensor) -> Lowered:
    """Logits and features of a window by a :class:`TinierHar`; ``options`` have no effect."""
    x = tf.reshape(window, (*window.shape, 1))
    for block in network.blocks:
        x = _temporal_block(block, x)
    x = _side_by_side(x, time_axis=2)
    directions = [gru_states(gru, x) for gru in (network.forward_gru, network.backward_gru)]
    states = tf.concat(directions, axis=-1)
    scores = pointwise(states, values(network.attention.kernel), values(network.attention.bias))
    weights = tf.nn.softmax(tf.reshape(scores, (1, 1, 1, scores.shape[2])))
    return linear_head(network.head, tf.matmul(weights, states))


def _side_by_side(x: tf.Tensor, time_axis: int) -> tf.Tensor:
    """Maps of all channels as features of a time: ``[1, time, channels, maps]`` → rank 4, time as ``time_axis``."""
    _, length, channels, maps = x.shape
    shape = [1, 1, 1, channels * maps]
    shape[time_axis] = length
    return tf.reshape(x, shape)


def _temporal_block(block: Any, inputs: tf.Tensor) -> tf.Tensor:
    main = _normed(block.main, inputs)
    beside = inputs if block.shortcut is None else _normed(block.shortcut, inputs)
    if block.pooled:
        main, beside = (tf.nn.max_pool2d(x, block.pool.pool_size, block.pool.strides, "VALID") for x in (main, beside))
    return main + beside


def _normed(layer: Any, x: tf.Tensor) -> tf.Tensor:
    """A :class:`NormedConvolution` with its batch norm folded."""
    if layer.depthwise is not None:
        x = tf.nn.depthwise_conv2d(x, constant(values(layer.depthwise.kernel)), (1, 1, 1, 1), "SAME")
    y = convolved(x, *folded_batch_norm(layer.convolution, layer.normalisation))
    return tf.nn.relu(y) if layer.relu else y
