"""A Keras model as operations of a graph, layer by layer: functional, sequential or nested in each other.

A layer that has no rewriting is called as it is; the lint then checks whether the target has its operations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from deseptr.convert.lowering.blocks import Lowered
from deseptr.convert.steps import begin
from deseptr.train.training_loop import fixed_batch

from . import activations, attention, linear, moving, norms, recurrent
from .affine import Affine, computed
from .last_dense import last_dense
from .refused import refuse, refuse_listed

LAYERS: dict[Any, Callable[..., Any]] = {
    **activations.LAYERS,
    **attention.LAYERS,
    **linear.LAYERS,
    **moving.LAYERS,
    **norms.LAYERS,
    **recurrent.LAYERS,
}
_BATCH = 64
_FLAT = 2
# Layers that treat every position of a sequence alike.
_OF_EVERY_STEP = (keras.layers.Dense, keras.layers.Activation, keras.layers.Dropout, keras.layers.LayerNormalization)


def lower_network(model: Any, window: Affine | tf.Tensor, *, head: Any = None) -> Lowered:
    """The model's output for one window, and what its last dense layer reads.

    Args:
        model: the Keras model.
        window: ``[1, window_length, channels]``, in SI units or as a tensor with its factors.
        head: the operation whose softmax is left out, of :func:`.softmax_head.softmax_head`.

    Raises:
        ConversionError: names the layer that cannot be rewritten.
    """
    walk = _Walk(head, LAYERS, last_dense(model))
    return Lowered(computed(walk.run(model, window)), walk.features)


def keras_logits(model: Any, windows: NDArray[np.float32], head: Any) -> NDArray[np.float32]:
    """The model's own outputs ``[window, classes]``, by its layers as they are, but for the softmax of ``head``."""
    walk = _Walk(head, {})
    size = fixed_batch(model) or _BATCH
    run = tf.function(
        lambda batch: walk.run(model, batch),
        input_signature=[tf.TensorSpec((size if fixed_batch(model) else None, *windows.shape[1:]), tf.float32)],
        autograph=False,
    )
    batches = (windows[start : start + size] for start in range(0, len(windows), size))
    return np.concatenate([np.asarray(run(tf.constant(batch))) for batch in batches])


def layers_of(model: Any) -> Iterator[Any]:
    """All layers of a model, those of nested models and of wrappers too."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


class _Walk:
    """The walk through a model."""

    def __init__(self, head: Any, lowerings: Mapping[Any, Callable[..., Any]], dense: Any = None) -> None:
        self._head, self._lowerings, self._dense = head, lowerings, dense
        self.features: tf.Tensor | None = None

    def run(self, model: Any, inputs: Any) -> Any:
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                inputs = self.lower(layer, inputs)
            return inputs
        if not isinstance(model, keras.Function):
            return model(computed(inputs), training=False)
        # The one way through a functional model that hands each operation's arguments on as they were called.
        return model._run_through_graph(inputs, operation_fn=lambda operation: _Bound(self, operation))

    def lower(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        """Outputs of a layer or an operation of ``keras.ops``."""
        if isinstance(operation, keras.Model):
            with tf.name_scope(_scope(operation)):
                return self.run(operation, args[0])
        refuse_listed(operation)
        given = {name: value for name, value in kwargs.items() if name not in ("training", "mask")}
        if kwargs.get("mask") is not None:
            raise refuse(operation, "a mask", "the model without masks; windows have no padding")
        begin(f"rewriting layer {operation.name!r} ({type(operation).__name__})")
        lowering: Callable[..., Any] = self._lowerings.get(
            _kind(operation), _unlisted if self._lowerings else _as_it_is
        )
        if operation is self._dense:
            self.features = _features(args[0])
        with tf.name_scope(_scope(operation)):
            if operation is self._head:
                return _before_softmax(operation, lowering, *args)
            if type(operation) is keras.layers.TimeDistributed and self._lowerings:
                return self._each_step(operation.layer, args[0])
            return lowering(operation, *args, **given)

    def _each_step(self, layer: Any, sequence: Any) -> Any:
        if type(layer) in _OF_EVERY_STEP:
            return self.lower(layer, sequence)
        x = computed(sequence)
        return tf.stack([computed(self.lower(layer, x[:, t])) for t in range(x.shape[1])], axis=1)


class _Bound:
    """An operation that is called as the walk does it."""

    def __init__(self, walk: _Walk, operation: Any) -> None:
        self._walk, self._operation = walk, operation

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._walk.lower(self._operation, *args, **kwargs)


def _as_it_is(operation: Any, *args: Any, **kwargs: Any) -> Any:
    args, kwargs = keras.tree.map_structure(computed, (args, kwargs))
    return operation(*args, **kwargs)


def _unlisted(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """A layer without a rewriting, whose activation may have one."""
    if kwargs or len(args) != 1:
        return _as_it_is(operation, *args, **kwargs)
    return linear.activated_apart(operation, *args)


def _before_softmax(operation: Any, lowering: Callable[..., Any], x: Any) -> Any:
    if not hasattr(operation, "kernel"):
        return computed(x)
    activation, operation.activation = operation.activation, keras.activations.linear
    try:
        return lowering(operation, x)
    finally:
        operation.activation = activation


def _features(value: Any) -> tf.Tensor | None:
    """The tensor of a value, before a factor and an offset that go into the weights; None unless ``[1, n]``."""
    tensor = value.tensor if isinstance(value, Affine) else value
    return tensor if len(tensor.shape) == _FLAT else None


def _kind(operation: Any) -> Any:
    if isinstance(operation, keras.layers.Layer):
        return type(operation)
    return f"ops.{type(operation).__name__}"


def _scope(operation: Any) -> str:
    """The name of a layer as TensorFlow allows it in a scope."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", operation.name)
    return name if name[0].isalnum() else f"layer{name}"
