"""A part of a graph as a flatbuffer of its own, with the weights that it reads and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph import pack


def extract(model: Any, numbers: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """A flatbuffer with some operations of the first subgraph.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it; it is changed.
        numbers: of the operations, in their order.
        inputs: indices of the tensors that become inputs.
        outputs: indices of the tensors that become outputs.
    """
    graph = model.subgraphs[0]
    kept = [graph.operators[number] for number in numbers]
    tensors = _Kept(graph.tensors, [*inputs, *(i for op in kept for i in (*op.inputs, *op.outputs) if i >= 0)])
    codes = _Kept(model.operatorCodes, [op.opcodeIndex for op in kept])
    # The schema reserves the first buffer, which is empty, for tensors without content.
    buffers = _Kept(model.buffers, [0, *(t.buffer for t in tensors.items if model.buffers[t.buffer].data is not None)])
    for operator in kept:
        operator.opcodeIndex = codes.place[operator.opcodeIndex]
        operator.inputs = [tensors.place.get(int(i), -1) for i in operator.inputs]
        operator.outputs = [tensors.place[int(i)] for i in operator.outputs]
    for tensor in tensors.items:
        tensor.buffer = buffers.place.get(tensor.buffer, 0)
    graph.operators, graph.tensors = kept, tensors.items
    graph.inputs, graph.outputs = ([tensors.place[i] for i in ends] for ends in (inputs, outputs))
    model.operatorCodes, model.buffers, model.subgraphs = codes.items, buffers.items, [graph]
    model.signatureDefs = model.metadata = model.metadataBuffer = None
    return pack(model)


class _Kept:
    """Items of a list that are kept, in their order, and the new place of each."""

    def __init__(self, items: Sequence[Any], wanted: Sequence[int]) -> None:
        numbers = sorted({int(number) for number in wanted})
        self.items = [items[number] for number in numbers]
        self.place = {number: place for place, number in enumerate(numbers)}
