"""Plain Keras models become int8 graphs where the target has their layers; a dense layer has one scale on a Pi."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from deseptr.contract import ConversionError, ModelContract
from deseptr.convert import convert_run
from deseptr.convert.lint import check, lint
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.convert.targets import TARGETS
from deseptr.tflite import load_engine, predict, read_tflite
from deseptr.tflite.graph import Graph, read_graph
from deseptr.train import CalibrationWindows

layers = keras.layers
CONTRACT = ModelContract(labels=("a", "b", "c"), window_length=64, hop_length=32, model="plain")


def network(*more: keras.layers.Layer, activation: str = "relu") -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            layers.Input((64, 6)),
            layers.Conv1D(8, 5, strides=2, activation=activation, padding="same"),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(3),
            *more,
        ]
    )


@pytest.fixture
def recorded() -> np.ndarray:
    """Windows of three classes that differ in how fast they swing, 20 of each, in SI units."""
    rng = np.random.default_rng(0)
    time = np.arange(64) / 50
    rates = np.repeat([1.0, 2.5, 5.0], 20)[:, None, None] * rng.uniform(0.9, 1.1, (60, 1, 1))
    swing = np.sin(2 * np.pi * (rates * time[:, None] + rng.uniform(size=(60, 1, 6))))
    return (swing * [8, 8, 8, 2, 2, 2] + [0, 9.8, 0, 0, 0, 0] + rng.normal(size=(60, 64, 6)) * 0.3).astype(np.float32)


def converted(model: keras.Model, windows: np.ndarray, recipe: Recipe) -> Graph:
    graph = InferenceGraph(model, CONTRACT, raw=not recipe.quantised)
    return read_graph(flatbuffer_of(graph, recipe, graph.encode(windows), "plain"))


def scales_of_dense(graph: Graph) -> set[int]:
    return {weight.scales.size for node in graph.nodes if node.op == "FULLY_CONNECTED" for weight in node.weights}


@pytest.mark.parametrize("mode", ["int8", "int16x8", "dynamic"])
def test_dense_layers_have_one_scale_on_a_pi(mode: str, recorded: np.ndarray):
    graph = converted(network(), recorded, Recipe(mode))
    assert graph.ops["FULLY_CONNECTED"] == 2
    assert max(scales_of_dense(graph)) == 1
    check(graph, TARGETS["pi"], mode, "plain")


def test_dense_layers_have_a_scale_a_channel_where_kernels_know_it(recorded: np.ndarray):
    graph = converted(network(), recorded, Recipe(target="micro"))
    assert max(scales_of_dense(graph)) == 16
    assert lint(graph, TARGETS["micro"], "int8") == ()
    assert {finding.rule for finding in lint(graph, TARGETS["pi"], "int8")} == {"per-channel dense weights"}


@pytest.mark.parametrize("op", ["CONV_2D", "FULLY_CONNECTED"])
def test_layers_kept_in_float_change_nothing_else(op: str, recorded: np.ndarray):
    model = network()
    kept = next(node.name for node in converted(model, recorded, Recipe()).nodes if node.op == op)
    graph = converted(model, recorded, Recipe(float_layers=(kept,)))
    assert [tensor.type for tensor in (*graph.inputs, *graph.outputs)] == ["INT8", "INT8"]
    assert [node.name for node in graph.nodes if "FLOAT32" in node.types and node.op == op] == [kept]
    assert max(scales_of_dense(graph)) <= 1
    check(graph, TARGETS["pi"], "int8", "plain", (kept,))


def test_layers_without_int8_kernel_are_named(recorded: np.ndarray):
    graph = converted(network(activation="softplus"), recorded, Recipe())
    with pytest.raises(ConversionError, match=r"found op versions: LOG \(\S*Softplus\S* version 2\)"):
        check(graph, TARGETS["pi"], "int8", "plain")


@pytest.mark.slow
@pytest.mark.parametrize("probabilities", [False, True])
def test_trained_model_passes_the_gate(probabilities: bool, recorded: np.ndarray, tmp_path: Path):
    model, labels = network(), np.repeat(np.arange(3), 20)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(recorded, labels, epochs=30, verbose=0)
    if probabilities:
        model = keras.Sequential([model, layers.Softmax()])
    CONTRACT.save(tmp_path / "contract.json")
    model.save(tmp_path / "mine.keras")
    known = CalibrationWindows(recorded, recorded, labels, np.array(["1", "2", "3"] * 20))
    result = convert_run(tmp_path / "mine.keras", tmp_path / "m.tflite", calibration=known)
    assert result.passed
    assert result.kept.lint.non_int8 == ()
    assert read_tflite(tmp_path / "m.tflite").contract == replace(CONTRACT, embedding_width=16)
    logits = predict(load_engine(tmp_path / "m.tflite"), recorded)
    assert np.mean(logits.argmax(1) == np.asarray(model(recorded)).argmax(1)) >= 0.99
