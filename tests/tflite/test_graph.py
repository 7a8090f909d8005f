"""A flatbuffer's graph as it is read, and its first operations as a flatbuffer of their own."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.tflite import without_archive
from deseptr.tflite.graph import pack, prefix_graph, read_graph, unpack


def graph_of(model: Any) -> Any:
    return read_graph(pack(model))


def test_operations_tensors_and_weights(int8_model: Path):
    graph = read_graph(int8_model.read_bytes())
    assert [node.op for node in graph.nodes] == ["RESHAPE", "CONV_2D", "RESHAPE"]
    assert [node.version for node in graph.nodes] == [1, 3, 1]
    (window,), (logits,) = graph.inputs, graph.outputs
    assert (window.index, window.name, window.type, window.shape) == (0, "window", "INT8", (1, 32, 6))
    assert (logits.name, logits.shape, logits.zero_points.tolist()) == ("logits", (1, 3), [3])
    first, convolution, _ = graph.nodes
    # The graph's input is its first tensor.
    assert [tensor.name for tensor in first.inputs] == ["window", "image_shape"]
    assert first.inputs[1].constant == np.array([1, 32, 1, 6], np.int32).tobytes()
    assert [tensor.name for tensor in convolution.weights] == ["kernel", "bias"]
    assert [tensor.name for tensor in convolution.activations] == ["image", "convolved"]
    assert convolution.macs == 32 * 6 * 3


def test_an_omitted_input_is_left_out(int8_model: Path):
    model = unpack(int8_model.read_bytes())
    convolution = model.subgraphs[0].operators[1]
    convolution.inputs = [*convolution.inputs[:2], -1]
    assert [tensor.name for tensor in graph_of(model).nodes[1].inputs] == ["image", "kernel"]


def test_shape_is_the_signature_if_there_is_one(int8_model: Path):
    model = unpack(int8_model.read_bytes())
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 32, 6]
    window, image = (graph_of(model).nodes[0].activations[index] for index in (0, 1))
    assert (window.shape, window.is_dynamic) == ((-1, 32, 6), True)
    assert (image.shape, image.is_dynamic) == ((1, 32, 1, 6), False)


def test_prefix_has_the_weights_that_it_reads_and_those_of_other_subgraphs(int8_model: Path):
    model = unpack(int8_model.read_bytes())
    schema_type = type(model.subgraphs[0])
    other, held = schema_type(), type(model.subgraphs[0].tensors[0])()
    model.buffers.append(type(model.buffers[0])())
    model.buffers[-1].data = np.arange(4, dtype=np.uint8)
    held.name, held.shape, held.type, held.buffer = (
        "held",
        [4],
        model.subgraphs[0].tensors[0].type,
        len(model.buffers) - 1,
    )
    other.tensors, other.operators, other.inputs, other.outputs, other.name = [held], [], [], [], "body"
    model.subgraphs.append(other)
    whole = pack(model)
    cut = unpack(prefix_graph(whole, 1))
    assert [operator.outputs.tolist() for operator in cut.subgraphs[0].operators] == [[1]]
    assert cut.subgraphs[0].outputs.tolist() == [1]
    kept = {tensor.name: cut.buffers[tensor.buffer].data for part in cut.subgraphs for tensor in part.tensors}
    assert kept[b"held"].tolist() == [0, 1, 2, 3]
    assert kept[b"image_shape"] is not None
    assert kept[b"kernel"] is None
    assert [node.op for node in read_graph(prefix_graph(whole, 2)).nodes] == ["RESHAPE", "CONV_2D"]


def test_without_the_schema_of_flatbuffers_one_line_says_what_to_install(
    int8_model: Path, monkeypatch: pytest.MonkeyPatch
):
    content = int8_model.read_bytes()
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(SetupError, match=r"^ai-edge-litert: found not installed, expected its flatbuffer schema; `pip"):
        read_graph(content)


@pytest.mark.parametrize("first", ["logits", "embedding"])
def test_the_logits_are_told_from_the_embedding_wherever_they_stand(make_embedded: Any, first: str):
    graph = read_graph(without_archive(make_embedded(first=first).read_bytes()))
    assert next(output.name for output in graph.outputs) == first
    assert graph.logits.name == "logits"
    assert graph.embedding is not None
    assert graph.embedding.name == "embedding"


def test_a_single_output_is_the_logits_whatever_its_name(int8_model: Path):
    model = unpack(int8_model.read_bytes())
    model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]].name = "embedding"
    graph = graph_of(model)
    assert (graph.logits.name, graph.embedding) == ("embedding", None)
