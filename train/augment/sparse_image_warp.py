"""Sparse image warp: some points of an image are moved, others are fixed, and a spline interpolates between them.

Points are (row, column) in pixels. The interpolation is a thin-plate spline. The fixed points are the same for all
examples of a batch: whatever depends only on them is computed once, and the system that remains for each example is
only as large as its number of moved points.

Reference: ``tfa.image.sparse_image_warp`` of TensorFlow Addons, with interpolation order 2 and no regularisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from .sampling import gather_rows, neighbours

Points = tuple[tuple[float, float], ...]
_TINY = 1e-12


def sparse_image_warp(image: Any, source: Any, destination: Any, held: Points, axes: Sequence[int] = (0, 1)) -> Any:
    """Move the image content at ``source`` to ``destination``.

    Args:
        image: ``[batch, rows, columns, channels]``, with static sizes except the batch.
        source: ``[batch, points, 2]``.
        destination: the same shape; all points different from each other and from the fixed points.
        held: fixed points, three or more and not all on one line.
        axes: coordinates along which points move, 0 for rows and 1 for columns; one alone costs half as much.

    Returns:
        The warped image, with the shape of ``image``.
    """
    rows, columns = image.shape[1:3]
    moves = ops.stack([destination[..., axis] - source[..., axis] for axis in axes], axis=-1)
    return dense_image_warp(image, spline_flow((rows, columns), destination, moves, held), axes)


def dense_image_warp(image: Any, flow: Any, axes: Sequence[int] = (0, 1)) -> Any:
    """Read each pixel from where the flow says it came from: bilinear, positions outside are clipped to the edge.

    Args:
        image: ``[batch, rows, columns, channels]``.
        flow: pixels along each of ``axes``, ``[batch, rows, columns, axes]``; position − flow is read.
        axes: see :func:`sparse_image_warp`.
    """
    rows, columns, channels = image.shape[1:]
    flow = ops.reshape(flow, (-1, rows * columns, len(axes)))
    corners: list[tuple[Any, Any]] = [(0, 1.0)]
    places = ops.convert_to_tensor(np.indices((rows, columns), np.int32).reshape(2, -1))
    for axis, (size, stride) in enumerate(((rows, columns), (columns, 1))):
        if axis in axes:
            position = ops.cast(places[axis], flow.dtype) - flow[..., axes.index(axis)]
            corners = [
                (i + stride * at, share * part) for i, share in corners for at, part in neighbours(position, size)
            ]
        else:
            corners = [(i + stride * places[axis], share) for i, share in corners]
    pixels = ops.reshape(image, (-1, rows * columns, channels))
    warped = sum(gather_rows(pixels, index) * ops.expand_dims(share, -1) for index, share in corners)
    return ops.reshape(warped, (-1, rows, columns, channels))


def spline_flow(shape: tuple[int, int], points: Any, moves: Any, held: Points) -> Any:
    """Flow over an image of (rows, columns): ``moves`` at ``points``, zero at ``held``, a spline between.

    With held points H, the spline that is zero on them is a sum of K(x, p) over the moved points p, where
    K(x, y) = φ(x, y) − b(x) A⁻¹ b(y)ᵀ, φ = r² log r, b(x) = [φ(x, H), 1, x] and A is the spline's matrix on H.

    Args:
        shape: rows and columns.
        points: ``[batch, points, 2]``.
        moves: along some axes, ``[batch, points, axes]``.
        held: see :func:`sparse_image_warp`.

    Returns:
        ``[batch, rows, columns, axes]``.
    """
    spline = _held_spline(shape, held)
    fixed, grid = ops.convert_to_tensor(spline.held), ops.convert_to_tensor(spline.grid)
    unit = points / max(shape)
    basis = _basis(unit, fixed, ops)
    to_grid = _thin_plate(unit, grid, ops) - ops.matmul(basis, spline.grid_weights)
    to_points = _thin_plate(unit, unit, ops) - ops.matmul(ops.matmul(basis, spline.inverse), ops.swapaxes(basis, 1, 2))
    flow = ops.matmul(ops.swapaxes(to_grid, 1, 2), ops.solve(to_points, moves))
    return ops.reshape(flow, (-1, *shape, moves.shape[-1]))


@dataclass(frozen=True)
class _HeldSpline:
    """Part of the spline that depends only on the fixed points and the image size; lengths over the longer side.

    Args:
        held: fixed points ``[held, 2]``.
        grid: all pixels, row by row, ``[pixels, 2]``.
        inverse: A⁻¹, ``[held + 3, held + 3]``.
        grid_weights: A⁻¹ b(grid)ᵀ, ``[held + 3, pixels]``.
    """

    held: NDArray[np.float32]
    grid: NDArray[np.float32]
    inverse: NDArray[np.float32]
    grid_weights: NDArray[np.float32]


@lru_cache(maxsize=16)
def _held_spline(shape: tuple[int, int], held: Points) -> _HeldSpline:
    unit = np.asarray(held) / max(shape)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2) / max(shape)
    on_held = _basis(unit, unit, np)
    no_force = np.hstack([on_held[:, len(unit) :].T, np.zeros((3, 3))])
    inverse = np.linalg.inv(np.vstack([on_held, no_force]))
    arrays = (unit, grid, inverse, inverse @ _basis(grid, unit, np).T)
    return _HeldSpline(*(array.astype(np.float32) for array in arrays))


def _basis(points: Any, held: Any, library: Any) -> Any:
    """b(points), ``[…, points, held + 3]``, by ``numpy`` or ``keras.ops``."""
    ones = library.ones_like(points[..., :1])
    return library.concatenate([_thin_plate(points, held, library), ones, points], axis=-1)


def _thin_plate(first: Any, second: Any, library: Any) -> Any:
    """r² log r between ``[…, n, 2]`` and ``[m, 2]`` or ``[…, m, 2]``: ``[…, n, m]``."""
    apart = [first[..., :, None, i] - second[..., None, :, i] for i in (0, 1)]
    squared = apart[0] ** 2 + apart[1] ** 2
    return 0.5 * squared * library.log(library.maximum(squared, _TINY))
