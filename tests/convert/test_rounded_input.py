"""A 16-bit graph gets the window in 8-bit steps, as the model did in training."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from edited import edited

from deseptr.contract import ModelContract
from deseptr.convert.float_io import add_float_io
from deseptr.convert.lint import lint
from deseptr.convert.lowering.blocks import unit_norm
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.convert.rounded_input import round_input
from deseptr.convert.targets import TARGETS
from deseptr.tflite import embed_contract, load_engine, predict
from deseptr.tflite.graph import read_graph


@pytest.fixture
def graph(random_student, contract: ModelContract) -> InferenceGraph:
    return InferenceGraph(random_student(0), contract, norm=unit_norm)


@pytest.fixture
def wide(graph: InferenceGraph, windows: np.ndarray) -> bytes:
    return flatbuffer_of(graph, Recipe("int16x8"), graph.encode(windows), "student")


def logits(content: bytes, contract: ModelContract, windows: np.ndarray, tmp_path: Any) -> np.ndarray:
    (tmp_path / "m.tflite").write_bytes(embed_contract(content, contract))
    return predict(load_engine(tmp_path / "m.tflite"), windows)


def test_window_and_its_rounding_are_one(wide: bytes, graph, windows: np.ndarray, contract, tmp_path):
    largest = 0.99 * np.float32(contract.input_range)
    windows = np.clip(windows, -largest, largest)
    rounded = graph.encode(windows) * np.float32(contract.input_range)
    content = edited(wide, round_input)
    np.testing.assert_array_equal(
        logits(content, contract, windows, tmp_path), logits(content, contract, rounded, tmp_path)
    )
    np.testing.assert_allclose(
        logits(content, contract, windows, tmp_path),
        logits(wide, contract, rounded, tmp_path),
        atol=5 * read_graph(wide).outputs[0].scales[0],
    )


def test_one_operation_more_that_every_target_has(wide: bytes):
    before, after = read_graph(wide), read_graph(edited(wide, round_input))
    assert [node.op for node in after.nodes] == ["QUANTIZE", *(node.op for node in before.nodes)]
    assert after.nodes[0].types == {"INT16"}
    assert after.inputs[0].scales[0] == pytest.approx(1 / 127.5)
    assert lint(after, TARGETS["pi"], "int16x8") == ()


def test_float_input_is_rounded_too(wide: bytes, graph, windows: np.ndarray, contract, tmp_path):
    content = edited(wide, round_input, partial(add_float_io, input_range=contract.input_range))
    expected = logits(edited(wide, round_input), contract, windows, tmp_path)
    step = read_graph(wide).outputs[0].scales[0]
    assert np.abs(logits(content, contract, windows, tmp_path) - expected).max() <= step * 1.001
    assert lint(read_graph(content), TARGETS["pi"], "int16x8") == ()
