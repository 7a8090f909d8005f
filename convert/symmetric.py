"""Zero point 0 for the right operands of int8 BATCH_MATMULs, as required by the fast kernels.

XNNPACK multiplies two int8 activations only if the right operand is symmetric; other products run on a portable kernel.
That kernel transposes a right operand that is not yet transposed and takes several times as long; operands that are
already transposed, such as keys, it multiplies as fast or faster. The operation that writes the operand requantises to
whatever scale its output has: only two numbers per tensor change, at the cost of at most the one bit by which the range
is asymmetric.
"""

from __future__ import annotations

from typing import Any

from deseptr.tflite.graph import Graph, Node, Tensor, as_graph

_MOVES = {"RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SQUEEZE"}
_TAKES_ANY_SCALE = {"CONV_2D", "BATCH_MATMUL", "MUL", "ADD", "SUB", "L2_NORMALIZATION", "MEAN", "FULLY_CONNECTED"}
_REQUANTISES = {"CONV_2D", "MUL", "ADD", "SUB", "BATCH_MATMUL", "FULLY_CONNECTED"}
_SMALLEST, _LARGEST = -128, 127


def make_operands_symmetric(model: Any) -> None:
    """Set zero point 0 in the right operand of every int8 BATCH_MATMUL, unless it is transposed.

    An operand is not changed if its producer has a fixed scale (L2_NORMALIZATION, which is symmetric already), or if a
    reader requires the same scale for its output, as pooling does.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it; it is changed.
    """
    graph = as_graph(model)
    tensors = model.subgraphs[0].tensors
    for node, operator in zip(graph.nodes, model.subgraphs[0].operators, strict=True):
        if node.op != "BATCH_MATMUL" or node.inputs[1].type != "INT8" or operator.builtinOptions.adjY:
            continue
        source = _source(node.inputs[1], graph)
        copies = _copies(source, graph)
        if source is not None and all(_rescalable(copy, graph) for copy in copies):
            for copy in copies:
                tensors[copy.index].quantization.scale = [_symmetric_scale(source)]
                tensors[copy.index].quantization.zeroPoint = [0]


def _source(tensor: Tensor, graph: Graph) -> Tensor | None:
    """The computed tensor that ``tensor`` is a rearrangement of; None if its producer does not requantise."""
    writers = {output.index: node for node in graph.nodes for output in node.outputs}
    while (writer := writers.get(tensor.index)) is not None and writer.op in _MOVES:
        tensor = writer.inputs[0]
    return tensor if writer is not None and writer.op in _REQUANTISES and tensor.scales.size == 1 else None


def _copies(source: Tensor | None, graph: Graph) -> list[Tensor]:
    """A tensor and all its rearrangements, which must have the same scale."""
    found = [] if source is None else [source]
    for tensor in found:
        found += [output for node in _readers(tensor, graph) if node.op in _MOVES for output in node.outputs]
    return found


def _rescalable(tensor: Tensor, graph: Graph) -> bool:
    return all(node.op in _MOVES | _TAKES_ANY_SCALE for node in _readers(tensor, graph))


def _readers(tensor: Tensor, graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if any(tensor.index == read.index for read in node.inputs)]


def _symmetric_scale(tensor: Tensor) -> float:
    """Scale that covers a tensor's range with zero point 0; unchanged if the zero point is already 0."""
    zero_point = int(tensor.zero_points[0])
    widest = max(zero_point - _SMALLEST - 1, _LARGEST - zero_point)
    return float(tensor.scales[0]) * widest / _LARGEST
