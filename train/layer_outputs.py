"""How much a Keras model does for a window: its operations and their outputs, known before any of them runs."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any


def largest_output(model: Any) -> tuple[str, int]:
    """Name of the layer or operation with the largest output for one window, and how many numbers that has.

    Known are the outputs of whatever a functional or sequential model calls, also of such models in others. A batch,
    and whatever else is unknown before there is a window, counts as 1.
    """
    return max(((str(operation.name), size) for operation, size in _outputs(model)), key=lambda each: each[1])


def _outputs(model: Any) -> Iterator[tuple[Any, int]]:
    yield model, 0
    # The innermost of those that give the same comes first.
    for layer in reversed((model, *model._flatten_layers())):
        for operation in {id(each): each for each in (layer, *getattr(layer, "operations", ()))}.values():
            for node in operation._inbound_nodes:
                for tensor in node.output_tensors:
                    yield operation, prod(size or 1 for size in tensor.shape)


def operations_of(model: Any) -> int:
    """Number of layers and operations that run for one window, each as often as it is called.

    Those of a functional or sequential model are the calls in its graph, also of such models in others; any other layer
    calls each of its layers once.
    """
    return _operations(model, {})


def _operations(operation: Any, known: dict[int, int]) -> int:
    if id(operation) not in known:
        # A Sequential model has a functional one inside once it is built.
        graph = getattr(operation, "_functional", None) or operation
        depths = getattr(graph, "_nodes_by_depth", None)
        called = getattr(operation, "_layers", ()) if depths is None else _called(depths)
        known[id(operation)] = 1 + sum(_operations(part, known) for part in called)
    return known[id(operation)]


def _called(depths: dict[int, list[Any]]) -> Iterator[Any]:
    for nodes in depths.values():
        yield from (node.operation for node in nodes)
