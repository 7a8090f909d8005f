"""Operations that move, select or join elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import keras
import numpy as np

from .held import Held, inverse, without
from .site import Site

ops = keras.ops
_END = 2**63 - 1


def _same(at: Site, x: Held, **settings: Any) -> Held:
    return x


def _dropout(at: Site, x: Held, p: float, train: bool) -> Held:
    if train:
        raise at.refuse("train=True", "torch.export.export(network.eval(), …)")
    return x


def _transposed(at: Site, x: Held, dim0: int, dim1: int) -> Held:
    dims = list(range(x.rank))
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return x.permuted(dims)


def _permuted(at: Site, x: Held, dims: Sequence[int]) -> Held:
    return x.permuted(dims)


def _reshaped(at: Site, x: Held, size: Sequence[int] = (), shape: Sequence[int] = ()) -> Held:
    wanted = list(size or shape)
    if -1 in wanted:
        wanted[wanted.index(-1)] = prod(x.shape) // -prod(wanted)
    return Held.of(ops.reshape(x.plain(), tuple(wanted)))


def _flat(at: Site, x: Held, start_dim: int = 0, end_dim: int = -1) -> Held:
    start, end = start_dim % x.rank, end_dim % x.rank
    return _reshaped(at, x, (*x.shape[:start], prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


def _unflattened(at: Site, x: Held, dim: int, sizes: Sequence[int]) -> Held:
    dim %= x.rank
    sizes = [size if size >= 0 else x.shape[dim] // -prod(sizes) for size in sizes]
    axis = x.order[dim]
    shape = (*x.tensor.shape[:axis], *sizes, *x.tensor.shape[axis + 1 :])
    moved = [other + (len(sizes) - 1) * (other > axis) for other in x.order]
    order = (*moved[:dim], *range(axis, axis + len(sizes)), *moved[dim + 1 :])
    return Held(Held.of(ops.reshape(x.tensor, shape)).tensor, tuple(order))


def unsqueezed(at: Site, x: Held, dim: int) -> Held:
    """An axis of one element at ``dim``, which is the tensor's last."""
    dim %= x.rank + 1
    return Held(Held.of(ops.expand_dims(x.tensor, -1)).tensor, (*x.order[:dim], x.rank, *x.order[dim:]))


def _squeezed(at: Site, x: Held, dim: int | Sequence[int] | None = None) -> Held:
    dims = range(x.rank) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = [one % x.rank for one in dims if x.shape[one % x.rank] == 1]
    if not gone:
        return x
    tensor = Held.of(ops.squeeze(x.tensor, tuple(x.order[one] for one in gone))).tensor
    return Held(tensor, without(x.order, gone))


def _cut(x: Held, dim: int, cut: slice | int) -> Any:
    return Held.of(x.tensor[(slice(None),) * x.axis(dim) + (cut,)]).tensor


def _selected(at: Site, x: Held, dim: int, index: int) -> Held:
    dim %= x.rank
    index %= x.shape[dim]
    return x.known.get((dim, index)) or Held(_cut(x, dim, index), without(x.order, [dim]))


def _sliced(at: Site, x: Held, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Held:
    begin, stop, step = slice(start, None if end == _END else end, step).indices(x.shape[dim])
    if (begin, stop, step) == (0, x.shape[dim], 1):
        return x
    return x.with_tensor(_cut(x, dim, slice(begin, stop, step)))


def _split(at: Site, x: Held, split_size: int | Sequence[int], dim: int = 0) -> list[Held]:
    length = x.shape[dim]
    sizes = [split_size] * -(-length // split_size) if isinstance(split_size, int) else list(split_size)
    starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    return [_sliced(at, x, dim, start, start + size) for start, size in zip(starts, sizes, strict=False)]


def _chunked(at: Site, x: Held, chunks: int, dim: int = 0) -> list[Held]:
    return _split(at, x, -(-x.shape[dim] // chunks), dim)


def _unbound(at: Site, x: Held, dim: int = 0) -> list[Held]:
    return [_selected(at, x, dim, index) for index in range(x.shape[dim])]


def joined(at: Site, tensors: Sequence[Held], dim: int = 0) -> Held:
    """Values one after the other along an axis."""
    lead = next((x for x in tensors if not x.constant), tensors[0])
    return lead.with_tensor(ops.concatenate([x.like(lead) for x in tensors], axis=lead.axis(dim)))


def stacked(at: Site, tensors: Sequence[Held], dim: int = 0) -> Held:
    """Values beside each other along an axis of their own; each remains known by itself."""
    whole = joined(at, [unsqueezed(at, x, dim) for x in tensors], dim)
    known = {(dim % whole.rank, index): x for index, x in enumerate(tensors)}
    return Held(whole.tensor, whole.order, known)


def _expanded(at: Site, x: Held, size: Sequence[int], implicit: bool = False) -> Held:
    x = x.widened(len(size))
    shape = tuple(old if new == -1 else new for old, new in zip(x.shape, size, strict=True))
    if shape == x.shape:
        return x
    return x.with_tensor(ops.broadcast_to(x.tensor, [shape[dim] for dim in inverse(x.order)]))


def _padded(at: Site, x: Held, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Held:
    if mode != "constant" or value:
        raise at.refuse(f"mode {mode!r}, value {value}", "padding with zeros")
    widths = [(0, 0)] * x.rank
    for count, start in enumerate(range(0, len(pad), 2), start=1):
        widths[x.axis(-count)] = (pad[start], pad[start + 1])
    return x.with_tensor(ops.pad(x.tensor, widths))


def _flipped(at: Site, x: Held, dims: Sequence[int]) -> Held:
    return x.with_tensor(ops.flip(x.tensor, [x.axis(dim) for dim in dims]))


def _full(at: Site, size: Sequence[int], fill_value: float = 0.0, **settings: Any) -> Held:
    return Held.of(np.full(size, fill_value, np.float32))


def _looked_up(at: Site, weight: Held, indices: Held, **settings: Any) -> Held:
    """Rows of a table, as those of positions are."""
    return Held.of(at.array(weight, "a table")[at.array(indices, "positions")])


OPERATIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("contiguous", "clone", "alias", "detach", "to", "type_as", "lift_fresh_copy", "float"), _same),
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropout),
    **dict.fromkeys(("view", "reshape", "unsafe_view"), _reshaped),
    "transpose": _transposed,
    "swapaxes": lambda at, x, axis0, axis1: _transposed(at, x, axis0, axis1),
    "t": lambda at, x: x.permuted(range(x.rank)[::-1]),
    "permute": _permuted,
    "flatten": _flat,
    "unflatten": _unflattened,
    "unsqueeze": unsqueezed,
    "squeeze": _squeezed,
    "select": _selected,
    "slice": _sliced,
    "narrow": lambda at, x, dim, start, length: _sliced(at, x, dim, start, start + length),
    "split": _split,
    "split_with_sizes": lambda at, x, split_sizes, dim=0: _split(at, x, split_sizes, dim),
    "chunk": _chunked,
    "unbind": _unbound,
    "cat": joined,
    "stack": stacked,
    "expand": _expanded,
    "pad": _padded,
    "constant_pad_nd": lambda at, x, pad, value=0: _padded(at, x, pad, value=value),
    "flip": _flipped,
    "zeros": _full,
    "ones": lambda at, size, **settings: _full(at, size, 1.0),
    "full": _full,
    "arange": lambda at, end, start=0, step=1, **settings: Held.of(np.arange(start, end, step)),
    "embedding": _looked_up,
}
