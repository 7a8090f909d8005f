"""Float input and outputs around a quantised graph: raw windows in SI units in, real logits and embedding out.

A single scale for windows of m/s² and rad/s would leave two bits for the gyroscope. The division by the contract's
input range is therefore done in float before the graph quantises, as the runtime does for a graph with integer input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deseptr.tflite.edit import add_tensor, operator
from deseptr.tflite.graph_outputs import EMBEDDING


def add_float_io(model: Any, input_range: Sequence[float]) -> None:
    """Add MUL and QUANTIZE before the input and DEQUANTIZE after each output.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it, with one quantised input
            ``[1, window_length, channels]``, and quantised logits and embedding or logits alone; it is changed.
        input_range: SI value of each channel that corresponds to 1.0 at the quantised input.
    """
    graph = model.subgraphs[0]
    graph_input = int(graph.inputs[0])
    factor = np.asarray([1.0 / value for value in input_range], np.float32)
    window = add_tensor(model, "window", graph.tensors[graph_input].shape)
    scale = add_tensor(model, "over_input_range", factor.shape, content=factor.tobytes())
    scaled = add_tensor(model, "scaled_window", graph.tensors[graph_input].shape)
    outputs = [int(i) for i in graph.outputs]
    real = [_float_output(model, index) for index in outputs]
    graph.operators = [
        operator(model, "MUL", [window, scale], scaled, options="MulOptions"),
        operator(model, "QUANTIZE", [scaled], graph_input),
        *graph.operators,
        *(operator(model, "DEQUANTIZE", [index], made) for index, made in zip(outputs, real, strict=True)),
    ]
    graph.inputs, graph.outputs = [window], real
    model.signatureDefs = None


def _float_output(model: Any, index: int) -> int:
    """Add the float tensor of an output, which takes over the name of an embedding."""
    tensor = model.subgraphs[0].tensors[index]
    embedded = tensor.name in (EMBEDDING, EMBEDDING.encode())
    if embedded:
        tensor.name = f"quantised_{EMBEDDING}"
    return add_tensor(model, EMBEDDING if embedded else "logits", tensor.shape)
