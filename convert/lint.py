"""What a flatbuffer is made of, and whether that keeps the promise of a full int8 graph."""

from __future__ import annotations

from collections.abc import Sequence

from deseptr.contract import ConversionError
from deseptr.device.graph import Node

MAX_RANK = 4
_INT8 = {"INT8"}


def non_int8_ops(nodes: Sequence[Node]) -> list[str]:
    """Operations with an activation that is not int8, each with the layer it comes from."""
    return [f"{node.op} ({node.name})" for node in nodes if node.types != _INT8]


def check(nodes: Sequence[Node], thing: object) -> None:
    """Refuse a graph with Flex ops, float islands or activations of rank above 4.

    Raises:
        ConversionError: naming the operations and their layers.
    """
    _refuse(thing, [n for n in nodes if n.is_flex], "operations that need TensorFlow", "built-in operations")
    _refuse(thing, [n for n in nodes if n.types != _INT8], "float islands", "int8 activations throughout")
    _refuse(thing, [n for n in nodes if n.rank > MAX_RANK], "activations of high rank", f"rank {MAX_RANK} at most")


def _refuse(thing: object, nodes: Sequence[Node], what: str, expected: str) -> None:
    if nodes:
        listed = ", ".join(f"{n.op} ({n.name})" for n in nodes[:5]) + (", …" if len(nodes) > 5 else "")
        raise ConversionError(thing, found=f"{what}: {listed}", expected=expected, next_step="lower these layers")
