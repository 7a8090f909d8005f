"""A convolution in the form that is fast on each backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def convolve(x: Any, kernel: Any, strides: Sequence[int] = (1, 1), padding: str = "valid") -> Any:
    """Convolution of ``[batch, rows, columns, inputs]`` with a kernel ``[rows, columns, inputs, outputs]``.

    On JAX it is one matrix product of the taps side by side. Folds that are trained together have kernels of their own,
    and XLA makes of such convolutions grouped ones, for which GPUs have slow kernels only, above all for gradients.

    Args:
        x: input.
        kernel: kernel.
        strides: stride along rows and columns.
        padding: ``"valid"`` or ``"same"``.
    """
    if keras.backend.backend() != "jax":
        return ops.conv(x, kernel, strides=tuple(strides), padding=padding)
    if padding == "same":
        axes = zip(x.shape[1:3], kernel.shape[:2], strides, strict=True)
        around = [_same(size, taps, stride) for size, taps, stride in axes]
        x = ops.pad(x, ((0, 0), *around, (0, 0)))
    rows, columns, inputs, outputs = kernel.shape
    (down, across), (height, width) = strides, x.shape[1:3]
    last_row, last_column = height - rows, width - columns
    taps = [
        x[:, i : i + last_row + 1 : down, j : j + last_column + 1 : across] for i in range(rows) for j in range(columns)
    ]
    side_by_side = taps[0] if len(taps) == 1 else ops.concatenate(taps, axis=-1)
    return ops.matmul(side_by_side, ops.reshape(kernel, (rows * columns * inputs, outputs)))


def _same(size: int, taps: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis for "same" padding, as TensorFlow has it."""
    missing = max((-(-size // stride) - 1) * stride + taps - size, 0)
    return missing // 2, missing - missing // 2
