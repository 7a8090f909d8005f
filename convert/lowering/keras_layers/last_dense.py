"""The dense layer at the end of a classifier, whose input is the model's embedding."""

from __future__ import annotations

from typing import Any

import keras

_AFTER = (keras.layers.Activation, keras.layers.Softmax, keras.layers.Dropout, keras.layers.ReLU)


def last_dense(model: Any) -> Any:
    """The dense layer that gives a model's output, but for activations behind it; None if there is none.

    A layer that is used more than once is none: it reads more than one thing.

    Args:
        model: any Keras model; one that is neither functional nor sequential has none.
    """
    if isinstance(model, keras.Sequential):
        used = list(model.layers)
        last = next((layer for layer in reversed(used) if not isinstance(layer, _AFTER)), None)
    elif isinstance(model, keras.Function) and len(model.outputs) == 1:
        used = [node.operation for nodes in model._nodes_by_depth.values() for node in nodes]
        last = _before_activations(model.outputs[0])
    else:
        return None
    if sum(operation is last for operation in used) != 1:
        return None
    if isinstance(last, keras.Model):
        return last_dense(last)
    return last if type(last) is keras.layers.Dense else None


def _before_activations(output: Any) -> Any:
    history = output._keras_history
    while isinstance(history.operation, _AFTER) or type(history.operation).__name__ == "LogSoftmax":
        history = history.operation._inbound_nodes[history.node_index].input_tensors[0]._keras_history
    return history.operation
