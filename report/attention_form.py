"""How a converted graph computes attention and why, derived from the graph itself."""

from __future__ import annotations

from deseptr.tflite.graph import Graph, Node, Tensor

_MOVES = {"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE"}
_PROJECTIONS = {"CONV_2D", "FULLY_CONNECTED"}

_FOLDED = (
    "One head, whose key and output projections are folded away: softmax(q·(Kx)ᵀ) = softmax((qK)·xᵀ), so that the "
    "tokens themselves are the keys, and O·(A·V·x) = A·((OV)·x), so that the weighted sum is the output."
)
_HEADS = (
    "Several heads, which keep their key and output projections: folded, each head's products would be as wide as a "
    "whole token, and the heads together so many times the work."
)
_SYMMETRIC = (
    "Values are symmetric (zero point 0), so that XNNPACK multiplies them; keys are transposed, which the runtime's "
    "own kernel multiplies as fast, and keep their calibrated zero point."
)


def attention_form(graph: Graph) -> list[str]:
    """One sentence each on folded weights, int8 operands and norms; empty for a graph without attention."""
    writers = {output.index: node for node in graph.nodes for output in node.outputs}
    products = [node for node in graph.nodes if node.op == "BATCH_MATMUL"]
    of_values = [node for node in products if _origin(node.inputs[0], writers) == "SOFTMAX"]
    of_keys = [node for node in products if node not in of_values]
    if not (of_keys and of_values):
        return []
    projected = any(_origin(node.inputs[1], writers) in _PROJECTIONS for node in of_keys)
    sentences = [_HEADS if projected else _FOLDED]
    if all(_symmetric_int8(node.inputs[1]) for node in of_values):
        sentences.append(_SYMMETRIC)
    return [*sentences, _norms(graph)]


def _origin(tensor: Tensor, writers: dict[int, Node]) -> str:
    """The operation that computes a tensor or its source; empty for the graph's input and for weights."""
    while (writer := writers.get(tensor.index)) is not None and writer.op in _MOVES:
        tensor = writer.inputs[0]
    return "" if writer is None else writer.op


def _symmetric_int8(tensor: Tensor) -> bool:
    return tensor.type == "INT8" and not tensor.zero_points.any()


def _norms(graph: Graph) -> str:
    products, single = (graph.ops.get(op, 0) for op in ("RSQRT", "L2_NORMALIZATION"))
    if not products:
        return (
            f"All {single} norms are L2_NORMALIZATION: tokens are few, or 16-bit, where the faster x·rsqrt(Σx²) does "
            "not pay or has no kernel."
        )
    return (
        f"Norms of the residual stream are x·rsqrt(Σx²) where tokens are many ({products} of them), whose products and "
        f"sums are vectorised; the other {single} are L2_NORMALIZATION, which goes value by value and sums in 32 bits."
    )
