"""DeSepTr as a static graph: the network of the checkpoint, rewritten exactly, with nothing in it that is not used.

Time is the first axis throughout, so that a column of the grid is a row of the tensor: the stem's kernels are
transposed, and one transpose between the two encoders is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .blocks import (
    Array,
    centred,
    constant,
    encoder,
    folded_batch_norm,
    folded_norm,
    pointwise,
    unit_norm,
    values,
    written,
)

SPECIAL = 2


def lower_deseptr(network: Any, prediction: str, spectrogram: tf.Tensor) -> tf.Tensor:
    """Logits of a spectrogram.

    Args:
        network: the trained :class:`DeSepTr`.
        prediction: which head speaks.
        spectrogram: ``[1, frames, bins, channels]``.

    Returns:
        ``[1, classes]``.
    """
    columns = _grid(network.tokens, _stem(network.stem, spectrogram))
    special = constant(_special_tokens(network.tokens)[None, None])
    last = network.depth - 1
    for index, (frequency_block, time_block) in enumerate(
        zip(network.frequency_blocks, network.time_blocks, strict=True)
    ):
        encoded = encoder(frequency_block, _with_special(special, columns))
        special = tf.reduce_mean(encoded[:, :, :SPECIAL], axis=1, keepdims=True)
        rows = tf.transpose(encoded[:, :, SPECIAL:], (0, 2, 1, 3))
        encoded = encoder(time_block, _with_special(special, rows), wanted=SPECIAL if index == last else None)
        special = tf.reduce_mean(encoded[:, :, :SPECIAL], axis=1, keepdims=True)
        if index != last:
            columns = tf.transpose(encoded[:, :, SPECIAL:], (0, 2, 1, 3))
    return _head(network, prediction, special)


def _stem(stem: Any, spectrogram: tf.Tensor) -> tf.Tensor:
    kernel, bias = folded_batch_norm(stem.convolution, stem.normalisation)
    convolved = tf.nn.conv2d(spectrogram, constant(kernel.transpose(1, 0, 2, 3)), stem.convolution.strides, "SAME")
    rectified = tf.nn.relu(tf.nn.bias_add(convolved, constant(bias)))
    return tf.nn.max_pool2d(rectified, stem.pool.pool_size, stem.pool.strides, "SAME")


def _grid(tokens: Any, features: tf.Tensor) -> tf.Tensor:
    projection = tokens.projection
    projected = pointwise(features, centred(values(projection.kernel)), centred(values(projection.bias)))
    positions = values(tokens.frequency_position) + values(tokens.time_position)
    return unit_norm(projected) + constant(written(positions).transpose(1, 0, 2)[None])


def _special_tokens(tokens: Any) -> Array:
    return written(np.concatenate([values(tokens.class_token), values(tokens.distillation_token)]))


def _with_special(special: tf.Tensor, grid: tf.Tensor) -> tf.Tensor:
    copies = tf.concat([special] * grid.shape[1], axis=1)
    return tf.concat([copies, grid], axis=2)


def _head(network: Any, prediction: str, special: tf.Tensor) -> tf.Tensor:
    """Both heads in one product over the two tokens side by side; a silent head has no weight."""
    share = {"class": (1.0, 0.0), "distillation": (0.0, 1.0), "mean": (0.5, 0.5)}[prediction]
    folded = [
        folded_norm(network.norm, values(head.kernel) * part, values(head.bias) * part)
        for head, part in zip((network.class_head, network.distillation_head), share, strict=True)
    ]
    kernel = np.concatenate([kernel for kernel, _ in folded])
    tokens = tf.reshape(unit_norm(special), (1, 1, 1, SPECIAL * network.dim))
    logits = pointwise(tokens, kernel, folded[0][1] + folded[1][1])
    return tf.reshape(logits, (1, network.classes))
