"""Recurrent layers unrolled over the steps of a window, whose number is known.

TFLite has a fused LSTM but no GRU, and a WHILE loop cannot be calibrated: here each step has its own tensors and thus
its own scales. The products with the inputs are computed for all steps at once.

All tensors have rank 4: sequences are ``[1, 1, steps, features]``, states ``[1, 1, 1, units]``. The state before the
first step is None where it is zero, so that nothing is computed of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deseptr.convert.lowering.blocks import Array, constant, pointwise, values

from .activations import activate
from .affine import computed, folded
from .linear import bias_of
from .refused import LAYERS as REFUSED, Refusal, refuse

State = Any
"""A tensor, or None for zeros."""
Step = Callable[[tf.Tensor, tuple[State, ...]], tuple[tf.Tensor, ...]]
"""From a step's products with the inputs and the states before it to the states after it; the first is the output."""


def _product(state: State, kernel: Array) -> tf.Tensor | None:
    return None if state is None else tf.nn.conv2d(state, constant(kernel[None, None]), 1, "VALID")


def _plus(x: tf.Tensor, y: tf.Tensor | None) -> tf.Tensor:
    return x if y is None else x + y


def _lstm(cell: Any) -> tuple[Array, Array, Step]:
    """With i, f, o = σ(x·W + h·U + b) and g = tanh(…): c ← f ∘ c + i ∘ g, h ← o ∘ tanh(c). Gates come before g."""
    units = cell.units
    parts = np.arange(4 * units).reshape(4, units)
    order = parts[[0, 1, 3, 2]].reshape(-1)
    recurrent = values(cell.recurrent_kernel)[:, order]

    def step(x: tf.Tensor, states: tuple[State, ...]) -> tuple[tf.Tensor, ...]:
        output, carry = states
        y = _plus(x, _product(output, recurrent))
        gates = activate(cell.recurrent_activation, y[..., : 3 * units])
        candidate = activate(cell.activation, y[..., 3 * units :])
        write, keep, read = (gates[..., at : at + units] for at in range(0, 3 * units, units))
        carry = _plus(write * candidate, None if carry is None else keep * carry)
        return read * activate(cell.activation, carry), carry

    return values(cell.kernel)[:, order], bias_of(cell, 4 * units)[order], step


def _gru(cell: Any) -> tuple[Array, Array, Step]:
    """With z, r = σ(x·W + h·U + b) and c = tanh(x·W + b + r ∘ (h·U + b′)): h ← c + z ∘ (h − c).

    Without ``reset_after``, c = tanh(x·W + b + (r ∘ h)·U).
    """
    units, after = cell.units, cell.reset_after
    bias = bias_of(cell, 3 * units)
    of_input, of_state = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    recurrent = values(cell.recurrent_kernel)
    of_gates, of_candidate = recurrent[:, : 2 * units], recurrent[:, 2 * units :]
    candidate_bias = constant(of_state[2 * units :])
    folded_bias = of_input + np.where(np.arange(3 * units) < 2 * units, of_state, 0.0)

    def step(x: tf.Tensor, states: tuple[State, ...]) -> tuple[tf.Tensor, ...]:
        (state,) = states
        gates = activate(cell.recurrent_activation, _plus(x[..., : 2 * units], _product(state, of_gates)))
        keep, reset = gates[..., :units], gates[..., units:]
        if after:
            added = _product(state, of_candidate)
            from_state = reset * (candidate_bias if added is None else tf.nn.bias_add(added, candidate_bias))
        else:
            from_state = None if state is None else _product(reset * state, of_candidate)
        candidate = activate(cell.activation, _plus(x[..., 2 * units :], from_state))
        return (candidate - keep * candidate if state is None else candidate + keep * (state - candidate),)

    return values(cell.kernel), folded_bias, step


def _simple(cell: Any) -> tuple[Array, Array, Step]:
    """The state h ← tanh(x·W + h·U + b)."""
    recurrent = values(cell.recurrent_kernel)

    def step(x: tf.Tensor, states: tuple[State, ...]) -> tuple[tf.Tensor, ...]:
        return (activate(cell.activation, _plus(x, _product(states[0], recurrent))),)

    return values(cell.kernel), bias_of(cell, cell.units), step


_CELLS: dict[type, tuple[Callable[[Any], tuple[Array, Array, Step]], int]] = {
    keras.layers.LSTMCell: (_lstm, 2),
    keras.layers.GRUCell: (_gru, 1),
    keras.layers.SimpleRNNCell: (_simple, 1),
}


def unrolled(
    layer: Any, sequence: Any, initial: Sequence[Any] | None = None
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Outputs of a recurrent layer in the order of its steps, and its states after the last one.

    Args:
        layer: a trained layer with an LSTM, GRU or simple cell.
        sequence: ``[1, steps, inputs]``, a tensor or :class:`.affine.Affine`.
        initial: states ``[1, units]`` before the first step; zero by default.

    Raises:
        ConversionError: if its cell is another, or if it keeps its state from batch to batch.
    """
    cell = layer.cell
    if type(cell) not in _CELLS:
        known = REFUSED.get(type(cell).__name__)
        known = known or Refusal(f"a cell of its own, {type(cell).__name__}", "LSTM, GRU or SimpleRNN")
        raise refuse(layer, *known)
    if layer.stateful:
        raise refuse(layer, "a state that is kept between windows (stateful=True)", "the layer with stateful=False")
    make, count = _CELLS[type(cell)]
    kernel, bias, step = make(cell)
    tensor, kernel, bias = folded(sequence, kernel, bias)
    products = pointwise(tf.expand_dims(tensor, 1), kernel, bias)
    steps = products.shape[2]
    states: tuple[State, ...] = (None,) * count
    if initial is not None:
        states = tuple(tf.reshape(computed(state), (1, 1, 1, -1)) for state in initial)
    outputs = []
    for t in reversed(range(steps)) if layer.go_backwards else range(steps):
        states = step(products[:, :, t : t + 1], states)
        outputs.append(states[0])
    return outputs, [tf.reshape(state, (1, -1)) for state in states]


def _sequence(outputs: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.squeeze(tf.concat(outputs, axis=2), axis=1)


def _recurrent(layer: Any, sequence: Any, initial_state: Any = None) -> Any:
    initial = [initial_state] if isinstance(initial_state, tf.Tensor) else initial_state
    outputs, states = unrolled(layer, sequence, initial)
    result = _sequence(outputs) if layer.return_sequences else tf.reshape(outputs[-1], (1, -1))
    return [result, *states] if layer.return_state else result


def _bidirectional(layer: Any, sequence: Any, initial_state: Any = None) -> Any:
    half = len(initial_state) // 2 if initial_state is not None else 0
    initials = (initial_state[:half], initial_state[half:]) if half else (None, None)
    results, states = [], []
    for direction, initial in zip((layer.forward_layer, layer.backward_layer), initials, strict=True):
        outputs, after = unrolled(direction, sequence, initial)
        states += after
        if layer.return_sequences:
            results.append(_sequence(outputs[::-1] if direction.go_backwards else outputs))
        else:
            results.append(tf.reshape(outputs[-1], (1, -1)))
    merge = _MERGES.get(layer.merge_mode)
    merged = [merge(*results)] if merge else results
    return [*merged, *states] if layer.return_state else merged[0] if merge else merged


_MERGES: dict[str | None, Callable[..., tf.Tensor]] = {
    "concat": lambda x, y: tf.concat([x, y], axis=-1),
    "sum": lambda x, y: x + y,
    "ave": lambda x, y: (x + y) * 0.5,
    "mul": lambda x, y: x * y,
}

LAYERS: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN, keras.layers.RNN), _recurrent),
    keras.layers.Bidirectional: _bidirectional,
}
