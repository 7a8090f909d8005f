"""Activations whose own TFLite operation has no int8 kernel in one of the runtimes, in operations that have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import keras
import tensorflow as tf

from deseptr.convert.lowering.blocks import constant, values

from .affine import computed

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, section 1


def _negative(x: tf.Tensor) -> tf.Tensor:
    """The smaller of x and 0.

    Not as MINIMUM: the converter gives its operands the scale of its result, by which x would saturate at 0 for
    whatever else reads it.
    """
    return tf.nn.relu(x * -1.0) * -1.0


def elu(x: tf.Tensor, alpha: float = 1.0) -> tf.Tensor:
    """ELU: x where it is positive, else α (eˣ − 1)."""
    return tf.nn.relu(x) + alpha * (tf.exp(_negative(x)) - 1.0)


def selu(x: tf.Tensor) -> tf.Tensor:
    """Scaled ELU."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def celu(x: tf.Tensor, alpha: float = 1.0) -> tf.Tensor:
    """Continuously differentiable ELU: x where it is positive, else α (exp(x/α) − 1)."""
    return tf.nn.relu(x) + alpha * (tf.exp(_negative(x) * (1.0 / alpha)) - 1.0)


ACTIVATIONS: dict[Any, Callable[[tf.Tensor], tf.Tensor]] = {
    keras.activations.elu: elu,
    keras.activations.selu: selu,
    keras.activations.celu: celu,
}


def activate(activation: Any, x: tf.Tensor) -> tf.Tensor:
    """Apply a layer's activation; None is linear."""
    if activation is None or activation is keras.activations.linear:
        return x
    return ACTIVATIONS.get(activation, activation)(x)


def _activation(layer: Any, x: Any) -> tf.Tensor:
    return activate(layer.activation, computed(x))


def _elu(layer: Any, x: Any) -> tf.Tensor:
    return elu(computed(x), layer.alpha)


def _prelu(layer: Any, x: Any) -> tf.Tensor:
    """α·x + (1 − α)·relu(x); Keras' own form negates, for which there is no int8 kernel."""
    x, alpha = computed(x), values(layer.alpha)
    return x * constant(alpha) + tf.nn.relu(x) * constant(1.0 - alpha)


def _relu(layer: Any, x: Any) -> tf.Tensor:
    x = computed(x)
    if layer.threshold or not layer.negative_slope:
        return layer(x)
    y = tf.nn.leaky_relu(x, float(layer.negative_slope))
    return y if layer.max_value is None else tf.minimum(y, float(layer.max_value))


def _maximum(operation: Any, x: Any, y: Any) -> tf.Tensor:
    """The larger as y + relu(x − y), for the reason of :func:`_negative`."""
    x, y = computed(x), computed(y)
    return y + tf.nn.relu(x - y)


def _minimum(operation: Any, x: Any, y: Any) -> tf.Tensor:
    """The smaller as x − relu(x − y)."""
    x, y = computed(x), computed(y)
    return x - tf.nn.relu(x - y)


def _clip(operation: Any, x: Any) -> tf.Tensor:
    return _minimum(operation, _maximum(operation, x, operation.x_min), operation.x_max)


def _merged(pair: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    return lambda layer, inputs: reduce(partial(pair, layer), inputs)


def _square(operation: Any, x: Any) -> tf.Tensor:
    x = computed(x)
    return x * x


LAYERS: dict[Any, Callable[..., Any]] = {
    keras.layers.Activation: _activation,
    keras.layers.ELU: _elu,
    keras.layers.PReLU: _prelu,
    keras.layers.ReLU: _relu,
    "ops.Elu": lambda operation, x: elu(computed(x), operation.alpha),
    "ops.Selu": lambda operation, x: selu(computed(x)),
    "ops.Celu": lambda operation, x: celu(computed(x), operation.alpha),
    keras.layers.Maximum: _merged(_maximum),
    keras.layers.Minimum: _merged(_minimum),
    "ops.Clip": _clip,
    "ops.Maximum": _maximum,
    "ops.Minimum": _minimum,
    "ops.Square": _square,
    "ops.Negative": lambda operation, x: computed(x) * -1.0,
}
