"""Rules that every layer of this package must keep."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


def broken_rules(layer: Any, *inputs: np.ndarray, shapes: list[tuple[int, ...]], fits: bool = True) -> list[str]:
    """What is wrong with a layer: output shapes, all weights by ``build``, the same output after a round trip
    of its config, finite gradients.

    Args:
        layer: the layer.
        inputs: arrays for its call.
        shapes: expected output shapes.
        fits: whether it has weights to train, each of which must get a gradient.
    """
    import keras
    import tensorflow as tf

    outputs = flat(layer(*inputs))
    found = [tuple(output.shape) for output in outputs]
    if found != shapes:
        return [f"shapes {found}, expected {shapes}"]

    clone = type(layer).from_config(layer.get_config())
    clone.build(*(each.shape for each in inputs))
    built = [weight.shape for weight in clone.weights]
    clone(*inputs)
    clone.set_weights(layer.get_weights())
    broken = [] if built == [weight.shape for weight in clone.weights] else ["building it makes not all weights"]
    broken += [
        f"output {number} differs after a round trip of the config"
        for number, (first, second) in enumerate(zip(outputs, flat(clone(*inputs)), strict=True))
        if not np.allclose(first, second, rtol=1e-7, atol=1e-6)
    ]
    if fits:
        with tf.GradientTape() as tape:
            loss = sum(keras.ops.mean((output - 1.0) ** 2) for output in flat(layer(*inputs, training=True)))
        gradients = tape.gradient(loss, layer.trainable_weights)
        if not gradients:
            broken.append("no weight to train")
        broken += [
            f"no finite gradient of {weight.path}"
            for weight, gradient in zip(layer.trainable_weights, gradients, strict=True)
            if gradient is None or not np.isfinite(np.asarray(gradient)).all()
        ]
    return broken


def flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


@pytest.fixture
def layer_faults() -> Callable[..., list[str]]:
    return broken_rules


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
