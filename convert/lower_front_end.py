"""The spectrogram front end as two convolutions and one transpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from deseptr.train.front_end import dft_kernels

from .blocks import Array, constant, pointwise, values


def signed_kernels(layer: Any) -> tuple[Array, Array]:
    """Kernels for ``pointwise(relu6(conv(x)))``: each projection with both signs, the gain folded into the first.

    |p| = relu(p) + relu(−p), and p = relu(p) − relu(−p) for DC, which keeps its sign. RELU6 is its saturation.

    Returns:
        ``analysis`` ``[frame_length, levels · 2 · projections]`` and ``synthesis``
        ``[levels · 2 · projections, levels · bins]``.
    """
    analysis, synthesis = (values(kernel) for kernel in dft_kernels(layer.spec))
    analysis = analysis * np.asarray(layer.gain)[synthesis.argmax(axis=1)]
    negative = synthesis.copy()
    negative[0] *= -1
    both = np.concatenate([analysis, -analysis], axis=1)
    sums = np.kron(np.eye(len(layer.levels)), np.concatenate([synthesis, negative]))
    sums[:, layer.spec.bins :: layer.spec.bins] = 0  # DC is taken at the first level alone
    return np.concatenate([both * level for level in layer.levels], axis=1), sums


def lower_front_end(layer: Any, window: tf.Tensor) -> tf.Tensor:
    """Spectrogram, time first, of a window.

    Args:
        layer: the :class:`DftSpectrogram` of the checkpoint.
        window: ``[1, window_length, channels]``, each channel over its input range.

    Returns:
        ``[1, frames, bins, channels · levels]``.
    """
    analysis, synthesis = signed_kernels(layer)
    columns = tf.reshape(window, (*window.shape, 1))
    stride = (layer.spec.frame_step, 1)
    rectified = tf.nn.relu6(tf.nn.conv2d(columns, constant(analysis[:, None, None, :]), stride, "VALID"))
    bins = pointwise(rectified, synthesis, np.zeros(synthesis.shape[1]))
    by_level = tf.reshape(bins, (1, bins.shape[1], -1, layer.spec.bins))
    return tf.transpose(by_level, (0, 1, 3, 2))
