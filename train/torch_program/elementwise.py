"""Operations on each element, and sums over some: the order of the axes stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from .held import Held, without
from .site import Site

ops, layers = keras.ops, keras.layers
Operand = Held | float


def both(apply: Callable[[Any, Any], Any], x: Operand, y: Operand) -> Held:
    """An operation on two values, or on a value and a number, with axes of one element repeated."""
    if not isinstance(x, Held):
        return y.with_tensor(apply(x, y.tensor)) if isinstance(y, Held) else Held.of(np.float32(apply(x, y)))
    if not isinstance(y, Held):
        return x.with_tensor(apply(x.tensor, y))
    rank = max(x.rank, y.rank)
    x, y = x.widened(rank), y.widened(rank)
    if x.constant:
        return y.with_tensor(apply(x.like(y), y.tensor))
    return x.with_tensor(apply(x.tensor, y.like(x)))


def added(x: Any, y: Any) -> Any:
    """The sum of two tensors.

    Keras takes a second summand with a single long axis for a bias of the features, whichever axis it is; a difference
    it takes as it is.
    """
    shape = tuple(getattr(y, "shape", ()))
    long = [axis for axis, size in enumerate(shape) if size != 1]
    if len(long) == 1 and (long[0] != len(shape) - 1 or x.shape[-1] != shape[-1]):
        return ops.subtract(x, -y if isinstance(y, np.ndarray) else ops.negative(y))
    return ops.add(x, y)


def _sum(at: Site, x: Operand, other: Operand, alpha: float = 1) -> Held:
    return both(added, x, other if alpha == 1 else both(ops.multiply, other, alpha))


def _difference(at: Site, x: Operand, other: Operand, alpha: float = 1) -> Held:
    return both(ops.subtract, x, other if alpha == 1 else both(ops.multiply, other, alpha))


def _binary(apply: Callable[[Any, Any], Any]) -> Callable[..., Held]:
    return lambda at, x, other: both(apply, x, other)


def _unary(apply: Callable[[Any], Any]) -> Callable[..., Held]:
    return lambda at, x: x.with_tensor(apply(x.tensor))


def activated(at: Site, x: Held, layer: Callable[[str], Any]) -> Held:
    """The result of an activation layer, made by its name."""
    return x.with_tensor(layer(at.name())(x.tensor))


def _activation(name: str) -> Callable[..., Held]:
    return lambda at, x: activated(at, x, lambda named: layers.Activation(name, name=named))


def _leaky(at: Site, x: Held, negative_slope: float = 0.01) -> Held:
    return activated(at, x, lambda name: layers.LeakyReLU(negative_slope, name=name))


def _elu(at: Site, x: Held, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Held:
    if scale != 1 or input_scale != 1:
        raise at.refuse("scales", "elu without them")
    return activated(at, x, lambda name: layers.ELU(alpha, name=name))


def _celu(at: Site, x: Held, alpha: float = 1.0) -> Held:
    return x.with_tensor(ops.celu(x.tensor, alpha))


def _softplus(at: Site, x: Held, beta: float = 1.0, threshold: float = 20.0) -> Held:
    # From this threshold on, PyTorch's straight line is the curve to float32.
    if beta != 1 or threshold < 20:
        raise at.refuse(f"beta {beta:g}, threshold {threshold:g}", "softplus without them")
    return _activation("softplus")(at, x)


def _gelu(at: Site, x: Held, approximate: str = "none") -> Held:
    if approximate == "none":
        return activated(at, x, lambda name: layers.Activation("gelu", name=name))
    return x.with_tensor(ops.gelu(x.tensor, approximate=True))


def _clamped(at: Site, x: Held, **limits: float | None) -> Held:
    """Limits ``min`` and ``max``, which are named like functions of Python."""
    low, high = limits.get("min"), limits.get("max")
    if low == 0:
        return activated(at, x, lambda name: layers.ReLU(max_value=high, name=name))
    tensor = x.tensor if high is None else ops.minimum(x.tensor, float(high))
    return x.with_tensor(tensor if low is None else ops.maximum(tensor, float(low)))


def _hardtanh(at: Site, x: Held, min_val: float = -1.0, max_val: float = 1.0) -> Held:
    return _clamped(at, x, min=min_val, max=max_val)


def _prelu(at: Site, x: Held, weight: Held) -> Held:
    """Slopes below 0, one for all or one for each feature, which are the value's second axis."""
    slopes = at.array(weight, "slopes")
    if len(slopes) > 1:
        slopes = slopes.reshape(-1, *(1,) * (x.rank - 2))
    slope = Held.of(slopes).widened(x.rank).like(x)
    return x.with_tensor(ops.relu(x.tensor) - ops.multiply(ops.relu(-x.tensor), slope))


def _softmax(kind: str) -> Callable[..., Held]:
    def softmax(at: Site, x: Held, dim: int, dtype: Any = None) -> Held:
        axis = x.axis(dim)
        if axis == x.rank - 1:
            return activated(at, x, lambda name: layers.Activation(kind, name=name))
        return x.with_tensor(getattr(ops, kind)(x.tensor, axis=axis))

    return softmax


def _power(at: Site, x: Held, exponent: float) -> Held:
    if exponent == 2:
        return x.with_tensor(ops.square(x.tensor))
    return x.with_tensor(ops.power(x.tensor, exponent))


def _reduced(apply: Callable[..., Any]) -> Callable[..., Held]:
    def reduced(
        at: Site, x: Held, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: Any = None
    ) -> Held:
        dims = [dim] if isinstance(dim, int) else list(range(x.rank)) if not dim else list(dim)
        dims = [one % x.rank for one in dims]
        tensor = Held.of(apply(x.tensor, axis=tuple(x.order[one] for one in dims), keepdims=keepdim)).tensor
        return Held(tensor, x.order if keepdim else without(x.order, dims))

    return reduced


def _largest(at: Site, x: Held, dim: int, keepdim: bool = False) -> tuple[Held, None]:
    """Maxima, whose indices nothing here can take."""
    return _reduced(ops.max)(at, x, dim, keepdim), None


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": _sum,
    "sub": _difference,
    "rsub": lambda at, x, other, alpha=1: _difference(at, other, x, alpha),
    "mul": _binary(ops.multiply),
    "div": _binary(ops.divide),
    "maximum": _binary(ops.maximum),
    "minimum": _binary(ops.minimum),
    "neg": _unary(ops.negative),
    "abs": _unary(ops.absolute),
    "exp": _unary(ops.exp),
    "log": _unary(ops.log),
    "sqrt": _unary(ops.sqrt),
    "rsqrt": _unary(ops.rsqrt),
    "square": _unary(ops.square),
    "pow": _power,
    "relu": _activation("relu"),
    "relu6": _activation("relu6"),
    "sigmoid": _activation("sigmoid"),
    "tanh": _activation("tanh"),
    "silu": _activation("silu"),
    "selu": _activation("selu"),
    "softplus": _softplus,
    "mish": _activation("mish"),
    "hardswish": _activation("hard_silu"),
    "hardsigmoid": _activation("hard_sigmoid"),
    "leaky_relu": _leaky,
    "elu": _elu,
    "celu": _celu,
    "gelu": _gelu,
    "clamp": _clamped,
    "hardtanh": _hardtanh,
    "prelu": _prelu,
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "mean": _reduced(ops.mean),
    "sum": _reduced(ops.sum),
    "amax": _reduced(ops.max),
    "amin": _reduced(ops.min),
    "max": _largest,
}
