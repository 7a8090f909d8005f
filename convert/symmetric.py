"""Zero point 0 for the right operands of int8 BATCH_MATMULs, without which they leave the fast kernels.

XNNPACK multiplies two int8 activations only where the right one is symmetric; any other goes to a portable kernel. That
one transposes a right operand that is not transposed yet and takes several times as long; one that is, keys, it
multiplies as fast or faster. What writes the operand requantises to whatever scale its output has, so the change is
one of two numbers a tensor, and costs at most the bit by which the range is lopsided.
"""

from __future__ import annotations

from deseptr.tflite.graph import Graph, Node, Tensor, pack, read_graph, unpack

_MOVES = {"RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SQUEEZE"}
_TAKES_ANY_SCALE = {"CONV_2D", "BATCH_MATMUL", "MUL", "ADD", "SUB", "L2_NORMALIZATION", "MEAN", "FULLY_CONNECTED"}
_REQUANTISES = {"CONV_2D", "MUL", "ADD", "SUB", "BATCH_MATMUL", "FULLY_CONNECTED"}
_SMALLEST, _LARGEST = -128, 127


def with_symmetric_operands(content: bytes) -> bytes:
    """The flatbuffer with zero point 0 in what every int8 BATCH_MATMUL multiplies with, unless it comes transposed.

    An operand is left as it is where what writes it has a scale of its own (L2_NORMALIZATION, which is symmetric
    already), or where a reader hands its scale on, as pooling does.
    """
    graph = read_graph(content)
    model = unpack(content)
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
    return pack(model)


def _source(tensor: Tensor, graph: Graph) -> Tensor | None:
    """What a computation wrote of which a tensor is a rearrangement; None where the writer does not requantise."""
    writers = {output.index: node for node in graph.nodes for output in node.outputs}
    while (writer := writers.get(tensor.index)) is not None and writer.op in _MOVES:
        tensor = writer.inputs[0]
    return tensor if writer is not None and writer.op in _REQUANTISES and tensor.scales.size == 1 else None


def _copies(source: Tensor | None, graph: Graph) -> list[Tensor]:
    """A tensor and all rearrangements of it, which must have its scale."""
    found = [] if source is None else [source]
    for tensor in found:
        found += [output for node in _readers(tensor, graph) if node.op in _MOVES for output in node.outputs]
    return found


def _rescalable(tensor: Tensor, graph: Graph) -> bool:
    return all(node.op in _MOVES | _TAKES_ANY_SCALE for node in _readers(tensor, graph))


def _readers(tensor: Tensor, graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if any(tensor.index == read.index for read in node.inputs)]


def _symmetric_scale(tensor: Tensor) -> float:
    """Scale that holds a tensor's range with zero point 0; of one that has it already, its own."""
    zero_point = int(tensor.zero_points[0])
    widest = max(zero_point - _SMALLEST - 1, _LARGEST - zero_point)
    return float(tensor.scales[0]) * widest / _LARGEST
