"""Maxima and means along time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from .held import Held
from .products import features_last, with_zeros
from .site import Site

ops, layers = keras.ops, keras.layers
_POOLS = {
    ("max", 1): layers.MaxPooling1D,
    ("max", 2): layers.MaxPooling2D,
    ("mean", 1): layers.AveragePooling1D,
    ("mean", 2): layers.AveragePooling2D,
}


def _of_axes(given: Sequence[int], axes: int) -> tuple[int, ...]:
    return tuple(given) * axes if len(given) == 1 else tuple(given)


def _pooled(at: Site, kind: str, tensor: Any, sizes: Sequence[int], steps: Sequence[int]) -> Any:
    pool = _POOLS[kind, len(sizes)]
    settings = (sizes[0], steps[0]) if len(sizes) == 1 else (tuple(sizes), tuple(steps))
    return pool(*settings, name=at.name())(tensor)


def _whole_steps(at: Site, x: Held, sizes: Sequence[int], steps: Sequence[int], widths: Sequence[int]) -> None:
    """Refuse pools that would end beyond the last element."""
    for length, size, step, width in zip(x.shape[2:], sizes, steps, widths, strict=True):
        if (length + 2 * width - size) % step:
            raise at.refuse(f"ceil_mode=True and {length} elements in steps of {step}", "ceil_mode=False")


def _maxima(
    at: Site,
    x: Held,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil_mode: bool = False,
) -> Held:
    tensor, order = features_last(x)
    sizes, widths = (_of_axes(part, x.rank - 2) for part in (kernel_size, padding))
    steps = _of_axes(stride or kernel_size, x.rank - 2)
    if set(dilation) != {1}:
        raise at.refuse("dilation", "pools without gaps")
    if ceil_mode:
        _whole_steps(at, x, sizes, steps, widths)
    for axis, width in enumerate(widths, start=1):
        tensor = _repeated_ends(tensor, axis, width)
    return Held(_pooled(at, "max", tensor, sizes, steps), order)


def _repeated_ends(tensor: Any, axis: int, width: int) -> Any:
    """The tensor with its first and last element along an axis again, which changes no maximum that has them anyway.

    PyTorch pads with -∞, which no int8 scale can hold.
    """
    if not width:
        return tensor
    before = (slice(None),) * axis
    first, last = tensor[(*before, slice(0, 1))], tensor[(*before, slice(tensor.shape[axis] - 1, None))]
    return ops.concatenate([*[first] * width, tensor, *[last] * width], axis=axis)


def _means(
    at: Site,
    x: Held,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Held:
    tensor, order = features_last(x)
    sizes, widths = (_of_axes(part, x.rank - 2) for part in (kernel_size, padding))
    steps = _of_axes(stride or kernel_size, x.rank - 2)
    if divisor_override is not None or (any(widths) and not count_include_pad):
        raise at.refuse("another divisor than the pool's size", "count_include_pad=True, divisor_override=None")
    if ceil_mode:
        _whole_steps(at, x, sizes, steps, widths)
    if any(widths):
        tensor = with_zeros(at, tensor, widths)
    return Held(_pooled(at, "mean", tensor, sizes, steps), order)


def _adaptive(kind: str) -> Callable[..., Held]:
    def pooled(at: Site, x: Held, output_size: Sequence[int]) -> Held:
        tensor, order = features_last(x)
        wanted = _of_axes(output_size, x.rank - 2)
        sizes = [length // count for length, count in zip(x.shape[2:], wanted, strict=True)]
        if set(wanted) == {1}:
            axes = tuple(range(1, x.rank - 1))
            return Held((ops.mean if kind == "mean" else ops.max)(tensor, axis=axes, keepdims=True), order)
        if any(length % count for length, count in zip(x.shape[2:], wanted, strict=True)):
            raise at.refuse(
                f"{list(x.shape[2:])} elements in {list(wanted)} parts", "a number of parts that divides them"
            )
        return Held(_pooled(at, kind, tensor, sizes, sizes), order)

    return pooled


OPERATIONS: dict[str, Callable[..., Any]] = {
    "max_pool1d": _maxima,
    "max_pool2d": _maxima,
    "avg_pool1d": _means,
    "avg_pool2d": _means,
    "adaptive_avg_pool1d": _adaptive("mean"),
    "adaptive_avg_pool2d": _adaptive("mean"),
    "adaptive_max_pool1d": lambda at, x, output_size: (_adaptive("max")(at, x, output_size), None),
}
