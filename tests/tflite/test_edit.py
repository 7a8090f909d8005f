"""Tensors and operations that are added to a flatbuffer, read back from it and run."""

from pathlib import Path

import numpy as np
import pytest

from deseptr.tflite.bare_model import BareTflite
from deseptr.tflite.edit import add_tensor, operator
from deseptr.tflite.graph import pack, read_graph, unpack
from deseptr.tflite.runtimes import choose_runtime


def test_an_added_operation_is_run(float_model: Path):
    model = unpack(float_model.read_bytes())
    graph = model.subgraphs[0]
    (window,) = graph.inputs
    factor = add_tensor(model, "factor", (), content=np.array(2, np.float32).tobytes())
    doubled = add_tensor(model, "doubled", (1, 32, 6))
    assert (factor, doubled) == (len(graph.tensors) - 2, len(graph.tensors) - 1)
    graph.operators = [operator(model, "MUL", (window, factor), doubled, options="MulOptions")]
    graph.outputs = [doubled]
    content = pack(model)
    (node,) = read_graph(content).nodes
    assert (node.op, node.version, [each.name for each in node.inputs], node.name) == (
        "MUL",
        1,
        ["window", "factor"],
        "doubled",
    )
    windows = np.arange(192, dtype=np.float32).reshape(1, 32, 6)
    (found,) = BareTflite(content, "doubled", choose_runtime("auto")).run([windows])
    np.testing.assert_array_equal(found, 2 * windows)


@pytest.mark.parametrize(("scale", "scales", "zero_points"), [(0.5, [0.5], [0]), (None, [], [])])
def test_type_and_scale_of_an_added_tensor(
    int8_model: Path, scale: float | None, scales: list[float], zero_points: list[int]
):
    model = unpack(int8_model.read_bytes())
    added = add_tensor(model, "added", (1, 3), kind="INT16", scale=scale)
    graph = model.subgraphs[0]
    graph.operators = [operator(model, "QUANTIZE", [int(graph.outputs[0])], added, version=2)]
    (node,) = read_graph(pack(model)).nodes
    (tensor,) = node.outputs
    assert (tensor.type, tensor.shape, tensor.constant, node.version) == ("INT16", (1, 3), None, 2)
    assert (tensor.scales.tolist(), tensor.zero_points.tolist()) == (scales, zero_points)
