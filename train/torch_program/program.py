"""A program of ``torch.export``: operations of ATen on named values, with the weights as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Name(str):
    """Name of a value, as an argument."""

    __slots__ = ()


class Layer(NamedTuple):
    """The module of the network that an operation comes from.

    Args:
        path: its name in the network, as ``encoder.layers.0``; empty for the network itself.
        kind: its class.
    """

    path: str
    kind: str

    def __str__(self) -> str:
        return f"layer {self.path!r} ({self.kind})" if self.path else f"the module itself ({self.kind})"


@dataclass(frozen=True)
class Node:
    """An operation.

    Args:
        operation: its name in ATen without overload, as ``conv1d``; the whole name for one that is not of ATen.
        arguments: its arguments; a value is a :class:`Name`, several are a list of them.
        outputs: names of its results; a list of values is a tuple.
        layer: where it comes from.
    """

    operation: str
    arguments: Mapping[str, Any]
    outputs: tuple[str | tuple[str, ...], ...]
    layer: Layer


class Example(NamedTuple):
    """Windows and what the network gives for them in PyTorch.

    Args:
        windows: ``[n, window_length, channels]``.
        logits: ``[n, classes]``.
    """

    windows: NDArray[np.float32]
    logits: NDArray[np.float32]


@dataclass(frozen=True)
class Program:
    """A network of one window.

    Args:
        window: name of the input.
        shape: its shape, ``(1, window_length, channels)``.
        constants: weights and buffers by the name of their value.
        nodes: the operations, in order.
        logits: name of the output.
        example: windows to check the rewriting with; None if the file has none.
    """

    window: str
    shape: tuple[int, ...]
    constants: Mapping[str, NDArray[Any]]
    nodes: tuple[Node, ...]
    logits: str
    example: Example | None
