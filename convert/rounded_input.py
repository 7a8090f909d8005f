"""The steps of an int8 input before a graph of 16 bits, whose model was trained on windows rounded to them.

A window in 16 bits says more than the model has ever heard: below the steps of 8 bits, what it takes for the quiet of a
lying wearer is a tremor. Upwards it saturates a step later than int8 does.
"""

from __future__ import annotations

from deseptr.tflite.edit import add_tensor, operator
from deseptr.tflite.graph import pack, unpack

_INT8_STEP = 1 / 127.5


def with_rounded_input(content: bytes, step: float = _INT8_STEP) -> bytes:
    """The flatbuffer with an input of that step, and a QUANTIZE from it to what was the input.

    Args:
        content: a flatbuffer with one int16 input.
        step: of the new input, in input ranges.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    before = int(graph.inputs[0])
    window = add_tensor(model, "rounded_window", graph.tensors[before].shape, kind="INT16", scale=step)
    graph.operators = [operator(model, "QUANTIZE", [window], before, version=2), *graph.operators]
    graph.inputs = [window]
    model.signatureDefs = None
    return pack(model)
