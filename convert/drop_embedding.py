"""A converted graph without its embedding, for a model whose embedding is too noisy to be of use."""

from __future__ import annotations

from deseptr.tflite.extract import extract
from deseptr.tflite.graph import as_graph, unpack


def without_embedding(flatbuffer: bytes) -> bytes:
    """The operations that the logits need, with their weights and scales, so with the same logits to the bit.

    Args:
        flatbuffer: with an output named ``embedding``, without an archive.
    """
    model = unpack(flatbuffer)
    graph = as_graph(model)
    needed, kept = {graph.logits.index}, []
    for number, node in reversed(list(enumerate(graph.nodes))):
        if needed & {tensor.index for tensor in node.outputs}:
            kept.append(number)
            needed |= {tensor.index for tensor in node.inputs}
    return extract(model, kept[::-1], [tensor.index for tensor in graph.inputs], [graph.logits.index])
