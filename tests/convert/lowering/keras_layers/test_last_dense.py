"""Which layer's input is the embedding of a user's own Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras_models import CHANNELS, STEPS, made, windows

from deseptr.contract import ModelContract, StftSpec
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.keras_layers.last_dense import last_dense

CONTRACT = ModelContract(
    labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="plain"
)


@pytest.mark.parametrize("name", ["softmax head", "log softmax head", "two sensors", "last step"])
def test_embedding_is_what_the_last_dense_layer_reads(name: str):
    model = made(name)
    head = last_dense(model)
    assert isinstance(head, keras.layers.Dense)
    graph = InferenceGraph(model, CONTRACT, embedding=True)
    encoded = graph.encode(windows(2))
    inner = model if head in model.layers else model.layers[0]
    expected = keras.Model(inner.inputs, head.input)(encoded * np.float32(CONTRACT.input_range))
    found = np.concatenate([graph.function(tf.constant(window[None]))[1] for window in encoded])
    assert found.shape == (2, graph.embedding_width)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def sequential(*after: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((STEPS, CHANNELS)), *after])


def twice() -> keras.Model:
    window, dense = keras.Input((STEPS, CHANNELS)), layers.Dense(3)
    pooled = layers.GlobalAveragePooling1D()(window)
    return keras.Model(window, dense(dense(layers.Dense(3)(pooled))))


@pytest.mark.parametrize(
    "model",
    [
        lambda: sequential(layers.Conv1D(3, 3), layers.GlobalAveragePooling1D()),
        lambda: sequential(layers.Dense(3), layers.GlobalMaxPooling1D()),
        twice,
        lambda: made("operation as head"),
    ],
)
def test_a_model_without_one_last_dense_layer_has_no_embedding(model):
    assert last_dense(model()) is None
    assert InferenceGraph(model(), CONTRACT, embedding=True).embedding_width == 0
