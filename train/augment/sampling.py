"""Values between the samples of a batch: what layers that move a window or a picture read it with."""

from __future__ import annotations

from typing import Any

from keras import ops


def gather_rows(rows: Any, index: Any) -> Any:
    """Rows ``[batch, n, channels]`` at an index of each example, ``[batch, m]`` (int32): ``[batch, m, channels]``.

    One flat gather moves whole rows, where ``take_along_axis`` would look every channel up by itself.
    """
    batch, count, channels = ops.shape(rows)[0], rows.shape[1], rows.shape[2]
    first = ops.expand_dims(ops.arange(batch, dtype="int32") * count, -1)
    return ops.take(ops.reshape(rows, (batch * count, channels)), first + index, axis=0)


def neighbours(position: Any, size: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The samples below and above each position on an axis of ``size``: index (int32) and weight of either.

    Positions beyond an end count as that end.
    """
    held = ops.clip(position, 0.0, size - 1.0)
    below = ops.floor(held)
    index, above = ops.cast(below, "int32"), held - below
    return (index, 1.0 - above), (ops.minimum(index + 1, size - 1), above)


def resample(windows: Any, position: Any) -> Any:
    """Windows ``[batch, time, channels]`` at positions ``[batch, time]`` in samples, linear between, the ends held."""
    both = neighbours(position, windows.shape[1])
    return sum(gather_rows(windows, index) * ops.expand_dims(weight, -1) for index, weight in both)
