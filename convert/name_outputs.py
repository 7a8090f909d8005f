"""Names for the outputs of a graph with an embedding: the converter neither keeps their order nor their names.

What it keeps is the signature, whose ``output_0`` and ``output_1`` are the function's results in their order.
"""

from __future__ import annotations

from typing import Any

from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.graph_outputs import EMBEDDING

LOGITS = "logits"
_NAMES = {"output_0": LOGITS, "output_1": EMBEDDING}


def with_named_outputs(flatbuffer: bytes) -> bytes:
    """A converter's flatbuffer with its second result as the tensor ``embedding`` and the second of its outputs.

    The signature calls them ``logits`` and ``embedding``. A graph of one output is returned as it is.

    Args:
        flatbuffer: of a function that returns logits, or logits and embedding.
    """
    model = unpack(flatbuffer)
    graph = model.subgraphs[0]
    if len(graph.outputs) == 1:
        return flatbuffer
    (signature,) = model.signatureDefs
    found = {_name(output): output for output in signature.outputs}
    for name, output in found.items():
        output.name = name
    graph.outputs = [found[name].tensorIndex for name in (LOGITS, EMBEDDING)]
    graph.tensors[found[EMBEDDING].tensorIndex].name = EMBEDDING
    return pack(model)


def _name(output: Any) -> str:
    name = output.name.decode()
    return _NAMES.get(name, name)
