"""The states of a GRU along a sequence, unrolled as in :mod:`.keras_layers.recurrent`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .keras_layers.recurrent import unrolled


def gru_states(layer: Any, sequence: tf.Tensor) -> tf.Tensor:
    """States of a Keras GRU after each step, in the order of the sequence even if the GRU runs backwards.

    Args:
        layer: the trained layer.
        sequence: ``[1, 1, steps, inputs]``.

    Returns:
        ``[1, 1, steps, units]``.
    """
    states, _ = unrolled(layer, tf.squeeze(sequence, axis=1))
    return tf.concat(states[::-1] if layer.go_backwards else states, axis=2)
