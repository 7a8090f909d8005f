"""Adding tensors and operations to an unpacked flatbuffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def add_tensor(
    model: Any,
    name: str,
    shape: Any,
    *,
    kind: str = "FLOAT32",
    scale: float | None = None,
    content: bytes | None = None,
) -> int:
    """Add a tensor to the first subgraph.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it; it is changed.
        name: name of the tensor.
        shape: shape of the tensor.
        kind: element type, as named in the schema.
        scale: scale of a quantised tensor; its zero point is 0.
        content: content of a constant.

    Returns:
        The tensor's index.
    """
    from ai_edge_litert import schema_py_generated as schema

    buffer, tensor = schema.BufferT(), schema.TensorT()
    if content is not None:
        buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), len(model.buffers) - 1
    tensor.type = getattr(schema.TensorType, kind)
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def operator(
    model: Any, op: str, inputs: Sequence[int], output: int, *, version: int = 1, options: str | None = None
) -> Any:
    """Create an operation of the first subgraph; the caller inserts it into the list of operations.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it; the operation's code is added to it.
        op: name in the schema.
        inputs: indices of the tensors that are read.
        output: index of the tensor that is written.
        version: version of the operation.
        options: name of the operation's options in the schema; they keep their defaults.
    """
    from ai_edge_litert import schema_py_generated as schema

    code, made = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, op)
    code.version = version
    model.operatorCodes.append(code)
    made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, list(inputs), [output]
    if options is not None:
        made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        made.builtinOptions = getattr(schema, f"{options}T")()
    return made
