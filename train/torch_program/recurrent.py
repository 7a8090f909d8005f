"""Recurrent layers: each of PyTorch's is one Keras layer or more, with its gates in Keras' order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from .axes import stacked
from .held import Held
from .site import Site

layers = keras.layers


class _Kind(NamedTuple):
    """A kind of recurrent layer.

    Args:
        make: Keras' layer.
        gates: PyTorch's gates in Keras' order.
        settings: of Keras' layer.
        biases: whether those of input and state stay apart.
    """

    make: Callable[..., Any]
    gates: tuple[int, ...]
    settings: dict[str, Any]
    biases: bool = False


_LSTM = _Kind(layers.LSTM, (0, 1, 2, 3), {})
# PyTorch has reset, update and new; Keras update, reset and new.
_GRU = _Kind(layers.GRU, (1, 0, 2), {"reset_after": True}, biases=True)
_TANH = _Kind(layers.SimpleRNN, (0,), {"activation": "tanh"})
_RELU = _Kind(layers.SimpleRNN, (0,), {"activation": "relu"})


def _weights(at: Site, kind: _Kind, given: Sequence[Held]) -> list[Any]:
    """Kernel, recurrent kernel and bias of a direction in Keras' order."""

    def ordered(value: Held) -> Any:
        parts = np.split(at.array(value, "a weight"), len(kind.gates))
        return np.concatenate([parts[gate] for gate in kind.gates])

    kernels = [ordered(value).T for value in given[:2]]
    biases = [ordered(value) for value in given[2:]]
    if not biases:
        return kernels
    return [*kernels, np.stack(biases) if kind.biases else biases[0] + biases[1]]


def _run(
    at: Site,
    kind: _Kind,
    x: Held,
    states: Sequence[Held],
    params: Sequence[Held],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Held, ...]:
    """Outputs of the last layer, and the states after the last step, ``[layers · directions, batch, units]`` each."""
    directions, count = 1 + bidirectional, 4 if has_biases else 2
    if len(params) != num_layers * directions * count:
        raise at.refuse("projections (proj_size)", "the layer without them, then Linear")
    if any(not state.constant or np.any(state.tensor) for state in states):
        raise at.refuse("an initial state", "the layer without one, which begins with zeros")
    if x.rank != 3:
        raise at.refuse(f"a value of {x.rank} axes", "a batch of one window")
    if train and dropout:
        raise at.refuse("train=True", "torch.export.export(network.eval(), …)")
    turn = (0, 1, 2) if batch_first else (1, 0, 2)
    tensor, after = x.arranged(turn), []
    for number in range(num_layers):
        weights = []
        for direction in range(directions):
            start = (number * directions + direction) * count
            weights += _weights(at, kind, params[start : start + count])
        layer = _layer(at.name("" if num_layers == 1 else f"l{number}"), kind, weights[1].shape[0], has_biases)
        tensor, *last = at.apply(
            layers.Bidirectional(layer, name=layer.name) if bidirectional else layer, tensor, weights
        )
        after.append([last[start :: len(last) // directions] for start in range(len(last) // directions)])
    whole = _with_last(tensor, turn, None if bidirectional else after[-1][0][0])
    of_states = [stacked(at, [Held.of(s) for parts in after for s in parts[k]]) for k in range(len(after[0]))]
    return whole, *of_states


def _layer(name: str, kind: _Kind, units: int, biases: bool) -> Any:
    return kind.make(units, return_sequences=True, return_state=True, use_bias=biases, name=name, **kind.settings)


def _with_last(tensor: Any, turn: Sequence[int], last: Any) -> Held:
    """The outputs of all steps, of which that of the last is the state after it."""
    held = Held(tensor, tuple(turn))
    time = turn.index(1)
    known = {} if last is None else {(time, held.shape[time] - 1): Held.of(last)}
    return Held(tensor, held.order, known)


def _of(kind: _Kind) -> Callable[..., tuple[Held, ...]]:
    def run(at: Site, x: Held, hx: Held | list[Held], params: list[Held], **settings: Any) -> tuple[Held, ...]:
        return _run(at, kind, x, hx if isinstance(hx, list) else [hx], params, **settings)

    return run


OPERATIONS: dict[str, Callable[..., Any]] = {
    "lstm": _of(_LSTM),
    "gru": _of(_GRU),
    "rnn_tanh": _of(_TANH),
    "rnn_relu": _of(_RELU),
}
