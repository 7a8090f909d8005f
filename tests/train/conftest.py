"""A check that every layer of this package must pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


def check(layer: Any, *inputs: np.ndarray, shapes: list[tuple[int, ...]], fits: bool = True) -> None:
    """Config round trip, output shapes, same output after it, and a gradient step that changes every weight.

    Args:
        layer: the layer.
        inputs: arrays for its call.
        shapes: expected output shapes.
        fits: whether it has weights to train.
    """
    import keras
    import tensorflow as tf

    outputs = flat(layer(*inputs))
    assert [tuple(output.shape) for output in outputs] == shapes

    clone = type(layer).from_config(layer.get_config())
    clone(*inputs)
    clone.set_weights(layer.get_weights())
    for first, second in zip(outputs, flat(clone(*inputs)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)

    if fits:
        with tf.GradientTape() as tape:
            loss = sum(keras.ops.mean((output - 1.0) ** 2) for output in flat(layer(*inputs, training=True)))
        gradients = tape.gradient(loss, layer.trainable_weights)
        assert gradients
        for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
            assert gradient is not None, weight.path
            assert np.isfinite(np.asarray(gradient)).all(), weight.path


def flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


@pytest.fixture
def check_layer() -> Callable[..., None]:
    return check


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
