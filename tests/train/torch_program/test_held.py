"""Axes that are turned without being computed end where NumPy puts them."""

from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

from deseptr.train.torch_program import axes
from deseptr.train.torch_program.elementwise import OPERATIONS as ELEMENTWISE, added, both
from deseptr.train.torch_program.held import Held, inverse

SHAPES = st.lists(st.integers(1, 4), min_size=2, max_size=4)
AT: Any = None  # none of these operations has a layer


def turned(data: st.DataObject, array: np.ndarray) -> tuple[Held, np.ndarray]:  # noqa: C901 # a case a kind
    """A value after some operations that only move elements, and what NumPy makes of it."""
    held = Held.of(array)
    for _ in range(data.draw(st.integers(0, 4))):
        rank = array.ndim
        dim = data.draw(st.integers(-rank, rank - 1))
        match data.draw(
            st.sampled_from(["permute", "transpose", "unsqueeze", "squeeze", "select", "slice", "unflatten"])
        ):
            case "permute":
                dims = data.draw(st.permutations(range(rank)))
                held, array = held.permuted(dims), array.transpose(dims)
            case "transpose":
                held, array = axes.OPERATIONS["transpose"](AT, held, 0, dim), np.swapaxes(array, 0, dim)
            case "unsqueeze" if rank < 5:
                held, array = axes.unsqueezed(AT, held, dim), np.expand_dims(array, dim)
            case "squeeze" if rank > 1 and array.shape[dim] == 1:
                held, array = axes.OPERATIONS["squeeze"](AT, held, dim), array.squeeze(dim)
            case "select" if rank > 1:
                held, array = axes.OPERATIONS["select"](AT, held, dim, -1), np.take(array, -1, dim)
            case "slice":
                held, array = (
                    axes.OPERATIONS["slice"](AT, held, dim, 0, -1 if array.shape[dim] > 1 else 9),
                    (np.take(array, range(max(1, array.shape[dim] - 1)), dim)),
                )
            case "unflatten" if rank < 5:
                shape = list(array.shape)
                shape[dim : dim + 1 or None] = [shape[dim], 1]
                held, array = axes.OPERATIONS["unflatten"](AT, held, dim, [-1, 1]), array.reshape(shape)
    return held, array


def numbered(shape: list[int]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@settings(max_examples=60)
@given(SHAPES, st.data())
def test_value_is_what_numpy_moves(shape: list[int], data: st.DataObject):
    held, array = turned(data, numbered(shape))
    assert held.shape == array.shape
    np.testing.assert_array_equal(held.plain(), array)
    dims = data.draw(st.permutations(range(array.ndim)))
    np.testing.assert_array_equal(held.arranged(dims), array.transpose(dims))


@settings(max_examples=60)
@given(SHAPES, st.data())
def test_sums_of_turned_values_repeat_axes_like_numpy(shape: list[int], data: st.DataObject):
    x, expected_x = turned(data, numbered(shape))
    sizes = [size if data.draw(st.booleans()) else 1 for size in expected_x.shape]
    dims = data.draw(st.permutations(range(len(sizes))))
    y = numbered([sizes[dim] for dim in dims])
    other = Held.of(y).permuted(inverse(dims))
    kept = data.draw(st.integers(0, len(sizes) - 1)) if sizes[0] == 1 else 0
    for one, another in ((x, other), (other, x)):
        np.testing.assert_array_equal(both(added, one, another).plain(), expected_x + y.transpose(inverse(dims)))
    total = ELEMENTWISE["sum"](AT, x, [kept - len(sizes)], True)
    np.testing.assert_allclose(total.plain(), expected_x.sum(kept - len(sizes), keepdims=True))
    assert ELEMENTWISE["amax"](AT, x, kept).shape == expected_x.max(kept).shape
