"""Operations and tensors of a ``.tflite`` flatbuffer, and prefixes of its graph.

They are read with the schema that comes with ai-edge-litert; nothing is run here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, SetupError

from .graph_outputs import EMBEDDING


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a graph.

    Args:
        index: index among the graph's tensors.
        name: name given by the converter, which shows the layer.
        type: element type as named in the schema, ``INT8``.
        shape: shape; -1 for a dimension that is known only at run time.
        constant: bytes of a weight; None for an activation.
        scales: one per tensor or one per channel; empty for a tensor that is not quantised.
        zero_points: one for each scale.
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    constant: bytes | None = field(repr=False)
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]

    @property
    def is_dynamic(self) -> bool:
        """Whether a dimension is known only at run time."""
        return -1 in self.shape

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of a graph.

    Args:
        op: name of the operation, ``CONV_2D``; ``Flex…`` for a TensorFlow operation.
        version: version of the operation.
        inputs: weights and activations, without omitted ones.
        outputs: tensors that it writes.
    """

    op: str
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """Name of the first output, which shows the layer; empty without outputs."""
        return self.outputs[0].name if self.outputs else ""

    @property
    def is_flex(self) -> bool:
        """Whether it needs TensorFlow's kernels."""
        return self.op.startswith("Flex")

    @cached_property
    def activations(self) -> tuple[Tensor, ...]:
        """Inputs and outputs without weights."""
        return tuple(tensor for tensor in (*self.inputs, *self.outputs) if tensor.constant is None)

    @cached_property
    def weights(self) -> tuple[Tensor, ...]:
        """Constant inputs."""
        return tuple(tensor for tensor in self.inputs if tensor.constant is not None)

    @property
    def types(self) -> frozenset[str]:
        """Element types of its activations."""
        return frozenset(tensor.type for tensor in self.activations)

    @property
    def rank(self) -> int:
        """Largest rank of its activations."""
        return max((len(tensor.shape) for tensor in self.activations), default=0)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per inference; 0 for elementwise operations."""
        out = self.outputs[0].elements if self.outputs else 0
        if self.op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            height, width, inputs = self.inputs[1].shape[1:]
            return out * height * width * (inputs if self.op == "CONV_2D" else 1)
        if self.op in ("FULLY_CONNECTED", "BATCH_MATMUL"):
            return out * self.inputs[0].shape[-1]
        return 0


@dataclass(frozen=True, eq=False)
class Graph:
    """The first subgraph of a flatbuffer.

    Args:
        nodes: operations in order of execution.
        inputs: inputs of the graph.
        outputs: outputs of the graph.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def logits(self) -> Tensor:
        """The output of the logits: the one that is not named as the embedding."""
        return next(output for output in self.outputs if output.name != EMBEDDING or len(self.outputs) == 1)

    @property
    def embedding(self) -> Tensor | None:
        """The output of the embedding; None without one."""
        return next((output for output in self.outputs if output.name == EMBEDDING and output is not self.logits), None)

    @property
    def ops(self) -> dict[str, int]:
        """Number of each operation, the most frequent first."""
        return dict(Counter(node.op for node in self.nodes).most_common())

    @property
    def macs(self) -> int:
        """Multiply-accumulates per inference."""
        return sum(node.macs for node in self.nodes)


def read_graph(content: bytes, source: object = "model") -> Graph:
    """The graph of a ``.tflite`` file's content.

    Args:
        content: a flatbuffer, with or without an archive behind it.
        source: origin of the content, for the error message.

    Raises:
        ModelError: if it cannot be parsed.
        SetupError: if ai-edge-litert, which provides the schema, is not installed.

        >>> from importlib.resources import files
        >>> model = files("deseptr.device") / "models" / "deseptr_motionsense.tflite"
        >>> read_graph(model.read_bytes()).inputs[0].shape
        (1, 128, 12)
    """
    _schema()
    try:
        return as_graph(unpack(content))
    except Exception as error:  # struct, flatbuffers and numpy raise different exceptions for broken bytes
        raise _broken(source, error) from error


def as_graph(model: Any) -> Graph:
    """The graph of a model that :func:`unpack` returned."""
    schema = _schema()
    return _graph(model, _names(schema.BuiltinOperator), _names(schema.TensorType))


def prefix_graph(content: bytes, count: int) -> bytes:
    """A flatbuffer with only the first ``count`` operations of a graph and their weights.

    Its outputs are those of the last operation, and all tensors that only later operations or the caller of the whole
    graph read, since a runtime may leave out operations whose output is not read.

    Args:
        content: a flatbuffer that :func:`read_graph` reads.
        count: 1 to the number of its operations.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    kept, later = graph.operators[:count], graph.operators[count:]
    read_now, read_later = ({i for op in ops for i in op.inputs} for ops in (kept, later))
    awaited = read_later.union(graph.outputs) - read_now
    waiting = [i for op in kept[:-1] for i in op.outputs if i in awaited]
    graph.operators = kept
    graph.outputs = [*waiting, *kept[-1].outputs]
    weights = {graph.tensors[i].buffer for i in read_now if i >= 0}
    weights |= {tensor.buffer for other in model.subgraphs[1:] for tensor in other.tensors}
    model.buffers = [buffer if i in weights else type(buffer)() for i, buffer in enumerate(model.buffers)]
    model.signatureDefs = model.metadata = None
    return pack(model)


def unpack(content: bytes) -> Any:
    """The schema's ``ModelT`` of a flatbuffer, which can be changed and packed again."""
    return _schema().ModelT.InitFromPackedBuf(content, 0)


def pack(model: Any) -> bytes:
    """The flatbuffer of a ``ModelT``."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise SetupError(
            "ai-edge-litert",
            found="not installed",
            expected="its flatbuffer schema",
            next_step="`pip install ai-edge-litert`, or inspect this model on another machine",
        ) from error
    return schema_py_generated


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _graph(model: Any, ops: dict[int, str], types: dict[int, str]) -> Graph:
    graph = model.subgraphs[0]
    tensors = [_tensor(index, t, model.buffers, types) for index, t in enumerate(graph.tensors)]

    def chosen(indices: Any) -> tuple[Tensor, ...]:
        return tuple(tensors[i] for i in indices if i >= 0)

    nodes = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        op = code.customCode.decode() if code.customCode else ops[max(code.builtinCode, code.deprecatedBuiltinCode)]
        nodes.append(Node(op, int(code.version), chosen(operator.inputs), chosen(operator.outputs)))
    return Graph(tuple(nodes), chosen(graph.inputs), chosen(graph.outputs))


def _tensor(index: int, tensor: Any, buffers: Any, types: dict[int, str]) -> Tensor:
    data = buffers[tensor.buffer].data
    signature = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    quantization = tensor.quantization
    known = quantization is not None and quantization.scale is not None
    return Tensor(
        index,
        tensor.name.decode(),
        types[tensor.type],
        () if signature is None else tuple(int(n) for n in signature),
        None if data is None else bytes(bytearray(data)),
        np.asarray(quantization.scale if known else [], np.float32),
        np.asarray(quantization.zeroPoint if known else [], np.int64),
    )


def _broken(source: object, error: Exception) -> ModelError:
    return ModelError(
        source,
        found=f"a flatbuffer that cannot be parsed ({error})",
        expected="a complete .tflite file",
        next_step="convert its checkpoint again with `deseptr convert RUN`",
    )
