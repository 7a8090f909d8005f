"""The convolutional networks on spectrograms as static graphs: batch norms folded away, time first.

Spectrograms in the graph are ``[1, frames, bins, channels]``, the transpose of the checkpoint's; so are kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .blocks import Array, Lowered, LoweringOptions, constant, folded_batch_norm, pointwise, values
from .lower_front_end import Spectrogram


def lower_resnet18(network: Any, options: LoweringOptions, spectrogram: Spectrogram) -> Lowered:
    """Logits and features of a spectrogram by a :class:`ResNet18`; ``options`` have no effect."""
    x = lower_stem(network.stem, spectrogram)
    for block in network.blocks:
        x = _basic_block(block, x)
    return linear_head(network.head, average(x))


def lower_cnn2d(network: Any, options: LoweringOptions, spectrogram: Spectrogram) -> Lowered:
    """Logits and features of a spectrogram by a :class:`Cnn2d`; ``options`` have no effect."""
    x = spectrogram()
    for layer in network.convolutions:
        kernel, bias = folded_batch_norm(layer.convolution, layer.normalisation)
        x = tf.nn.max_pool2d(tf.nn.relu(convolved(x, kernel.transpose(1, 0, 2, 3), bias)), 2, 2, "SAME")
    return linear_head(network.head, average(x))


def lower_stem(stem: Any, spectrogram: Spectrogram) -> tf.Tensor:
    """Features of a spectrogram by a :class:`ResNetStem`."""
    kernel, bias = folded_batch_norm(stem.convolution, stem.normalisation)
    rectified = tf.nn.relu(_halving(spectrogram, kernel.transpose(1, 0, 2, 3), bias))
    return tf.nn.max_pool2d(rectified, stem.pool.pool_size, stem.pool.strides, "SAME")


def convolved(x: tf.Tensor, kernel: Array, bias: Array, strides: Any = 1) -> tf.Tensor:
    """A padded convolution of ``[1, rows, columns, inputs]`` with a kernel ``[rows, columns, inputs, outputs]``."""
    return tf.nn.bias_add(tf.nn.conv2d(x, constant(kernel), strides, "SAME"), constant(bias))


def _halving(spectrogram: Spectrogram, kernel: Array, bias: Array) -> tf.Tensor:
    """A padded convolution of a spectrogram with stride 2, on pairs of bins where that is equivalent.

    Int8 kernels pad the input channels of each tap to a multiple of four or more: half as many taps over pairs of bins
    waste less. A zero bin before the first makes the padding of both forms equal.
    """
    x = spectrogram()
    rows, taps, inputs, outputs = kernel.shape
    if taps % 4 != 3 or x.shape[2] % 2 == 0:
        return convolved(x, kernel, bias, 2)
    paired = np.pad(kernel, [(0, 0), (0, 1), (0, 0), (0, 0)]).reshape(rows, -1, 2 * inputs, outputs)
    pairs = tf.reshape(spectrogram(leading=1), (1, x.shape[1], -1, 2 * inputs))
    return convolved(pairs, paired, bias, (2, 1))


def average(x: tf.Tensor) -> tf.Tensor:
    """Mean over rows and columns, ``[1, 1, 1, channels]``, as a pool, which is faster in int8 than MEAN."""
    return tf.nn.avg_pool2d(x, x.shape[1:3], 1, "VALID")


def linear_head(head: Any, features: tf.Tensor) -> Lowered:
    """Logits ``[1, classes]`` of features ``[1, 1, 1, inputs]``, which are the embedding."""
    logits = pointwise(features, values(head.kernel), values(head.bias))
    return Lowered(tf.reshape(logits, (1, logits.shape[-1])), tf.reshape(features, (1, features.shape[-1])))


def _folded(convolution: Any, norm: Any, x: tf.Tensor) -> tf.Tensor:
    kernel, bias = folded_batch_norm(convolution, norm)
    return convolved(x, kernel.transpose(1, 0, 2, 3), bias, convolution.strides)


def _basic_block(block: Any, inputs: tf.Tensor) -> tf.Tensor:
    x = tf.nn.relu(_folded(block.first, block.first_normalisation, inputs))
    x = _folded(block.second, block.second_normalisation, x)
    if block.shortcut is not None:
        inputs = _folded(block.shortcut, block.shortcut_normalisation, inputs)
    return tf.nn.relu(x + inputs)
