"""Every kind of layer, rewritten, gives Keras' result in float."""

import numpy as np
import pytest
from keras_models import MODELS, STEPS, made, windows

from deseptr.contract import ModelContract, StftSpec, softmax
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.keras_layers.network import keras_logits
from deseptr.convert.lowering.keras_layers.softmax_head import softmax_head

CONTRACT = ModelContract(
    labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="plain"
)


FAST = (
    "lstm first",
    "gru reset before",
    "bidirectional lstm",
    "layer norm",
    "group norm",
    "elu",
    "transformer",
    "softmax head",
    "last step",
    "log softmax head",
    "operation as head",
    "two sensors",
    "normalization same",
    "grouped",
    "distributed",
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in MODELS]
)
def test_rewritten_network_gives_keras_logits(name: str):
    model = made(name)
    graph = InferenceGraph(model, CONTRACT)
    raw = windows(2)
    # What the graph takes are windows in int8 steps of the input range.
    rounded = graph.encode(raw) * np.float32(CONTRACT.input_range)
    expected = keras_logits(model, rounded, softmax_head(model))
    np.testing.assert_allclose(graph.predict(raw), expected, atol=1e-5, rtol=1e-5)
    assert np.ptp(expected) > 1e-3
    outputs = np.asarray(model(rounded))
    if softmax_head(model) is not None:
        expected = softmax(expected)
        if name == "log softmax head":
            expected = np.log(expected)
    np.testing.assert_allclose(expected, outputs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["elu", "selu and celu", "clamps beside"])
def test_no_clamp_gives_its_scale_to_what_is_also_read_without_it(name: str):
    """The converter gives operands of MINIMUM and MAXIMUM the scale of the result: ELU's x would saturate at 0."""
    operations = InferenceGraph(made(name), CONTRACT).function.graph.get_operations()
    assert not {operation.type for operation in operations} & {"Minimum", "Maximum"}
