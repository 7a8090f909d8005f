"""Float input and output around a quantised graph: raw windows in SI units in, real logits out.

A single scale for windows of m/s² and rad/s would leave two bits for the gyroscope. The division by the contract's
input range is therefore done in float before the graph quantises, as the runtime does for a graph with integer input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deseptr.tflite.edit import add_tensor, operator


def add_float_io(model: Any, input_range: Sequence[float]) -> None:
    """Add MUL and QUANTIZE before the input and DEQUANTIZE after the output.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it, with one quantised input
            ``[1, window_length, channels]`` and one quantised output; it is changed.
        input_range: SI value of each channel that corresponds to 1.0 at the quantised input.
    """
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
