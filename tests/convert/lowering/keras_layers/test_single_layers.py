"""Layers and activations that only some models have, each alone against Keras or its definition."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_models import CHANNELS, STEPS, windows

from deseptr.contract import ConversionError, ModelContract, StftSpec
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.keras_layers.activations import celu, elu, selu

layers = keras.layers
CONTRACT = ModelContract(
    labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="plain"
)


def test_activations_have_their_published_values():
    """ELU of Clevert et al. 2016 and CELU of Barron 2017 by their formulas; SELU of 2017."""
    x = tf.constant([-40.0, -2.0, -0.5, 0.0, 0.5, 3.0])
    np.testing.assert_allclose(elu(x, 0.5), [-0.5, -0.432332, -0.196735, 0, 0.5, 3], atol=1e-6)
    np.testing.assert_allclose(celu(x), [-1, -0.864665, -0.393469, 0, 0.5, 3], atol=1e-6)
    np.testing.assert_allclose(celu(x, 2.0), [-2, -1.264241, -0.442398, 0, 0.5, 3], atol=1e-6)
    np.testing.assert_allclose(selu(x), [-1.758099, -1.520167, -0.691758, 0, 0.52535, 3.152103], atol=1e-5)


def rewritten(between: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What the rewritten model and Keras' own give for two windows; every weight and statistic is disturbed."""
    keras.utils.set_random_seed(0)
    window = layers.Input((STEPS, CHANNELS))
    model = keras.Model(window, layers.Dense(3)(layers.GlobalAveragePooling1D()(between(window))))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        noisy = np.asarray(weight) + rng.normal(size=weight.shape) * 0.3
        weight.assign(np.abs(noisy) + 0.1 if "variance" in weight.path else noisy)
    graph, raw = InferenceGraph(model, CONTRACT), windows(2)
    return graph.predict(raw), np.asarray(model(graph.encode(raw) * np.float32(CONTRACT.input_range)))


@pytest.mark.parametrize(
    "between",
    [
        lambda x: layers.PReLU()(layers.Conv1D(4, 3)(x)),
        lambda x: layers.SeparableConv1D(5, 3)(layers.Rescaling(0.1, 0.4)(x)),
        lambda x: layers.BatchNormalization(scale=False)(x),
        lambda x: layers.BatchNormalization(center=False)(x),
        lambda x: layers.BatchNormalization(scale=False, center=False)(x),
        lambda x: layers.BatchNormalization(axis=1)(x),
        lambda x: layers.BatchNormalization()(layers.ReLU()(x)),
        lambda x: layers.Rescaling(0.1, 0.4)(layers.ReLU()(x)),
        lambda x: layers.Normalization(mean=[1.0] * CHANNELS, variance=[4.0] * CHANNELS)(layers.ReLU()(x)),
        lambda x: layers.AveragePooling1D(2)(layers.ReLU()(x)),
        lambda x: layers.MaxPooling1D()(layers.Rescaling(-0.1)(x)),
    ],
    ids=[
        *("prelu", "separable after a scale", "batch norm unscaled", "batch norm uncentred", "batch norm bare"),
        *("batch norm over time", "batch norm after relu", "scale after relu", "normalization after relu"),
        *("means after relu", "maxima of turned values"),
    ],
)
def test_rewritten_layer_gives_keras_logits(between: Callable[[Any], Any]):
    found, expected = rewritten(between)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    assert np.ptp(expected) > 1e-3


@pytest.mark.parametrize(
    "attention",
    [
        lambda x: layers.MultiHeadAttention(2, 3, name="looks back")(x, x, use_causal_mask=True),
        lambda x: layers.MultiHeadAttention(2, 3, name="looks back")(x, x, attention_mask=np.tri(STEPS, dtype=bool)),
    ],
    ids=["causal", "given"],
)
def test_masked_attention_is_refused(attention: Callable[[Any], Any]):
    with pytest.raises(ConversionError, match=r"layer 'looks back' \(MultiHeadAttention\): found a mask, whose .*int8"):
        rewritten(attention)
