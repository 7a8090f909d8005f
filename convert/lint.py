"""What a flatbuffer is made of, and whether that keeps the promise of a full int8 graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from deseptr.contract import ConversionError

MAX_RANK = 4


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Args:
        op: its name, ``CONV_2D``, or ``Flex…`` for an op of TensorFlow's.
        name: name of its first output, which tells the layer.
        types: element types of its activations, in and out.
        rank: largest rank among them.
    """

    op: str
    name: str
    types: frozenset[str]
    rank: int

    @property
    def is_flex(self) -> bool:
        """Whether it needs TensorFlow's kernels."""
        return self.op.startswith("Flex")

    @property
    def is_int8(self) -> bool:
        """Whether every activation it touches is int8."""
        return self.types == {"INT8"}


def read_nodes(flatbuffer: bytes) -> list[Node]:
    """The operations of a flatbuffer's first subgraph, in order of execution."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    ops = _names(schema.BuiltinOperator)
    types = _names(schema.TensorType)
    graph = model.subgraphs[0]
    return [_node(node, model, graph, ops, types) for node in graph.operators]


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _node(node: Any, model: Any, graph: Any, ops: dict[int, str], types: dict[int, str]) -> Node:
    code = model.operatorCodes[node.opcodeIndex]
    op = code.customCode.decode() if code.customCode else ops[max(code.builtinCode, code.deprecatedBuiltinCode)]
    indices = [index for index in (*node.inputs, *node.outputs) if index >= 0]
    activations = [t for t in (graph.tensors[i] for i in indices) if model.buffers[t.buffer].data is None]
    return Node(
        op,
        graph.tensors[node.outputs[0]].name.decode(),
        frozenset(types[t.type] for t in activations),
        max(0 if t.shape is None else len(t.shape) for t in activations),
    )


def count_ops(nodes: list[Node]) -> dict[str, int]:
    """How often each operation occurs, the most frequent first."""
    return dict(Counter(node.op for node in nodes).most_common())


def non_int8_ops(nodes: list[Node]) -> list[str]:
    """Operations with an activation that is not int8, each with the layer it comes from."""
    return [f"{node.op} ({node.name})" for node in nodes if not node.is_int8]


def check(nodes: list[Node], thing: object) -> None:
    """Refuse a graph with Flex ops, float islands or activations of rank above 4.

    Raises:
        ConversionError: naming the operations and their layers.
    """
    _refuse(thing, [n for n in nodes if n.is_flex], "operations that need TensorFlow", "built-in operations")
    _refuse(thing, [n for n in nodes if not n.is_int8], "float islands", "int8 activations throughout")
    _refuse(thing, [n for n in nodes if n.rank > MAX_RANK], "activations of high rank", f"rank {MAX_RANK} at most")


def _refuse(thing: object, nodes: list[Node], what: str, expected: str) -> None:
    if nodes:
        listed = ", ".join(f"{n.op} ({n.name})" for n in nodes[:5]) + (", …" if len(nodes) > 5 else "")
        raise ConversionError(thing, found=f"{what}: {listed}", expected=expected, next_step="lower these layers")
