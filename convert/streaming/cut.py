"""The cut of a graph into a column graph and a time graph, with its own weights and scales, so with its own bits.

The column graph has the operations whose rows are each computed from a piece of the window of its own, for a piece that
gives one row: a column. The time graph has the others, and takes the columns of a window.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from deseptr.contract import Streaming
from deseptr.tflite import StreamingGraphs
from deseptr.tflite.edit import add_tensor
from deseptr.tflite.extract import extract
from deseptr.tflite.graph import Graph, Node, Tensor, as_graph, read_graph, unpack

from .time_axis import Rows, constant_array, rows_in_time

_FEWEST = 2


class NoCutError(Exception):
    """A graph that cannot be cut into columns; the text is the reason."""


@dataclass(frozen=True)
class _Plan:
    """Operations of either part for one length of a column.

    Args:
        length: samples of a column.
        column: numbers of the operations of the column graph.
        time: numbers of those of the time graph.
        boundary: tensors that the time graph takes from the column graph.
    """

    length: int
    column: tuple[int, ...]
    time: tuple[int, ...]
    boundary: tuple[Tensor, ...]


def cut_graph(flatbuffer: bytes) -> StreamingGraphs:
    """Cut a graph where it costs least to compute windows that are an eighth of their length apart.

    Args:
        flatbuffer: with one input ``[1, window_length, channels]``, without an archive.

    Raises:
        NoCutError: if some operation looks beyond its rows too early, with that operation.
    """
    model = unpack(flatbuffer)
    graph = as_graph(model)
    if len(graph.inputs) != 1 or len(graph.inputs[0].shape) != _WINDOW_RANK:
        raise NoCutError("the graph has another input than one window")
    rows, reasons = rows_in_time(graph, model.subgraphs[0].operators)
    plans = [
        plan
        for length in sorted({each.field for each in rows.values()})
        if (plan := _plan(graph, rows, length)) is not None
    ]
    digest = hashlib.sha256(flatbuffer).hexdigest()
    cuts = [_cut(flatbuffer, rows, plan, digest) for plan in plans]
    costs = [_macs(graphs, graph.inputs[0].shape[1] // _HOPS) for graphs in cuts]
    if not cuts or min(costs) > _LARGEST_SHARE * graph.macs:
        raise NoCutError(_first_reason(graph, reasons))
    return cuts[costs.index(min(costs))]


_WINDOW_RANK = 3
# Windows an eighth of their length apart must take at most half of the multiply-accumulates: what saves less, such as
# frames of a spectrogram alone, is not worth its bytes and calls.
_HOPS, _LARGEST_SHARE = 8, 0.5


def _plan(graph: Graph, rows: dict[int, Rows], length: int) -> _Plan | None:
    """The parts for columns of ``length`` samples; None if the time graph would take anything but a row a column."""
    local = {graph.inputs[0].index}
    column, time = [], []
    for number, node in enumerate(graph.nodes):
        output = node.outputs[0].index if node.outputs else -1
        sources = [tensor.index for tensor in node.inputs if tensor.constant is None]
        if output in rows and rows[output].field <= length and all(source in local for source in sources):
            column.append(number)
            local.add(output)
        else:
            time.append(number)
    read = [tensor for number in time for tensor in graph.nodes[number].inputs if tensor.index in local]
    boundary = tuple({tensor.index: tensor for tensor in read}.values())
    counts = {(tensor.shape[rows[tensor.index].axis], rows[tensor.index].stride) for tensor in boundary}
    single = all(rows[tensor.index].within(length) == 1 for tensor in boundary)
    first = all(rows[tensor.index].axis == 1 for tensor in boundary)
    if not time or not single or not first or len(counts) != 1 or next(iter(counts))[0] < _FEWEST:
        return None
    return _Plan(length, tuple(column), tuple(time), boundary)


def _cut(flatbuffer: bytes, rows: dict[int, Rows], plan: _Plan, digest: str) -> StreamingGraphs:
    first = plan.boundary[0]
    place = rows[first.index]
    streaming = Streaming(plan.length, place.stride, first.shape[place.axis], digest)
    boundary = [tensor.index for tensor in plan.boundary]
    whole = unpack(flatbuffer)
    time = extract(whole, plan.time, boundary, [int(i) for i in whole.subgraphs[0].outputs])
    return StreamingGraphs(streaming, _column_graph(flatbuffer, rows, plan, boundary), time)


def _column_graph(flatbuffer: bytes, rows: dict[int, Rows], plan: _Plan, boundary: list[int]) -> bytes:
    model = unpack(flatbuffer)
    graph, operators = as_graph(model), model.subgraphs[0].operators
    for number in plan.column:
        _shorten(model, operators[number], graph.nodes[number], rows, plan.length)
    tensors = model.subgraphs[0].tensors
    source = graph.inputs[0].index
    for index in {source, *(graph.nodes[number].outputs[0].index for number in plan.column)}:
        tensors[index].shape = _short_shape(tensors[index].shape, rows[index], plan.length)
        tensors[index].shapeSignature = None
    return extract(model, plan.column, [source], boundary)


def _shorten(model: Any, operator: Any, node: Node, rows: dict[int, Rows], length: int) -> None:
    """Bring the constants of an operation to the rows of a column: shapes, ends of slices, what all rows have."""
    output = rows[node.outputs[0].index]
    operator.inputs = list(operator.inputs)
    if node.op == "RESHAPE":
        shape = np.array(_short_shape(node.outputs[0].shape, output, length), np.int32)
        operator.inputs[1] = _constant(model, node.inputs[1], shape)
        if operator.builtinOptions is not None:
            operator.builtinOptions.newShape = shape.tolist()
    elif node.op == "STRIDED_SLICE":
        end = constant_array(node.inputs[2]).copy()
        end[output.axis] = output.within(length)
        operator.inputs[2] = _constant(model, node.inputs[2], end)
    elif node.op not in _WEIGHTED:
        for place, tensor in enumerate(node.inputs):
            axis = output.axis - len(node.outputs[0].shape)
            if tensor.constant is not None and -axis <= len(tensor.shape) and tensor.shape[axis] > 1:
                array = constant_array(tensor)
                operator.inputs[place] = _constant(model, tensor, array.take(range(output.within(length)), axis))


# Their constants have no axis of time.
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE")


def _short_shape(shape: Any, rows: Rows, length: int) -> list[int]:
    short = [int(size) for size in shape]
    short[rows.axis] = rows.within(length)
    return short


def _constant(model: Any, like: Tensor, values: Any) -> int:
    """Add a constant of the name, type and scale of another."""
    index = add_tensor(model, like.name, values.shape, kind=like.type, content=values.tobytes())
    tensors = model.subgraphs[0].tensors
    tensors[index].quantization = tensors[like.index].quantization
    return index


def _macs(graphs: StreamingGraphs, hop: int) -> int:
    """Multiply-accumulates of a window about ``hop`` samples after another, a whole number of columns."""
    stride = graphs.streaming.column_stride
    return (
        graphs.streaming.new_columns(stride * max(1, hop // stride)) * read_graph(graphs.column).macs
        + read_graph(graphs.time).macs
    )


def _first_reason(graph: Graph, reasons: dict[int, str]) -> str:
    if not reasons:
        return "no operation joins columns of its window"
    number = min(reasons)
    return f"operation {number + 1} of {len(graph.nodes)}, {reasons[number]}, before there are columns that save enough"
