"""Float input and output around a quantised graph: raw windows in SI units in, real logits out.

One scale for a window of m/s² and rad/s would leave the gyroscope two bits. So the division by the contract's input
range is done in float before the graph quantises, as the runtime does it for a graph with integer input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deseptr.device.graph import pack, read_graph, unpack

_FLOAT32 = 0


def with_float_io(content: bytes, input_range: Sequence[float]) -> bytes:
    """The flatbuffer with MUL and QUANTIZE before its input and DEQUANTIZE behind its output.

    Args:
        content: a flatbuffer with one quantised input ``[1, window_length, channels]`` and one quantised output.
        input_range: SI value of each channel that the input calls 1.0.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = unpack(content)
    graph = model.subgraphs[0]
    graph_input, graph_output = int(graph.inputs[0]), int(graph.outputs[0])
    factor = np.asarray([1.0 / value for value in input_range], np.float32)
    window = _tensor(schema, model, "window", graph.tensors[graph_input].shape)
    scale = _tensor(schema, model, "over_input_range", [len(factor)], factor.tobytes())
    scaled = _tensor(schema, model, "scaled_window", graph.tensors[graph_input].shape)
    logits = _tensor(schema, model, "logits", graph.tensors[graph_output].shape)
    options = schema.MulOptionsT()
    first = [
        _operator(schema, model, "MUL", [window, scale], scaled, (schema.BuiltinOptions.MulOptions, options)),
        _operator(schema, model, "QUANTIZE", [scaled], graph_input),
    ]
    graph.operators = [*first, *graph.operators, _operator(schema, model, "DEQUANTIZE", [graph_output], logits)]
    graph.inputs, graph.outputs = [window], [logits]
    model.signatureDefs = None
    return pack(model)


def without_float_io(content: bytes) -> bytes:
    """The flatbuffer without the QUANTIZE at its float input and the DEQUANTIZE at its float output, where it has them.

    TensorFlow's quantizer puts them around a graph of which some layers stay in float, whatever input it was asked for.
    """
    graph, model = read_graph(content), unpack(content)
    subgraph = model.subgraphs[0]
    first, last = graph.nodes[0], graph.nodes[-1]
    if first.op == "QUANTIZE" and first.inputs[0] in graph.inputs:
        subgraph.inputs = [first.outputs[0].index]
        subgraph.operators = subgraph.operators[1:]
    if last.op == "DEQUANTIZE" and last.outputs[0] in graph.outputs:
        subgraph.outputs = [last.inputs[0].index]
        subgraph.operators = subgraph.operators[:-1]
    model.signatureDefs = None
    return pack(model)


def _tensor(schema: Any, model: Any, name: str, shape: Any, constant: bytes | None = None) -> int:
    buffer = schema.BufferT()
    if constant is not None:
        buffer.data = np.frombuffer(constant, np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape, tensor.buffer = name, _FLOAT32, list(shape), len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _operator(schema: Any, model: Any, op: str, inputs: list[int], output: int, options: Any = None) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, op)
    code.version = 1
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes) - 1, inputs, [output]
    if options is not None:
        operator.builtinOptionsType, operator.builtinOptions = options
    return operator
