"""Values of a program whose axes lie in another order than in PyTorch.

PyTorch convolves ``[batch, features, time]``, everything here ``[batch, time, features]``. A transposition is therefore
not computed but remembered, and the convolution after it finds its axes where it wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

ops = keras.ops


@dataclass(frozen=True, eq=False)
class Held:
    """A value.

    Args:
        tensor: a Keras tensor, or an array if it depends on no window.
        order: axis i of the value is axis ``order[i]`` of the tensor.
        known: slices that exist by themselves, by axis and index of the value.
    """

    tensor: Any
    order: tuple[int, ...]
    known: Mapping[tuple[int, int], Held] = field(default_factory=dict)

    @classmethod
    def of(cls, tensor: Any) -> Held:
        """A value whose axes are those of a tensor; what was computed of arrays alone becomes an array."""
        if not isinstance(tensor, keras.KerasTensor):
            tensor = np.asarray(tensor)
        return cls(tensor, tuple(range(len(tensor.shape))))

    @property
    def constant(self) -> bool:
        """Whether it depends on no window."""
        return isinstance(self.tensor, np.ndarray)

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.order)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in PyTorch."""
        return tuple(self.tensor.shape[axis] for axis in self.order)

    def axis(self, dim: int) -> int:
        """The tensor's axis that is the value's axis ``dim``, which may be negative."""
        return self.order[dim % self.rank]

    def with_tensor(self, tensor: Any) -> Held:
        """Another tensor with its axes in the same order."""
        return Held(Held.of(tensor).tensor, self.order)

    def permuted(self, dims: Sequence[int]) -> Held:
        """The value with its axes in another order; nothing is computed."""
        return Held(self.tensor, tuple(self.axis(dim) for dim in dims))

    def arranged(self, dims: Sequence[int]) -> Any:
        """The tensor whose axis i is the value's axis ``dims[i]``."""
        wanted = [self.order[dim] for dim in dims]
        if wanted == sorted(wanted):
            return self.tensor
        shape = [self.tensor.shape[axis] for axis in wanted]
        long = [axis for axis in wanted if self.tensor.shape[axis] != 1]
        if self.constant:
            return np.transpose(self.tensor, wanted)
        # Axes of one element may stand anywhere.
        return ops.reshape(self.tensor, shape) if long == sorted(long) else ops.transpose(self.tensor, wanted)

    def plain(self) -> Any:
        """The tensor with the axes of PyTorch."""
        return self.arranged(range(self.rank))

    def like(self, other: Held) -> Any:
        """The tensor with its axes as those of another value of the same rank lie."""
        return self.arranged(inverse(other.order))

    def widened(self, rank: int) -> Held:
        """The value with axes of one element before its own."""
        added = rank - self.rank
        if not added:
            return self
        shape = (1,) * added + tuple(self.tensor.shape)
        tensor = self.tensor.reshape(shape) if self.constant else ops.reshape(self.tensor, shape)
        return Held(tensor, tuple(range(added)) + tuple(axis + added for axis in self.order))


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def renumbered(axes: Iterable[int]) -> tuple[int, ...]:
    """Axes of a tensor counted anew after others have been taken out."""
    axes = list(axes)
    rank = {axis: position for position, axis in enumerate(sorted(axes))}
    return tuple(rank[axis] for axis in axes)


def without(order: Sequence[int], dims: Iterable[int]) -> tuple[int, ...]:
    """The order of what is left when some of a value's axes are taken out."""
    gone = set(dims)
    return renumbered(axis for dim, axis in enumerate(order) if dim not in gone)
