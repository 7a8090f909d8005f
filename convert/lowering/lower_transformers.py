"""The transformers as static graphs: the checkpoint's network, rewritten exactly, without unused parts.

Time is the first axis throughout, so that a column of the grid is a row of the tensor: kernels are transposed, and the
separable networks need only one transpose between two encoders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .blocks import (
    Array,
    Lowered,
    LoweringOptions,
    centred,
    constant,
    encoder,
    folded_norm,
    pointwise,
    shares,
    unit_norm,
    values,
    written,
)
from .lower_convolutions import lower_stem
from .lower_front_end import Spectrogram


def lower_separable(network: Any, options: LoweringOptions, spectrogram: Spectrogram) -> Lowered:
    """Logits and normed special tokens of a spectrogram by a :class:`SepTr` or one of its distilled variants.

    Args:
        network: the trained network.
        options: the head for predictions, if there are two, and the norm of the stream.
        spectrogram: function that returns ``[1, frames, bins, channels]``.
    """
    grid, special = _tokens(network, spectrogram)
    count = special.shape[2]
    if network.first == "time":
        grid = tf.transpose(grid, (0, 2, 1, 3))
    for block in network.stages[:-1]:
        copies = tf.concat([special] * grid.shape[1], axis=1)
        encoded = encoder(block, options.norm, tf.concat([copies, grid], axis=2))
        special = tf.reduce_mean(encoded[:, :, :count], axis=1, keepdims=True)
        grid = tf.transpose(encoded[:, :, count:], (0, 2, 1, 3))
    copies = tf.concat([special] * grid.shape[1], axis=1)
    encoded = encoder(network.stages[-1], options.norm, tf.concat([copies, grid], axis=2), first=copies)
    return _head(network, options.prediction, tf.reduce_mean(encoded, axis=1, keepdims=True))


def lower_vit(network: Any, options: LoweringOptions, spectrogram: Spectrogram) -> Lowered:
    """Logits and normed special tokens of a spectrogram by a :class:`ViT` or its distilled variant, as above."""
    grid, special = _tokens(network, spectrogram)
    count = special.shape[2]
    _, columns, rows, dim = grid.shape
    tokens = tf.concat([special, tf.reshape(grid, (1, 1, columns * rows, dim))], axis=2)
    for block in network.blocks[:-1]:
        tokens = encoder(block, options.norm, tokens)
    encoded = encoder(network.blocks[-1], options.norm, tokens, first=tokens[:, :, :count])
    return _head(network, options.prediction, encoded)


def _tokens(network: Any, spectrogram: Spectrogram) -> tuple[tf.Tensor, tf.Tensor]:
    """Grid ``[1, columns, rows, dim]`` and special tokens ``[1, 1, count, dim]``, as the stream holds them."""
    tokens = network.tokens
    features = spectrogram() if network.stem is None else lower_stem(network.stem, spectrogram)
    positions = values(tokens.frequency_position) + values(tokens.time_position)
    grid = unit_norm(_projected(tokens, features)) + constant(written(positions).transpose(1, 0, 2)[None])
    special = written(np.concatenate([values(token) for token in tokens.special]))
    return grid, constant(special[None, None])


def _projected(tokens: Any, features: tf.Tensor) -> tf.Tensor:
    kernel, bias = centred(values(tokens.projection.kernel)), centred(values(tokens.projection.bias))
    if tokens.patch == 1:
        return pointwise(features, kernel, bias)
    patches = tf.nn.conv2d(features, constant(kernel.transpose(1, 0, 2, 3)), tokens.patch, "SAME")
    return tf.nn.bias_add(patches, constant(bias))


def _head(network: Any, prediction: str, special: tf.Tensor) -> Lowered:
    """All heads as one product over the special tokens side by side; an unused head has no weight."""
    folded = [
        folded_norm(network.norm, values(head.kernel) * part, values(head.bias) * part)
        for head, part in zip(network.output_heads, _shares(network, prediction), strict=True)
    ]
    kernel: Array = np.concatenate([kernel for kernel, _ in folded])
    bias: Array = np.sum([bias for _, bias in folded], axis=0)
    tokens = tf.reshape(unit_norm(special), (1, 1, 1, len(kernel)))
    logits = tf.reshape(pointwise(tokens, kernel, bias), (1, network.classes))
    return Lowered(logits, tf.reshape(tokens, (1, len(kernel))))


def _shares(network: Any, prediction: str) -> tuple[float, ...]:
    return shares(prediction) if network.distilled else (1.0,)
