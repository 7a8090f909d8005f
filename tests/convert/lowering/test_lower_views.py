"""The networks on views: exact in float, wholly int8, and in int8 nearly the same."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from edited import edited

from deseptr.contract import InputViews, ModelContract, StftSpec
from deseptr.convert.lint import Lint
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.quantize import flatbuffer_of, with_full_range
from deseptr.convert.recipe import Recipe
from deseptr.convert.symmetric import make_operands_symmetric
from deseptr.convert.targets import TARGETS
from deseptr.tflite.graph import read_graph
from deseptr.tflite.runtimes import choose_runtime

NAMES = ("deseptr", "wave1d", "cnn-har")


@pytest.fixture
def contract(contract: ModelContract) -> ModelContract:
    return replace(contract, views=InputViews(), stft=StftSpec(32, 4, 2))


@pytest.fixture
def student(random_model) -> Any:
    """Make a classifier by name whose front end encodes views."""

    def make(name: str, *, scale: float = 0.1, prediction: str = "mean", **settings: Any) -> Any:
        return random_model(name, scale=scale, prediction=prediction, views=True, **settings)

    return make


@pytest.fixture
def windows() -> np.ndarray:
    """Windows of 64 samples with their history: still, moving, and beyond the range."""
    rng = np.random.default_rng(1)
    scale = np.geomspace(0.02, 3, 40)[:, None, None]
    noise = rng.normal(size=(40, 31 + 64, 6)).cumsum(axis=1) * 0.3
    return (noise * scale * [8, 8, 8, 2, 2, 2] + [0, 9.8, 0, 0, 0, 0]).astype(np.float32)


def run_int8(content: bytes, views: np.ndarray) -> np.ndarray:
    interpreter = choose_runtime("auto").interpreter("builtin")(model_content=content)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = target["quantization"]
    logits = []
    for window in views:
        interpreter.set_tensor(source["index"], window[None])
        interpreter.invoke()
        logits.append((interpreter.get_tensor(target["index"])[0].astype(np.float32) - zero_point) * scale)
    return np.stack(logits)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prediction", ["class", "distillation", "mean"])
def test_the_float_graph_is_the_checkpoint(name: str, prediction: str, student, contract, windows: np.ndarray):
    if name != "deseptr" and prediction != "mean":
        pytest.skip("one head")
    classifier = student(name, prediction=prediction)
    expected = np.asarray(classifier(windows))
    np.testing.assert_allclose(InferenceGraph(classifier, contract).predict(windows), expected, rtol=1e-4, atol=5e-4)
    assert expected.std() > 0.05


@pytest.mark.parametrize("prediction", ["class", "mean"])
def test_the_embedding_is_both_special_tokens_that_the_heads_read(
    prediction: str, student, contract, windows: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    classifier = student("deseptr", prediction=prediction)
    graph = InferenceGraph(classifier, contract, embedding=True)
    network, encoded = classifier.network, classifier.front_end(windows)
    monkeypatch.setattr(type(network), "output_heads", [lambda features: features] * 2)
    expected = np.concatenate([features[:, : network.dim] for features in network(encoded)], axis=1)
    found = np.concatenate([graph.function(tf.constant(window[None]))[1] for window in graph.encode(windows)])
    assert found.shape == (len(windows), graph.embedding_width) == (len(windows), 2 * network.dim)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.05


def test_a_head_that_reads_two_tensors_leaves_no_embedding(student, contract):
    assert InferenceGraph(student("wave1d"), contract, embedding=True).embedding_width == 0


@pytest.mark.parametrize("name", NAMES)
def test_int8(name: str, student, contract, windows: np.ndarray):
    classifier = student(name, scale=0.05)
    expected = np.asarray(classifier(windows))
    graph = InferenceGraph(classifier, contract)
    calibration = with_full_range(graph.encode(windows))
    content = edited(flatbuffer_of(graph, Recipe(), calibration, name), make_operands_symmetric)
    lowered = read_graph(content)
    for target in ("pi", "micro", "coral"):
        assert Lint.of(lowered, TARGETS[target], "int8").findings == ()
    assert not {"FULLY_CONNECTED", "QUANTIZE", "DEQUANTIZE", "MINIMUM", "MAXIMUM"} & lowered.ops.keys()
    (window,) = lowered.inputs
    assert (window.shape, window.type) == ((1, 64, 12), "INT8")
    assert window.scales[0] == pytest.approx(1 / 127.5, rel=1e-6)
    assert window.zero_points[0] == 0
    found = run_int8(content, InputViews().encode(windows, contract.input_range))
    assert np.sqrt(((found - expected) ** 2).mean()) < 0.12 * expected.std()
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.9


def test_operations_of_the_new_deseptr(student, contract, windows: np.ndarray):
    graph = InferenceGraph(student("deseptr"), contract)
    ops = read_graph(flatbuffer_of(graph, Recipe(), with_full_range(graph.encode(windows)), "m")).ops
    allowed = {"ADD", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"}
    assert ops.keys() <= allowed | {"RESHAPE", "SOFTMAX", "STRIDED_SLICE", "TRANSPOSE"}, ops
    assert sum(ops.values()) <= 61, ops
