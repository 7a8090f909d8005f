"""A GRU unrolled over a static number of steps, in operations that have int8 kernels.

TFLite has a fused LSTM but no GRU, and a WHILE loop cannot be calibrated: here each step has its own tensors and thus
its own scales.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .blocks import constant, pointwise, values


def gru_states(layer: Any, sequence: tf.Tensor) -> tf.Tensor:
    """States of a Keras GRU after each step, in the order of the sequence even if the GRU runs backwards.

    The products with the inputs are computed for all steps at once. With h the state before a step, z and r are
    sigmoids of x·W + h·U + b, the candidate is c = tanh(x·W + b + r ∘ (h·U + b′)), and the new state c + z ∘ (h − c).

    Args:
        layer: the trained layer, with ``reset_after=True`` (Keras' default, as in cuDNN).
        sequence: ``[1, 1, steps, inputs]``.

    Returns:
        ``[1, 1, steps, units]``.
    """
    units, steps = layer.units, sequence.shape[2]
    kernel, recurrent = values(layer.cell.kernel), values(layer.cell.recurrent_kernel)
    of_input, of_state = values(layer.cell.bias)
    split = 2 * units
    gates = pointwise(sequence, kernel[:, :split], (of_input + of_state)[:split])
    candidates = pointwise(sequence, kernel[:, split:], of_input[split:])
    gate_kernel, candidate_kernel = (
        constant(part[None, None]) for part in (recurrent[:, :split], recurrent[:, split:])
    )
    candidate_bias = constant(of_state[split:])

    state, states = tf.zeros((1, 1, 1, units)), {}
    for t in reversed(range(steps)) if layer.go_backwards else range(steps):
        gate = tf.sigmoid(gates[:, :, t : t + 1] + tf.nn.conv2d(state, gate_kernel, 1, "VALID"))
        keep, reset = gate[..., :units], gate[..., units:]
        from_state = tf.nn.bias_add(tf.nn.conv2d(state, candidate_kernel, 1, "VALID"), candidate_bias)
        candidate = tf.tanh(candidates[:, :, t : t + 1] + reset * from_state)
        state = candidate + keep * (state - candidate)
        states[t] = state
    return tf.concat([states[t] for t in range(steps)], axis=2)
