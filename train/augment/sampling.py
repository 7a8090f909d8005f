"""Linear interpolation between the samples of a batch, for layers that shift or warp their input."""

from __future__ import annotations

from typing import Any

from keras import ops


def gather_rows(rows: Any, index: Any) -> Any:
    """Rows ``[batch, n, channels]`` at indices ``[batch, m]`` (int32) of each example: ``[batch, m, channels]``.

    One flat gather moves whole rows; ``take_along_axis`` would look up every channel separately.
    """
    batch, count, channels = ops.shape(rows)[0], rows.shape[1], rows.shape[2]
    first = ops.expand_dims(ops.arange(batch, dtype="int32") * count, -1)
    return ops.take(ops.reshape(rows, (batch * count, channels)), first + index, axis=0)


def neighbours(position: Any, size: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Samples below and above each position on an axis of length ``size``: the index (int32) and weight of each.

    Positions beyond an end are clipped to it.
    """
    held = ops.clip(position, 0.0, size - 1.0)
    below = ops.floor(held)
    index, above = ops.cast(below, "int32"), held - below
    return (index, 1.0 - above), (ops.minimum(index + 1, size - 1), above)


def resample(windows: Any, position: Any) -> Any:
    """Windows ``[batch, time, channels]`` at positions ``[batch, time]`` in samples: interpolated, ends held."""
    both = neighbours(position, windows.shape[1])
    return sum(gather_rows(windows, index) * ops.expand_dims(weight, -1) for index, weight in both)
