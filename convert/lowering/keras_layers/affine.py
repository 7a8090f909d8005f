"""Values that a graph holds up to a factor and an offset of each element, such as a window over its input range.

A window divided by the input range uses all int8 steps of each channel. Multiplied back to SI units it would share one
scale between ±40 m/s² and ±10 rad/s, which costs the gyroscope two bits. The multiplication is therefore not computed:
it is carried along, through layers that only move or scale values, into the weights of the first linear layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deseptr.convert.lowering.blocks import Array, constant


@dataclass(frozen=True, eq=False)
class Affine:
    """The values ``tensor · factor + offset``, not computed.

    Args:
        tensor: the graph's tensor, batch 1.
        factor: array of the tensor's shape.
        offset: array of the tensor's shape.
    """

    tensor: tf.Tensor
    factor: Array
    offset: Array

    @classmethod
    def of(cls, tensor: tf.Tensor, factor: Any, offset: Any = 0.0) -> Affine:
        """Broadcast factor and offset to the shape of the tensor."""
        shape = tuple(tensor.shape)
        parts = (np.broadcast_to(np.asarray(part, np.float64), shape) for part in (factor, offset))
        return cls(tensor, *parts)

    @property
    def shape(self) -> tf.TensorShape:
        """Shape of the values."""
        return self.tensor.shape

    def then(self, factor: Any, offset: Any = 0.0) -> Affine:
        """The values times a factor plus an offset."""
        return Affine.of(self.tensor, self.factor * factor, self.offset * factor + offset)

    def per_feature(self) -> tuple[Array, Array] | None:
        """Factor and offset of each feature of the last axis, if they are the same for all other positions."""
        parts = [part.reshape(-1, part.shape[-1]) for part in (self.factor, self.offset)]
        if any((part != part[0]).any() for part in parts):
            return None
        return parts[0][0], parts[1][0]

    def moved(self, operation: Callable[[Any], Any]) -> Affine:
        """Apply an operation that only rearranges, selects or repeats elements."""
        return Affine(operation(self.tensor), *(eagerly(operation, part) for part in (self.factor, self.offset)))


def eagerly(operation: Callable[[Any], Any], array: Any) -> Array:
    """The result of an operation on an array, outside the graph that is traced."""
    with tf.init_scope():
        return np.asarray(operation(tf.constant(array)), np.float64)


def computed(value: Any) -> Any:
    """The tensor of a value, with factor and offset applied if it has some."""
    if not isinstance(value, Affine):
        return value
    folded = value.per_feature()
    factor, offset = (value.factor, value.offset) if folded is None else folded
    x = value.tensor
    if (factor != 1).any():
        x = x * constant(factor)
    return x + constant(offset) if offset.any() else x


def folded(value: Any, kernel: Array, bias: Array) -> tuple[tf.Tensor, Array, Array]:
    """A tensor, and kernel and bias of a linear layer over its last axis that has the layer's result on the value.

    Args:
        value: a tensor or an :class:`Affine`.
        kernel: ``[inputs, outputs]``.
        bias: ``[outputs]``.
    """
    parts = value.per_feature() if isinstance(value, Affine) else None
    if parts is None:
        return computed(value), kernel, bias
    factor, offset = parts
    return value.tensor, factor[:, None] * kernel, bias + offset @ kernel
