"""The softmax or log-softmax at the end of a classifier, which the graph leaves out: deseptr's engines take logits.

An int8 softmax has 256 steps of probability: all unlikely classes become alike, and a runtime that expects logits would
take a probability of a probability.
"""

from __future__ import annotations

from typing import Any

import keras

_SOFTMAXES = (keras.activations.softmax, keras.activations.log_softmax)


def softmax_head(model: Any) -> Any:
    """The operation at the end of a model whose result is a softmax over the classes; None if there is none.

    Args:
        model: any Keras model; one that is neither functional nor sequential has none.
    """
    if isinstance(model, keras.Sequential):
        used = list(model.layers)
        last = used[-1]
    elif not isinstance(model, keras.Function):
        return None
    else:
        used = [node.operation for nodes in model._nodes_by_depth.values() for node in nodes]
        last = model.outputs[0]._keras_history.operation
    if sum(operation is last for operation in used) > 1:
        return None
    if isinstance(last, keras.Model):
        return softmax_head(last)
    if isinstance(last, (keras.layers.Dense, keras.layers.Activation)):
        return last if last.activation in _SOFTMAXES else None
    # Keras' own classes of `ops.softmax` and `ops.log_softmax` are not public.
    return last if type(last).__name__ in ("Softmax", "LogSoftmax") and last.axis in (-1, 1) else None
