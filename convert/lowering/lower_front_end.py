"""The spectrogram front end as two convolutions and one transpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from deseptr.contract import StftSpec
from deseptr.train.front_end import dft_kernels

from .blocks import Array, constant, pointwise, values

Spectrogram = Callable[..., tf.Tensor]
"""``spectrogram(leading=0)``: :func:`lower_front_end` of the graph's window; ``leading`` zero bins come first."""


def signed_kernels(layer: Any) -> list[tuple[Array, Array]]:
    """Kernels for ``pointwise(relu6(conv(x)))``: each projection with both signs, the gain folded into the first.

    |p| = relu(p) + relu(−p), and p = relu(p) − relu(−p) for DC, which keeps its sign. RELU6 is the saturation.

    Returns:
        ``analysis`` ``[frame_length, projections]`` and ``synthesis`` ``[projections, bins]`` for each level; DC's
        projections only at the first level.
    """
    analysis, synthesis = (values(kernel) for kernel in dft_kernels(layer.spec))
    analysis = analysis * np.asarray(layer.gain)[synthesis.argmax(axis=1)]
    negative = synthesis.copy()
    negative[0] *= -1
    both, sums = np.concatenate([analysis, -analysis], axis=1), np.concatenate([synthesis, negative])
    without_dc = sums[:, 0] == 0
    quieter = [(both[:, without_dc] * level, sums[without_dc]) for level in layer.levels[1:]]
    return [(both * layer.levels[0], sums), *quieter]


def lower_front_end(layer: Any, window: tf.Tensor, leading: int = 0) -> tf.Tensor:
    """Spectrogram of a window, time first.

    The projections are the largest tensor of the graph; only one level of them exists at a time.

    Args:
        layer: the :class:`DftSpectrogram` of the checkpoint.
        window: ``[1, window_length, channels]``, each channel over its input range.
        leading: number of zero bins before the first bin.

    Returns:
        ``[1, frames, leading + bins, channels · levels]``.
    """
    step, bins = layer.spec.frame_step, leading + layer.spec.bins
    taps = -(-layer.spec.frame_length // step)
    hops = _hops(layer.spec, window, taps)
    by_level = []
    for analysis, synthesis in signed_kernels(layer):
        kernel = np.pad(analysis, [(0, taps * step - len(analysis)), (0, 0)]).reshape(1, taps, step, -1)
        rectified = tf.nn.relu6(tf.nn.conv2d(hops, constant(kernel), 1, "VALID"))
        by_level.append(pointwise(rectified, np.pad(synthesis, [(0, 0), (leading, 0)]), np.zeros(bins)))
    levels = len(by_level)
    summed = by_level[0] if levels == 1 else tf.concat(by_level, axis=-1)
    _, channels, frames, _ = summed.shape
    by_bin = tf.transpose(tf.reshape(summed, (channels, frames, levels, bins)), (1, 3, 0, 2))
    return tf.reshape(by_bin, (1, frames, bins, channels * levels))


def _hops(spec: StftSpec, window: tf.Tensor, taps: int) -> tf.Tensor:
    """The window cut into hops, ``[1, channels, hops, frame_step]``, as far as frames of ``taps`` hops reach.

    A convolution over single samples has one input channel, which int8 kernels pad with zeros to four or more.
    """
    _, length, channels = window.shape
    reach = (spec.frames(length) - 1 + taps) * spec.frame_step
    if reach > length:
        window = tf.pad(window, [(0, 0), (0, reach - length), (0, 0)])
    by_channel = tf.transpose(window[:, :reach] if reach < length else window, (0, 2, 1))
    return tf.reshape(by_channel, (1, channels, -1, spec.frame_step))
