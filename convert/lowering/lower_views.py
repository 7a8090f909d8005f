"""The networks on two views of a window as static graphs: all norms folded away, clamps fused into operations.

A window in the graph is ``[1, window_length, 2 · channels]``: all coarse channels, then all fine channels, over 127.5.
Time is the first axis of every tensor, so that a column of tokens is a row of the tensor.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deseptr.train.models.view_spectrogram import VIEWS
from deseptr.train.models.waveform_deseptr import COLUMN_LENGTH, COLUMN_STEP

from .blocks import Array, Lowered, LoweringOptions, constant, folded_affine, pointwise, shares, values

_HOP = 2


def lower_waveform_deseptr(network: Any, options: LoweringOptions, window: tf.Tensor) -> Lowered:
    """Logits and special tokens of an encoded window by a :class:`WaveformDeSepTr`.

    The heads also read the waveform's peaks; these have another scale and are no part of the embedding.
    """
    columns = network.time_position.shape[0]
    tokens, peaks = _waveform(network.trunk, window, columns)
    grid = tf.concat([_spectrum(network, window, columns), *tokens], axis=2)
    grid = _clamped(grid + constant(values(network.frequency_position)[None, None]))
    encoded = _block(network.frequency_block, np.clip(values(network.special), -1, 1), grid)
    placed = _clamped(encoded + constant(values(network.time_position)[None]))
    row = tf.reshape(placed, (1, 1, -1, network.dim))
    special = _block(network.time_block, np.clip(values(network.time_special), -1, 1), row)
    return _head(network, options.prediction, special, tf.nn.max_pool2d(peaks, (columns, 1), 1, "VALID"))


def lower_wave1d(network: Any, options: LoweringOptions, window: tf.Tensor) -> Lowered:
    """Logits of an encoded window by a :class:`Wave1d`; ``options`` changes nothing in it.

    There is no embedding: its head reads means and maxima, each of its own scale, in two products.
    """
    x = tf.reshape(window, (1, window.shape[1], 1, window.shape[2]))
    x = tf.nn.relu(_along_time(network.convolution, network.normalisation, x))
    for block in network.blocks:
        y = tf.nn.relu(_along_time(block.first, block.first_normalisation, x))
        y = _along_time(block.second, block.second_normalisation, y)
        if block.shortcut is not None:
            x = _along_time(block.shortcut, block.shortcut_normalisation, x)
        x = tf.nn.relu(y + x)
    mean, largest = tf.nn.avg_pool2d(x, (x.shape[1], 1), 1, "VALID"), tf.nn.max_pool2d(x, (x.shape[1], 1), 1, "VALID")
    of_mean, of_largest = np.split(values(network.head.kernel), 2)
    logits = pointwise(mean, of_mean, np.zeros(network.classes))
    logits += pointwise(largest, of_largest, values(network.head.bias))
    return Lowered(tf.reshape(logits, (1, network.classes)))


def by_channel(window: tf.Tensor, hop: int = 1) -> tf.Tensor:
    """``[1, window_length / hop, channels, hop · views]``: views, and samples of a hop, as features of a channel."""
    _, length, width = window.shape
    grouped = tf.reshape(window, (1, length // hop, hop * VIEWS, width // VIEWS))
    return tf.transpose(grouped, (0, 1, 3, 2))


def _along_time(convolution: Any, norm: Any, x: tf.Tensor) -> tf.Tensor:
    factor, offset = folded_affine(norm)
    kernel = constant(values(convolution.kernel)[:, None] * factor)
    return tf.nn.bias_add(tf.nn.conv2d(x, kernel, (convolution.strides[0], 1), "SAME"), constant(offset))


def _clamped(x: tf.Tensor) -> tf.Tensor:
    """Clamp to ±1, which the converter fuses into the operation before it as RELU_N1_TO_1."""
    return tf.clip_by_value(x, -1.0, 1.0)


def _convolved(layer: Any, x: tf.Tensor, kernel: Array, strides: tuple[int, int]) -> tf.Tensor:
    """A :class:`StridedConvolution` with a rearranged kernel that is not depthwise."""
    factor, offset = folded_affine(layer.normalisation)
    y = tf.nn.bias_add(tf.nn.conv2d(x, constant(kernel * factor), strides, "VALID"), constant(offset))
    return _clamped(y) if layer.clamp else tf.nn.relu(y)


def _strided(layer: Any, x: tf.Tensor) -> tf.Tensor:
    """A :class:`StridedConvolution`; a depthwise one has its columns beside the channels."""
    kernel = values(layer.kernel)
    if layer.filters is not None:
        return _convolved(layer, x, kernel, tuple(layer.strides))
    _, rows, columns, channels = x.shape
    factor, offset = folded_affine(layer.normalisation)
    stride = layer.strides[0]
    flat = tf.reshape(x, (1, rows, 1, columns * channels))
    tiled = constant(np.tile(kernel * factor[:, None], (1, 1, columns, 1)))
    y = tf.nn.depthwise_conv2d(flat, tiled, (1, stride, stride, 1), "VALID")
    y = tf.nn.relu(tf.nn.bias_add(y, constant(np.tile(offset, columns))))
    return tf.reshape(y, (1, y.shape[1], columns, channels))


def _pooled(layer: Any, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(x, layer.pool_size, layer.strides, "VALID")


def _in_hops(convolution: Any, pool: Any, window: tf.Tensor, rows: int) -> tf.Tensor:
    """The first convolution and the maxima of four of its rows, two rows apart, in hops of two samples.

    A hop has four input features, where a sample has two, which int8 kernels would pad to four. The two rows that begin
    in a hop are side by side, so that the maxima are of two hops and both rows.

    Args:
        convolution: the first convolution.
        pool: its pooling of size 4 and stride 2.
        window: the encoded window ``[1, window_length, 2 · channels]``.
        rows: wanted rows of the output.
    """
    taps, _, views, filters = convolution.kernel.shape
    kernel = values(convolution.kernel)[:, 0]
    span = taps + _HOP
    phases = np.stack([np.pad(kernel, ((phase, _HOP - phase), (0, 0), (0, 0))) for phase in range(_HOP)], axis=2)
    by_hop = phases.reshape(span // _HOP, 1, _HOP * views, _HOP * filters)
    factor, offset = folded_affine(convolution.normalisation)
    hops = rows - 1 + pool.pool_size[0] // _HOP
    x = by_channel(window[:, : _HOP * (hops - 1) + span], _HOP)
    kernels, offsets = constant(by_hop * np.tile(factor, _HOP)), constant(np.tile(offset, _HOP))
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernels, 1, "VALID"), offsets))
    beside = tf.reshape(x, (1, hops, x.shape[2] * _HOP, filters))
    return tf.nn.max_pool2d(beside, (pool.pool_size[0] // _HOP, _HOP), (pool.strides[0] // _HOP, _HOP), "VALID")


def _waveform(trunk: Any, window: tf.Tensor, columns: int) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The two tokens ``[1, columns, 1, dim]`` and the peaks ``[1, columns, 1, mixed]``.

    Samples after those of the last column are left out.
    """
    rows = trunk.shape.strides[0] * (columns - 1) + trunk.shape.kernel_size[0]
    first, pool, *others = trunk.temporal
    for layer in reversed(others):
        size = layer.pool_size if isinstance(layer, keras.layers.MaxPooling2D) else layer.kernel_size
        rows = layer.strides[0] * (rows - 1) + size[0]
    x = _in_hops(first, pool, window, rows)
    for layer in others:
        x = _pooled(layer, x) if isinstance(layer, keras.layers.MaxPooling2D) else _strided(layer, x)
    mixed = _strided(trunk.across, tf.reshape(x, (1, x.shape[1], 1, x.shape[2] * x.shape[3])))
    peaks = _pooled(trunk.peak, mixed)
    sources = (_strided(trunk.shape, mixed), peaks)
    return [_strided(layer, x) for layer, x in zip(trunk.projections, sources, strict=True)], peaks


def _spectrum(network: Any, window: tf.Tensor, columns: int) -> tf.Tensor:
    """Tokens ``[1, columns, bins / 2, dim]`` of the spectrogram; its bins are convolved in pairs side by side."""
    stem = network.stem
    x = _spectrogram(network.spectrogram, window[:, : COLUMN_LENGTH + COLUMN_STEP * (columns - 1)])
    _, frames, bins, channels = x.shape
    kernel = values(stem.along_bins.kernel)
    pairs = tf.reshape(x, (1, frames, bins // 2, 2 * channels))
    x = _convolved(stem.along_bins, pairs, kernel.reshape(1, -1, 2 * channels, kernel.shape[-1]), (1, 1))
    return _strided(stem.projection, _strided(stem.along_time, x))


def _spectrogram(layer: Any, window: tf.Tensor) -> tf.Tensor:
    """A :class:`ViewSpectrogram`, ``[1, frames, 1 + bins + 1, 2 · channels]``, with a bin of zeros at either end.

    |p| = relu(p) + relu(−p), and p = relu(p) − relu(−p) for DC, which keeps its sign. RELU6 is the saturation.
    """
    _, length, width = window.shape
    step, channels = layer.frame_step, width // VIEWS
    hops = tf.reshape(tf.transpose(window, (0, 2, 1)), (1, width, length // step, step))
    synthesis = layer.synthesis.astype(np.float64)
    negative = synthesis.copy()
    negative[0] *= -1
    sums = np.pad(np.concatenate([synthesis, negative]), [(0, 0), (1, 1)])
    by_view = []
    for view, gain in enumerate(values(layer.gain)):
        analysis = layer.analysis.astype(np.float64) * gain[layer.bin_of]
        kernel = np.concatenate([analysis, -analysis], axis=1).reshape(1, -1, step, 2 * len(layer.bin_of))
        part = hops[:, view * channels : (view + 1) * channels]
        rectified = tf.nn.relu6(tf.nn.conv2d(part, constant(kernel), 1, "VALID"))
        by_view.append(pointwise(rectified, sums, np.zeros(sums.shape[1])))
    return tf.transpose(tf.concat(by_view, axis=1), (0, 2, 3, 1))


def _block(block: Any, special: Array, tokens: tf.Tensor) -> tf.Tensor:
    """A :class:`ClampedBlock` whose special tokens are constants, ``[1, rows, special, dim]``.

    So are the queries, and the scores are a linear layer over the tokens. The rows of the attention sum to one, so that
    the batch norm behind it, which is an affine map of each feature, is one of the values.

    Args:
        block: the trained block.
        special: the special tokens ``[special, dim]``, clamped, the same in each row.
        tokens: the other tokens, ``[1, rows, n, dim]``.
    """
    rows, count = tokens.shape[1], len(special)
    first = constant(np.tile(special[None, None], (1, rows, 1, 1)))
    tokens = tf.concat([first, tokens], axis=2)
    query = special @ values(block.query.kernel) + values(block.query.bias)
    scores = tf.transpose(pointwise(tokens, query.T, np.zeros(count)), (0, 1, 3, 2))
    value = pointwise(tokens, *_normed_dense(block.value, block.attention_norm))
    kept = _clamped(tf.matmul(tf.nn.softmax(scores), value) + first)
    hidden = pointwise(kept, values(block.expand.kernel), values(block.expand.bias), relu=True)
    return _clamped(pointwise(hidden, *_normed_dense(block.contract, block.mlp_norm)) + kept)


def _normed_dense(dense: Any, norm: Any) -> tuple[Array, Array]:
    factor, offset = folded_affine(norm)
    return values(dense.kernel) * factor, values(dense.bias) * factor + offset


def _head(network: Any, prediction: str, special: tf.Tensor, peaks: tf.Tensor) -> Lowered:
    """Both heads in two products, one for each scale: that of the special tokens and that of the peaks."""
    heads = list(zip(network.output_heads, shares(prediction), strict=True))
    of_special: Array = np.concatenate([values(head.kernel)[: network.dim] * share for head, share in heads])
    of_peaks: Array = np.sum([values(head.kernel)[network.dim :] * share for head, share in heads], axis=0)
    bias: Array = np.sum([values(head.bias) * share for head, share in heads], axis=0)
    tokens = tf.reshape(special, (1, 1, 1, len(of_special)))
    logits = pointwise(tokens, of_special, bias) + pointwise(peaks, of_peaks, np.zeros(network.classes))
    return Lowered(tf.reshape(logits, (1, network.classes)), tf.reshape(special, (1, len(of_special))))
