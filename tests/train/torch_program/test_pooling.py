"""Pools of single operations, against loops over PyTorch's axes ``[batch, features, time]``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.train.torch_program.held import Held
from deseptr.train.torch_program.pooling import OPERATIONS
from deseptr.train.torch_program.program import Layer
from deseptr.train.torch_program.site import Site

# All negative: a zero where PyTorch pads with -∞ would be the largest.
VALUES = -np.random.default_rng(0).uniform(1, 2, (1, 3, 12)).astype(np.float32)


def site(operation: str) -> Site:
    return Site(Layer("pool", "Pool"), operation, set())


def pooled(operation: str, *given: Any, **settings: Any) -> Any:
    return np.asarray(OPERATIONS[operation](site(operation), Held.of(VALUES), *given, **settings).plain())


def expected(reduce: Callable[..., Any], size: int, step: int, pad: int, filled: float) -> Any:
    padded = np.pad(VALUES, ((0, 0), (0, 0), (pad, pad)), constant_values=filled)
    starts = range(0, padded.shape[2] - size + 1, step)
    return np.stack([reduce(padded[..., at : at + size], axis=2) for at in starts], axis=2)


@pytest.mark.parametrize(("size", "step", "pad"), [(2, 2, 0), (3, 2, 1), (4, 1, 2), (3, 3, 0)])
def test_pools_with_padding(size: int, step: int, pad: int):
    maxima = pooled("max_pool1d", [size], [step], [pad])
    np.testing.assert_array_equal(maxima, expected(np.max, size, step, pad, -np.inf))
    means = pooled("avg_pool1d", [size], [step], [pad])
    np.testing.assert_allclose(means, expected(np.mean, size, step, pad, 0.0), rtol=1e-6)


def test_the_step_is_the_size_by_default():
    np.testing.assert_array_equal(pooled("max_pool1d", [4]), expected(np.max, 4, 4, 0, -np.inf))


def test_the_divisor_matters_only_where_something_is_padded():
    without = pooled("avg_pool1d", [3], [3], [0], count_include_pad=False)
    np.testing.assert_allclose(without, expected(np.mean, 3, 3, 0, 0.0), rtol=1e-6)
    with pytest.raises(ModelError, match="another divisor"):
        pooled("avg_pool1d", [3], [3], [1], count_include_pad=False)
    with pytest.raises(ModelError, match="another divisor"):
        pooled("avg_pool1d", [3], [3], [0], divisor_override=2)


def test_pools_with_gaps_are_refused():
    np.testing.assert_array_equal(pooled("max_pool1d", [2], dilation=[1]), expected(np.max, 2, 2, 0, -np.inf))
    with pytest.raises(ModelError, match=r"layer 'pool' \(Pool\): found max_pool1d with dilation"):
        pooled("max_pool1d", [2], dilation=[2])


@pytest.mark.parametrize("operation", ["max_pool1d", "avg_pool1d"])
def test_a_last_pool_beyond_the_end_is_refused(operation: str):
    assert pooled(operation, [4], [4], ceil_mode=True).shape == (1, 3, 3)
    with pytest.raises(ModelError, match="ceil_mode=True and 12 elements in steps of 5"):
        pooled(operation, [5], [5], ceil_mode=True)


@pytest.mark.parametrize("parts", [1, 3, 12])
def test_parts_of_equal_size(parts: int):
    size = 12 // parts
    np.testing.assert_allclose(pooled("adaptive_avg_pool1d", [parts]), expected(np.mean, size, size, 0, 0.0), rtol=1e-6)
    with pytest.raises(ModelError, match="a number of parts that divides them"):
        pooled("adaptive_avg_pool1d", [5])
