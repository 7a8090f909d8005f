"""The cut of the packaged model, and graphs that cannot be cut, made of it by changing one operation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_model import build_flatbuffer

from deseptr.convert.streaming.cut import NoCutError, cut_graph
from deseptr.convert.streaming.time_axis import Rows, rows_in_time
from deseptr.tflite import without_archive
from deseptr.tflite.bare_model import BareTflite
from deseptr.tflite.edit import add_tensor
from deseptr.tflite.graph import as_graph, pack, read_graph, unpack
from deseptr.tflite.runtimes import choose_runtime

SAME = 0


def same_bits(flatbuffer, graphs, kernels: str) -> bool:
    """Whether random windows get the same logits from both parts as from the whole, without the engines' rings."""
    runtime = choose_runtime("auto")
    whole, column, time = (
        BareTflite(content, "part", runtime, kernels=kernels) for content in (flatbuffer, graphs.column, graphs.time)
    )
    rng, same = np.random.default_rng(0), True
    for _ in range(20):
        window = rng.integers(-128, 128, (1, 128, 12), np.int8)
        columns = [column.run([window[:, start : start + 48]]) for start in range(0, 96, 16)]
        logits = time.run([np.concatenate(rows, axis=1) for rows in zip(*columns, strict=True)])
        same = same and np.array_equal(logits[0], whole.run([window])[0])
    return same


def edited(flatbuffer: bytes, edit: Callable[[Any, Any], None]) -> bytes:
    model = unpack(flatbuffer)
    edit(model, as_graph(model))
    return pack(model)


def first(graph, op: str) -> int:
    return next(number for number, node in enumerate(graph.nodes) if node.op == op)


def test_columns_are_those_of_the_architecture(graphs, flatbuffer):
    streaming = graphs.streaming
    assert (streaming.column_length, streaming.column_stride, streaming.columns) == (48, 16, 6)
    column, time, whole = (read_graph(content) for content in (graphs.column, graphs.time, flatbuffer))
    assert column.inputs[0].shape == (1, 48, 12)
    assert len(column.nodes) + len(time.nodes) == len(whole.nodes)
    assert column.macs + time.macs < 0.3 * whole.macs
    assert [t.shape for t in time.inputs] == [(1, 6, *t.shape[2:]) for t in column.outputs]
    assert [(t.name, t.shape) for t in time.outputs] == [(t.name, t.shape) for t in whole.outputs]


def test_weights_and_scales_are_the_whole_graphs(graphs, flatbuffer):
    whole = {weight.name: weight for node in read_graph(flatbuffer).nodes for weight in node.weights}
    compared = 0
    for content in (graphs.column, graphs.time):
        for node in read_graph(content).nodes:
            for weight in node.weights:
                if node.op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                    assert weight.constant == whole[weight.name].constant
                    assert weight.scales.tolist() == whole[weight.name].scales.tolist()
                    compared += 1
    assert compared > 40


@pytest.mark.parametrize("kernels", ["default", "builtin", "reference"])
def test_columns_and_time_give_the_bits_of_the_whole(graphs, flatbuffer, kernels):
    assert same_bits(flatbuffer, graphs, kernels)


def test_padding_at_the_windows_ends_is_named(flatbuffer):
    def pad(model, graph):
        model.subgraphs[0].operators[first(graph, "MAX_POOL_2D")].builtinOptions.padding = SAME

    with pytest.raises(NoCutError, match="operation 6 of 62, MAX_POOL_2D pads the window's ends"):
        cut_graph(edited(flatbuffer, pad))


def test_a_constant_that_differs_from_row_to_row_is_added_behind_the_cut(flatbuffer, graphs):
    def differ(model, graph):
        number = next(n for n, node in enumerate(graph.nodes) if node.op == "CONCATENATION" and node.weights)
        special = graph.nodes[number].weights[0]
        values = np.frombuffer(special.constant, np.int8).copy()
        values[-1] ^= 1
        index = add_tensor(model, "special", special.shape, kind="INT8", content=values.tobytes())
        tensors = model.subgraphs[0].tensors
        tensors[index].quantization = tensors[special.index].quantization
        operator = model.subgraphs[0].operators[number]
        operator.inputs = [index if i == special.index else int(i) for i in operator.inputs]

    content = edited(flatbuffer, differ)
    earlier = cut_graph(content)
    assert earlier.streaming.columns == 6
    assert len(read_graph(earlier.time).nodes) > len(read_graph(graphs.time).nodes)
    assert same_bits(content, earlier, "default")


def test_a_graph_of_one_sum_over_time_is_not_cut(int8_model):
    with pytest.raises(NoCutError, match="no operation joins columns of its window"):
        cut_graph(without_archive(int8_model.read_bytes()))


def test_rows_along_the_packaged_graph(flatbuffer):
    model = unpack(flatbuffer)
    graph = as_graph(model)
    rows, reasons = rows_in_time(graph, model.subgraphs[0].operators)
    by_op = {op: rows[graph.nodes[first(graph, op)].outputs[0].index] for op in ("CONV_2D", "MAX_POOL_2D", "SOFTMAX")}
    # The first convolution sees 4 hops of 2 samples, the maximum 2 of its rows.
    assert by_op == {"CONV_2D": Rows(1, 2, 8), "MAX_POOL_2D": Rows(1, 2, 10), "SOFTMAX": Rows(1, 16, 48)}
    number = min(reasons)
    assert graph.nodes[number].op == "ADD"
    assert reasons[number] == "ADD has a constant that differs from row to row"


def test_a_hop_that_is_no_multiple_of_the_stride_does_not_prevent_the_cut(flatbuffer, monkeypatch):
    # An eighth of 150 samples is 18, of which no window shares a column with an earlier one.
    monkeypatch.setattr("deseptr.convert.streaming.cut._HOPS", 7)
    assert cut_graph(flatbuffer).streaming.columns == 6
    monkeypatch.setattr("deseptr.convert.streaming.cut._HOPS", 2)
    with pytest.raises(NoCutError, match=r"ADD has a constant .* before there are columns that save enough"):
        cut_graph(flatbuffer)


def test_two_columns_are_enough_and_one_is_none():
    def halves(kernel: int, columns: int) -> bytes:
        """A convolution of windows of 32 samples whose kernel is moved on by its own length."""

        def stride(model, graph):
            def named(name: str) -> int:
                return next(place for place, each in enumerate(tensors) if each.name == name.encode())

            tensors, (_, convolution, _) = model.subgraphs[0].tensors, model.subgraphs[0].operators
            convolution.builtinOptions.strideH = kernel
            shapes = {"image": [1, 32, 1, 6], "convolved": [1, columns, 1, 3], "logits": [1, 3 * columns]}
            for name, shape in shapes.items():
                tensors[named(name)].shape = shape
            for name in ("image", "logits"):
                values = np.array(shapes[name], np.int32).tobytes()
                model.buffers[tensors[named(f"{name}_shape")].buffer].data = np.frombuffer(values, np.uint8)

        made = build_flatbuffer(np.ones((3, kernel, 1, 6), np.float32), (1, 32, 6), True)
        return edited(made, stride)

    two = cut_graph(halves(16, 2)).streaming
    assert (two.column_length, two.column_stride, two.columns) == (16, 16, 2)
    with pytest.raises(NoCutError, match="no operation joins columns of its window"):
        cut_graph(halves(32, 1))
