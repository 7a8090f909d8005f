"""The sizes of what a Keras model's layers give for a window, known before any of them runs."""

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
