"""Norms over features or groups: means, products and RSQRT, which have int8 kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from deseptr.convert.lowering.blocks import constant, values

from .affine import computed


def _normed(x: tf.Tensor, axes: Sequence[int], epsilon: float, *, centred: bool = True) -> tf.Tensor:
    """(x − mean) / √(variance + ε) over some axes; without ``centred`` the mean counts as zero."""
    if centred:
        x = x - tf.reduce_mean(x, axes, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axes, keepdims=True) + epsilon)


def _scaled(layer: Any, x: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Gamma and beta, as far as the layer has them."""
    gamma, beta = getattr(layer, "gamma", None), getattr(layer, "beta", None)
    if gamma is not None:
        x = x * constant(values(gamma).reshape(shape))
    return x if beta is None else x + constant(values(beta).reshape(shape))


def _layer_norm(layer: Any, x: Any) -> tf.Tensor:
    x = computed(x)
    if layer.rms_scaling:
        return layer(x)
    axes = sorted(axis % len(x.shape) for axis in layer.axis)
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    return _scaled(layer, _normed(x, axes, layer.epsilon), shape)


def _rms_norm(layer: Any, x: Any) -> tf.Tensor:
    x = computed(x)
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    axes = sorted(axis % len(x.shape) for axis in axes)
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    y = _normed(x, axes, layer.epsilon, centred=False)
    return y * constant(values(layer.scale).reshape(shape))


def _group_norm(layer: Any, x: Any) -> tf.Tensor:
    """Mean and variance over time and the features of a group, as ``[1, time, groups, features]``."""
    x = computed(x)
    if layer.axis not in (-1, len(x.shape) - 1):
        return layer(x)
    features, shape = x.shape[-1], x.shape
    grouped = tf.reshape(x, (1, -1, layer.groups, features // layer.groups))
    normed = tf.reshape(_normed(grouped, (1, 3), layer.epsilon), shape)
    return _scaled(layer, normed, [1] * (len(shape) - 1) + [features])


LAYERS: dict[Any, Callable[..., Any]] = {
    keras.layers.LayerNormalization: _layer_norm,
    keras.layers.RMSNormalization: _rms_norm,
    keras.layers.GroupNormalization: _group_norm,
}
