"""Dense layers and convolutions: the factors of a window go into their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deseptr.convert.lowering.blocks import Array, constant, values

from .activations import ACTIVATIONS, activate
from .affine import Affine, computed, folded


def weight(variable: Any) -> Array | None:
    """A weight in double precision; None for a layer without."""
    return None if variable is None else values(variable)


def bias_of(layer: Any, count: int) -> Array:
    """A layer's bias, zeros if it has none."""
    found = weight(layer.bias)
    return np.zeros(count) if found is None else found


def _dense(layer: Any, x: Any) -> tf.Tensor:
    if not isinstance(x, Affine):
        return activated_apart(layer, x)
    kernel = values(layer.kernel)
    tensor, kernel, bias = folded(x, kernel, bias_of(layer, kernel.shape[-1]))
    y = keras.ops.matmul(tensor, constant(kernel)) + constant(bias)
    return activate(layer.activation, y)


def activated_apart(layer: Any, *inputs: Any) -> Any:
    """Call a layer as it is, but for an activation that has a rewriting."""
    activation = getattr(layer, "activation", None)
    arguments = [computed(value) for value in inputs]
    if activation not in ACTIVATIONS:
        return layer(*arguments)
    layer.activation = keras.activations.linear
    try:
        y = layer(*arguments)
    finally:
        layer.activation = activation
    return activate(activation, y)


def _convolution(layer: Any, x: Any) -> tf.Tensor:
    """A convolution, plain or grouped; ``kernel`` is ``[*taps, inputs / groups, outputs]``."""
    parts = _foldable(layer, x)
    if parts is None:
        return activated_apart(layer, x)
    factor, offset = parts
    kernel = values(layer.kernel)
    outputs, groups = kernel.shape[-1], layer.groups
    of_group = [np.repeat(part.reshape(groups, -1).T, outputs // groups, axis=1) for part in parts]
    bias = bias_of(layer, outputs) + (kernel * of_group[1]).sum(axis=tuple(range(kernel.ndim - 1)))
    tensor, padding = _padded(layer, x.tensor, factor, offset)
    y = keras.ops.conv(
        tensor,
        constant(kernel * of_group[0]),
        strides=layer.strides,
        padding=padding,
        data_format="channels_last",
        dilation_rate=layer.dilation_rate,
    )
    return activate(layer.activation, y + constant(bias))


def _depthwise(layer: Any, x: Any) -> tf.Tensor:
    """A depthwise convolution; ``kernel`` is ``[*taps, inputs, multiplier]``."""
    parts = _foldable(layer, x)
    if parts is None:
        return activated_apart(layer, x)
    y = _depthwise_product(layer, x, values(layer.kernel), *parts)
    return activate(layer.activation, y + constant(bias_of(layer, y.shape[-1])))


def _separable(layer: Any, x: Any) -> tf.Tensor:
    """A depthwise convolution and a pointwise one."""
    parts = _foldable(layer, x)
    if parts is None:
        return activated_apart(layer, x)
    y = _depthwise_product(layer, x, values(layer.depthwise_kernel), *parts)
    pointwise = constant(values(layer.pointwise_kernel))
    y = keras.ops.conv(y, pointwise, strides=1, padding="valid", data_format="channels_last")
    return activate(layer.activation, y + constant(bias_of(layer, y.shape[-1])))


def _depthwise_product(layer: Any, x: Affine, kernel: Array, factor: Array, offset: Array) -> tf.Tensor:
    tensor, padding = _padded(layer, x.tensor, factor, offset)
    y = keras.ops.depthwise_conv(
        tensor,
        constant(kernel * factor[:, None]),
        strides=layer.strides,
        padding=padding,
        data_format="channels_last",
        dilation_rate=layer.dilation_rate,
    )
    added = (kernel * offset[:, None]).sum(axis=tuple(range(kernel.ndim - 2))).reshape(-1)
    return y + constant(added) if added.any() else y


def _foldable(layer: Any, x: Any) -> tuple[Array, Array] | None:
    parts = x.per_feature() if isinstance(x, Affine) and layer.data_format == "channels_last" else None
    return parts if parts is not None and (parts[0] != 0).all() else None


def _padded(layer: Any, tensor: tf.Tensor, factor: Array, offset: Array) -> tuple[tf.Tensor, str]:
    """The tensor padded with what stands for the layer's zeros, and the padding that is left to the convolution."""
    if layer.padding == "valid" or (layer.padding == "same" and not offset.any()):
        return tensor, layer.padding
    for axis, (taps, stride, dilation) in enumerate(
        zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True), start=1
    ):
        reach = (taps - 1) * dilation
        if layer.padding == "causal":
            before, after = reach, 0
        else:
            length = tensor.shape[axis]
            missing = max((-(-length // stride) - 1) * stride + reach + 1 - length, 0)
            before, after = missing // 2, missing - missing // 2
        tensor = _extended(tensor, axis, before, after, -offset / factor)
    return tensor, "valid"


def _zero_padding(layer: Any, x: Any) -> Any:
    """A layer that adds zeros to a window, or what stands for them."""
    parts = _foldable(layer, x)
    if parts is None:
        return layer(computed(x))
    widths = [layer.padding] if isinstance(layer, keras.layers.ZeroPadding1D) else layer.padding
    tensor = x.tensor
    for axis, (before, after) in enumerate(widths, start=1):
        tensor = _extended(tensor, axis, before, after, -parts[1] / parts[0])
    return Affine.of(tensor, *parts)


def _extended(tensor: tf.Tensor, axis: int, before: int, after: int, zero: Array) -> tf.Tensor:
    if not zero.any():
        return tf.pad(tensor, [(before, after) if i == axis else (0, 0) for i in range(len(tensor.shape))])

    def constants(count: int) -> list[tf.Tensor]:
        shape = [count if i == axis else size for i, size in enumerate(tensor.shape)]
        return [constant(np.broadcast_to(zero, shape))] if count else []

    return tf.concat([*constants(before), tensor, *constants(after)], axis=axis)


LAYERS: dict[Any, Callable[..., Any]] = {
    keras.layers.Dense: _dense,
    keras.layers.Conv1D: _convolution,
    keras.layers.Conv2D: _convolution,
    keras.layers.DepthwiseConv1D: _depthwise,
    keras.layers.DepthwiseConv2D: _depthwise,
    keras.layers.SeparableConv1D: _separable,
    keras.layers.SeparableConv2D: _separable,
    keras.layers.ZeroPadding1D: _zero_padding,
    keras.layers.ZeroPadding2D: _zero_padding,
}
