"""Float input and output around a quantised graph: raw windows in SI units in, real logits out.

One scale for a window of m/s² and rad/s would leave the gyroscope two bits. So the division by the contract's input
range is done in float before the graph quantises, as the runtime does it for a graph with integer input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deseptr.tflite.edit import add_tensor, operator
from deseptr.tflite.graph import pack, unpack


def with_float_io(content: bytes, input_range: Sequence[float]) -> bytes:
    """The flatbuffer with MUL and QUANTIZE before its input and DEQUANTIZE behind its output.

    Args:
        content: a flatbuffer with one quantised input ``[1, window_length, channels]`` and one quantised output.
        input_range: SI value of each channel that the input calls 1.0.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    graph_input, graph_output = int(graph.inputs[0]), int(graph.outputs[0])
    factor = np.asarray([1.0 / value for value in input_range], np.float32)
    window = add_tensor(model, "window", graph.tensors[graph_input].shape)
    scale = add_tensor(model, "over_input_range", factor.shape, content=factor.tobytes())
    scaled = add_tensor(model, "scaled_window", graph.tensors[graph_input].shape)
    logits = add_tensor(model, "logits", graph.tensors[graph_output].shape)
    graph.operators = [
        operator(model, "MUL", [window, scale], scaled, options="MulOptions"),
        operator(model, "QUANTIZE", [scaled], graph_input),
        *graph.operators,
        operator(model, "DEQUANTIZE", [graph_output], logits),
    ]
    graph.inputs, graph.outputs = [window], [logits]
    model.signatureDefs = None
    return pack(model)
