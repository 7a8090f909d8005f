"""Names for the outputs of a graph with an embedding: the converter neither keeps their order nor their names.

What it keeps is the signature, whose ``output_0`` and ``output_1`` are the function's results in their order. A
function with a gradient of its own, such as TensorFlow's silu, cannot be saved with a signature; the converter then
takes the frozen function, whose results are the tensors ``Identity`` and ``Identity_1``.
"""

from __future__ import annotations

from typing import Any

from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.graph_outputs import EMBEDDING

LOGITS = "logits"
_NAMES = {"output_0": LOGITS, "output_1": EMBEDDING}
_FROZEN = {"Identity": LOGITS, "Identity_1": EMBEDDING}


def with_named_outputs(flatbuffer: bytes) -> bytes:
    """A converter's flatbuffer with its second result as the tensor ``embedding`` and the second of its outputs.

    The signature, if there is one, calls them ``logits`` and ``embedding``. A graph of one output is returned as it is.

    Args:
        flatbuffer: of a function that returns logits, or logits and embedding.
    """
    model = unpack(flatbuffer)
    graph = model.subgraphs[0]
    if len(graph.outputs) == 1:
        return flatbuffer
    found = _by_signature(model) if model.signatureDefs else _by_tensor(graph)
    graph.outputs = [found[name] for name in (LOGITS, EMBEDDING)]
    graph.tensors[found[EMBEDDING]].name = EMBEDDING
    return pack(model)


def _by_signature(model: Any) -> dict[str, int]:
    """Index of each result's tensor, by the signature, which gets our names."""
    (signature,) = model.signatureDefs
    for output in signature.outputs:
        name = output.name.decode()
        output.name = _NAMES.get(name, name)
    return {output.name: output.tensorIndex for output in signature.outputs}


def _by_tensor(graph: Any) -> dict[str, int]:
    """Index of each result's tensor in a frozen function, by the tensor's name."""
    names = {index: graph.tensors[index].name.decode() for index in graph.outputs}
    return {_FROZEN.get(name, name): index for index, name in names.items()}
