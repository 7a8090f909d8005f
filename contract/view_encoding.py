"""The arithmetic of :class:`deseptr.contract.InputViews`, apart from it: reading a contract does not need numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .views import LARGEST, SMALLEST, STEPS


def encode_views(
    history: int, thresholds: Sequence[int], samples: ArrayLike, input_range: Sequence[float]
) -> NDArray[np.int8]:
    """Views int8 ``[…, window_length, 2·channels]`` of samples ``[…, history + window_length, channels]``.

    Raises:
        ValueError: if there are not more samples than ``history``.
    """
    steps = in_steps(samples, input_range)
    if steps.shape[-2] <= history:
        raise ValueError(f"samples must be more than the history of {history}. Received: shape {list(steps.shape)}")
    own = steps[..., history:, :]
    deviation = (history + 1) * own - _trailing_sums(steps, history + 1)
    level = np.searchsorted(np.array(thresholds), np.abs(deviation), "right")
    coarse = np.minimum((own + 128) >> 8, 127)
    return np.concatenate([coarse, np.sign(deviation) * level], -1).astype(np.int8)


def in_steps(samples: ArrayLike, input_range: Sequence[float]) -> NDArray[np.int32]:
    """Samples ``[…, channels]`` in steps of ``input_range / 32640``, rounded half to even, saturated to 16 bits."""
    steps = np.rint(np.asarray(samples, np.float32) / step_sizes(input_range))
    return np.asarray(np.clip(steps, SMALLEST, LARGEST), np.int32)


def step_sizes(input_range: Sequence[float]) -> NDArray[np.float32]:
    """Steps float32 ``[channels]`` of a 16-bit sample in SI units."""
    return (np.array(input_range, np.float64) / STEPS).astype(np.float32)


def _trailing_sums(values: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    """Sums of ``length`` successive values along the last axis but one, by doubling."""
    done = 1
    while done < length:
        values = values[..., done:, :] + values[..., :-done, :]
        done *= 2
    return values
