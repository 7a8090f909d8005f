"""How far each tensor of a graph is local in time: which samples of the window a row of it is computed from.

A tensor is local if it has an axis of time along which every row is computed in the same way from an equally long piece
of the window, shifted by the row. Padding at the window's ends, sums over all of it, and constants that differ from row
to row are what make an operation look beyond its rows; the reason is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

import numpy as np

from deseptr.tflite.graph import Graph, Node, Tensor


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a tensor along time: row r is computed from the samples ``r · stride`` to ``r · stride + field - 1``.

    Args:
        axis: axis of the tensor.
        stride: samples from one row to the next.
        field: samples that a row depends on.
    """

    axis: int
    stride: int
    field: int

    def within(self, length: int) -> int:
        """Number of rows that a piece of ``length`` samples has."""
        return max(0, (length - self.field) // self.stride + 1)


class LooksBeyondError(Exception):
    """An operation whose rows are not computed each from its own piece of the window; the text is the reason."""


@dataclass(frozen=True)
class Operation:
    """An operation with all that its rule needs.

    Args:
        node: operation and tensors.
        options: of the schema; None without any.
        rows: of its inputs that are local, by the tensor's index.
    """

    node: Node
    options: Any
    rows: Mapping[int, Rows]

    @property
    def first(self) -> Rows:
        """Rows of the first input."""
        return self.rows[self.node.inputs[0].index]


def rows_in_time(graph: Graph, operators: Sequence[Any]) -> tuple[dict[int, Rows], dict[int, str]]:
    """Rows of all tensors that are local in time, and why each operation that is not looks beyond its rows.

    Args:
        graph: with one input ``[1, window_length, channels]``.
        operators: the schema's operators of the same graph, for their options.

    Returns:
        Rows by the tensor's index, and reasons by the operation's number.
    """
    rows = {graph.inputs[0].index: Rows(1, 1, 1)}
    reasons: dict[int, str] = {}
    for number, (node, operator) in enumerate(zip(graph.nodes, operators, strict=True)):
        try:
            of_outputs = _rows_of_output(Operation(node, operator.builtinOptions, rows))
        except LooksBeyondError as error:
            reasons[number] = f"{node.op} {error}"
        else:
            rows |= {tensor.index: of_outputs for tensor in node.outputs}
    return rows, reasons


def _rows_of_output(operation: Operation) -> Rows:
    node = operation.node
    for tensor in node.inputs:
        if tensor.constant is None and tensor.index not in operation.rows:
            raise LooksBeyondError("reads what looks beyond its rows")
    rule = _RULES.get(node.op)
    if rule is None or len(node.outputs) != 1 or node.inputs[0].is_dynamic:
        raise LooksBeyondError("is of a kind whose rows are not known")
    found = rule(operation)
    if found.axis >= len(node.outputs[0].shape) or node.outputs[0].shape[found.axis] < 1:
        raise LooksBeyondError("leaves no axis of time")
    return found


def _same_row(operation: Operation) -> Rows:
    """All inputs row by row: activations of equal rows, and constants that are the same in each row."""
    node, rank = operation.node, len(operation.node.outputs[0].shape)
    local = [operation.rows[tensor.index] for tensor in node.inputs if tensor.constant is None]
    ranks = {len(tensor.shape) for tensor in node.inputs if tensor.constant is None}
    if not local or ranks != {rank} or len({(rows.axis, rows.stride) for rows in local}) != 1:
        raise LooksBeyondError("joins rows of different kinds")
    axis = local[0].axis
    for tensor in node.weights:
        if not same_in_each_row(tensor, axis - rank):
            raise LooksBeyondError("has a constant that differs from row to row")
    return Rows(axis, local[0].stride, max(rows.field for rows in local))


def same_in_each_row(tensor: Tensor, axis: int) -> bool:
    """Whether a constant has no axis ``axis``, which is negative, or is the same all along it."""
    if -axis > len(tensor.shape):
        return True
    by_row = np.moveaxis(constant_array(tensor), axis, 0)
    return bool((by_row == by_row[:1]).all())


def constant_array(tensor: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """Values of a constant in its shape."""
    return np.frombuffer(tensor.constant or b"", tensor.type.lower()).reshape(tensor.shape)


def _normalised(operation: Operation) -> Rows:
    """An operation along the last axis."""
    rows = operation.first
    if rows.axis == len(operation.node.inputs[0].shape) - 1:
        raise LooksBeyondError("works along the axis of time")
    return rows


def _concatenated(operation: Operation) -> Rows:
    rows = _same_row(operation)
    if operation.options.axis % len(operation.node.outputs[0].shape) == rows.axis:
        raise LooksBeyondError("works along the axis of time")
    return rows


def _multiplied(operation: Operation) -> Rows:
    rows = _same_row(operation)
    if rows.axis >= len(operation.node.outputs[0].shape) - 2:
        raise LooksBeyondError("works along the axis of time")
    return rows


def _convolved(operation: Operation) -> Rows:
    kernel, options = operation.node.inputs[1], operation.options
    if kernel.constant is None:
        raise LooksBeyondError("has a kernel that is computed")
    _, height, width, _ = kernel.shape
    return _slid(operation, (height, width), (options.dilationHFactor, options.dilationWFactor))


def _pooled(operation: Operation) -> Rows:
    return _slid(operation, (operation.options.filterHeight, operation.options.filterWidth))


def _slid(operation: Operation, size: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Rows:
    """A kernel that slides over axes 1 and 2."""
    rows, options = operation.first, operation.options
    if rows.axis not in (1, 2):
        raise LooksBeyondError("works along the axis of time")
    taps = (size[rows.axis - 1] - 1) * (dilation[rows.axis - 1] or 1)
    if taps and options.padding != _VALID:
        raise LooksBeyondError("pads the window's ends")
    step = (options.strideH, options.strideW)[rows.axis - 1]
    return Rows(rows.axis, rows.stride * step, rows.field + taps * rows.stride)


def _transposed(operation: Operation) -> Rows:
    rows = operation.first
    return Rows(constant_array(operation.node.inputs[1]).tolist().index(rows.axis), rows.stride, rows.field)


def _sliced(operation: Operation) -> Rows:
    """A part of each row; of the rows themselves only the last ones may be left out."""
    rows, options = operation.first, operation.options
    if options.ellipsisMask or options.newAxisMask or options.shrinkAxisMask:
        raise LooksBeyondError("changes the axes")
    begin, _, step = (constant_array(tensor)[rows.axis] for tensor in operation.node.inputs[1:])
    if step != 1 or (begin and not options.beginMask >> rows.axis & 1):
        raise LooksBeyondError("leaves out the window's begin")
    return rows


def _reshaped(operation: Operation) -> Rows:
    """Some rows side by side become one; the axes before that of time keep their size."""
    rows = operation.first
    (before, after), axis = (operation.node.inputs[0].shape, operation.node.outputs[0].shape), rows.axis
    sizes = [1, *accumulate(after, mul)]
    places = [place for place in range(len(after)) if sizes[place] == prod(before[:axis])]
    joined = [before[axis] // after[place] for place in places if after[place] and before[axis] % after[place] == 0]
    if not joined:
        raise LooksBeyondError("mixes rows with other axes")
    fewest = min(joined)
    place = next(p for p in places if after[p] * fewest == before[axis])
    return Rows(place, rows.stride * fewest, rows.field + (fewest - 1) * rows.stride)


_VALID = 1
"""Of the schema's Padding."""
_RULES: dict[str, Callable[[Operation], Rows]] = {
    "ADD": _same_row,
    "SUB": _same_row,
    "MUL": _same_row,
    "QUANTIZE": _same_row,
    "DEQUANTIZE": _same_row,
    "RELU": _same_row,
    "RELU6": _same_row,
    "LOGISTIC": _same_row,
    "TANH": _same_row,
    "RSQRT": _same_row,
    "SOFTMAX": _normalised,
    "L2_NORMALIZATION": _normalised,
    "CONCATENATION": _concatenated,
    "BATCH_MATMUL": _multiplied,
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved,
    "MAX_POOL_2D": _pooled,
    "AVERAGE_POOL_2D": _pooled,
    "TRANSPOSE": _transposed,
    "STRIDED_SLICE": _sliced,
    "RESHAPE": _reshaped,
}
