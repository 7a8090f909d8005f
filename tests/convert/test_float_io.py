"""Float input and output around an int8 graph: the same numbers, and float only at input and output."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from edited import edited

from deseptr.convert.float_io import add_float_io
from deseptr.convert.lint import lint
from deseptr.convert.targets import TARGETS
from deseptr.tflite import embed_contract, load_engine, predict, read_tflite, without_archive
from deseptr.tflite.graph import Graph, read_graph
from deseptr.train import CalibrationWindows, RunFolder


@pytest.fixture
def wrapped(tiny_tflite: Path, tmp_path: Path) -> Path:
    """The tiny run's int8 flatbuffer with float input and output."""
    file = read_tflite(tiny_tflite)
    content = edited(without_archive(file.content), partial(add_float_io, input_range=file.contract.input_range))
    path = tmp_path / "float_io.tflite"
    path.write_bytes(embed_contract(content, file.contract))
    return path


def graph_of(path: Path) -> Graph:
    return read_graph(path.read_bytes(), path)


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_logits_are_those_of_the_int8_graph_within_a_step(
    kernels: str, tiny_run: Path, tiny_tflite: Path, wrapped: Path
):
    windows = CalibrationWindows.load(RunFolder(tiny_run).calibration).held_out_windows
    engines = [load_engine(path, kernels=kernels) for path in (tiny_tflite, wrapped)]
    step = float(graph_of(tiny_tflite).outputs[0].scales[0])
    expected, found = (predict(engine, windows) for engine in engines)
    assert np.abs(found - expected).max() <= step * 1.001
    assert (found == expected).mean() > 0.9


def test_values_beyond_the_range_saturate_alike(tiny_tflite: Path, wrapped: Path):
    contract = read_tflite(tiny_tflite).contract
    rng = np.random.default_rng(0)
    shape = (4, contract.window_length, len(contract.channels))
    windows = (rng.normal(size=shape) * 3 * np.array(contract.input_range)).astype(np.float32)
    step = float(graph_of(tiny_tflite).outputs[0].scales[0])
    expected, found = (predict(load_engine(path), windows) for path in (tiny_tflite, wrapped))
    assert np.abs(found - expected).max() <= step * 1.001


def test_float_is_only_at_input_and_output(tiny_tflite: Path, wrapped: Path):
    inner, graph = graph_of(tiny_tflite), graph_of(wrapped)
    names = [node.op for node in graph.nodes]
    assert names[:2] == ["MUL", "QUANTIZE"]
    assert names[-2:] == ["DEQUANTIZE"] * 2
    assert names[2:-2] == [node.op for node in inner.nodes]
    assert [tensor.type for tensor in (*graph.inputs, *graph.outputs)] == ["FLOAT32"] * 3
    assert [tensor.name for tensor in graph.outputs] == ["logits", "embedding"]
    assert not any("FLOAT32" in node.types for node in graph.nodes[2:-2])
    assert [tensor.shape for tensor in graph.inputs] == [tensor.shape for tensor in inner.inputs]


@pytest.mark.parametrize("target", ["pi", "micro"])
def test_lint_passes(target: str, wrapped: Path):
    assert lint(graph_of(wrapped), TARGETS[target], "int8") == ()


def test_size_grows_by_less_than_4_kilobytes(tiny_tflite: Path, wrapped: Path):
    assert wrapped.stat().st_size - tiny_tflite.stat().st_size < 4096
