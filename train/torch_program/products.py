"""Linear layers, convolutions, products of matrices and attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from .held import Held, inverse
from .site import Site

ops, layers = keras.ops, keras.layers


def features_last(x: Held) -> tuple[Any, tuple[int, ...]]:
    """The tensor with the value's second axis last, as ``[batch, time, features]``, and the order of such a result."""
    dims = (0, *range(2, x.rank), 1)
    return x.arranged(dims), inverse(dims)


def _linear(at: Site, x: Held, weight: Held, bias: Held | None = None) -> Held:
    x = x if x.axis(-1) == x.rank - 1 else Held.of(x.plain())
    weights = [at.array(weight, "a weight").T] + ([] if bias is None else [at.array(bias, "a bias")])
    dense = layers.Dense(weights[0].shape[1], use_bias=bias is not None, name=at.name())
    return x.with_tensor(at.apply(dense, x.tensor, weights))


def _convolution(
    at: Site,
    x: Held,
    weight: Held,
    bias: Held | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] | str = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Held:
    kernel = at.array(weight, "a kernel")
    axes = kernel.ndim - 2
    if x.rank != axes + 2:
        raise at.refuse(f"a value of {x.rank} axes", "a batch of one window")
    steps, rates = (tuple(part) * axes if len(part) == 1 else tuple(part) for part in (stride, dilation))
    tensor, order = features_last(x)
    tensor, way = _padding(at, tensor, kernel.shape[2:], steps, rates, padding)
    settings: dict[str, Any] = {
        "strides": steps if axes > 1 else steps[0],
        "dilation_rate": rates if axes > 1 else rates[0],
        "padding": way,
        "use_bias": bias is not None,
        "name": at.name(),
    }
    outputs, of_group = kernel.shape[:2]
    if of_group == 1 and groups == tensor.shape[-1] > 1 and len(set(steps)) == 1:
        kind = layers.DepthwiseConv1D if axes == 1 else layers.DepthwiseConv2D
        layer = kind(kernel.shape[2:], depth_multiplier=outputs // groups, **settings)
        array = np.moveaxis(kernel.reshape(groups, outputs // groups, *kernel.shape[2:]), (0, 1), (-2, -1))
    else:
        kind = layers.Conv1D if axes == 1 else layers.Conv2D
        layer = kind(outputs, kernel.shape[2:], groups=groups, **settings)
        array = np.moveaxis(kernel, (1, 0), (-2, -1))
    weights = [array] + ([] if bias is None else [at.array(bias, "a bias")])
    return Held(at.apply(layer, tensor, weights), order)


def _padding(
    at: Site,
    tensor: Any,
    taps: Sequence[int],
    steps: Sequence[int],
    rates: Sequence[int],
    padding: Sequence[int] | str,
) -> tuple[Any, str]:
    """The tensor padded with zeros, and the padding that is left to Keras' layer."""
    if isinstance(padding, str):
        return tensor, padding
    widths = tuple(padding) * len(taps) if len(padding) == 1 else tuple(padding)
    if not any(widths):
        return tensor, "valid"
    symmetric = all(2 * width == (tap - 1) * rate for width, tap, rate in zip(widths, taps, rates, strict=True))
    if symmetric and set(steps) == {1}:
        return tensor, "same"
    return with_zeros(at, tensor, widths), "valid"


def with_zeros(at: Site, tensor: Any, widths: Sequence[int]) -> Any:
    """A tensor ``[batch, …, features]`` with zeros before and after along each axis between."""
    layer = layers.ZeroPadding1D if len(widths) == 1 else layers.ZeroPadding2D
    return layer(widths[0] if len(widths) == 1 else tuple(widths), name=at.name("padding"))(tensor)


def _matmul(at: Site, x: Held, other: Held) -> Held:
    return Held.of(ops.matmul(x.plain(), other.plain()))


def _attention(
    at: Site,
    query: Held,
    key: Held,
    value: Held,
    attn_mask: Held | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Held:
    """Attention of ``[batch, heads, queries, features]``: softmax(scale · q·kᵀ)·v."""
    if attn_mask is not None or is_causal:
        raise at.refuse("a mask, whose infinite scores no int8 step can hold", "attention without a mask")
    if enable_gqa:
        raise at.refuse("enable_gqa=True", "as many heads of keys as of queries")
    scaled = query.with_tensor(query.tensor * (query.shape[-1] ** -0.5 if scale is None else scale))
    turned = key.permuted((*range(key.rank - 2), key.rank - 1, key.rank - 2))
    scores = layers.Softmax(name=at.name("softmax"))(ops.matmul(scaled.plain(), turned.plain()))
    return Held.of(ops.matmul(scores, value.plain()))


OPERATIONS: dict[str, Callable[..., Any]] = {
    "linear": _linear,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "matmul": _matmul,
    "bmm": lambda at, x, mat2: _matmul(at, x, mat2),
    "mm": lambda at, x, mat2: _matmul(at, x, mat2),
    "scaled_dot_product_attention": _attention,
}
