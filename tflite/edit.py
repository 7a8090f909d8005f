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
        model: as :func:`deseptr.tflite.graph.unpack` gives it; it is changed.
        name: of the tensor.
        shape: of the tensor.
        kind: element type, as the schema names it.
        scale: of a quantised tensor, whose zero point is 0.
        content: of a constant.

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
    """An operation of the first subgraph, which the caller puts into its place.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` gives it; its list of operations is added to.
        op: as the schema names it.
        inputs: indices of the tensors read.
        output: index of the tensor written.
        version: of the operation.
        options: the schema's name of the operation's options, left at their defaults.
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
