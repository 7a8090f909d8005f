"""Two int8 views of each channel, which a graph takes in place of the window: one for posture and one for motion.

The coarse view is the sample in steps of 1/128 of the input range, as a plain int8 input has it. The fine view is the
sample less the mean of the last samples, so that gravity is gone, in steps that grow with its size: fine near zero,
where a standing person sways, and coarse where an int8 step would saturate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ModelError

# A sample is a 16-bit integer whose coarse view are its upper eight bits: range / 32640 is 1/255 of range / 128.
STEPS = 32640
SMALLEST, LARGEST = -32768, 32767
LEVELS = 127
# The scale of the graph's input: view / 127.5 lies within ±1.
VIEW_SCALE = 1 / 127.5
# Sums of this many samples are exact in float32, in which training encodes.
_LONGEST_SUM = 256


def asinh_thresholds(history: int = 31, curvature: float = 200.0) -> tuple[int, ...]:
    """Thresholds of a fine view whose levels are evenly spaced in ``asinh(curvature · deviation / range)``.

    Args:
        history: samples before the window.
        curvature: how much finer the smallest steps are than the largest; the larger, the finer.

    >>> asinh_thresholds()[:3], asinh_thresholds()[-1]
    ((123, 370, 617), 1020130)
    """
    unit = (history + 1) * STEPS / curvature
    levels = (np.arange(LEVELS) + 0.5) / LEVELS * math.asinh(curvature)
    return tuple(round(unit * math.sinh(level)) for level in levels)


@dataclass(frozen=True)
class InputViews:
    """How a window becomes the int8 input of a graph.

    With ``q`` the samples in steps of ``input_range / 32640``, saturated to 16 bits, and ``h`` the ``history + 1``-fold
    of a sample's difference from the mean of itself and the ``history`` samples before it, the coarse view is
    ``(q + 128) >> 8``, and the fine one is the number of thresholds that ``|h|`` reaches, with the sign of ``h``. All
    are integers, so that every processor gets the same.

    Args:
        history: samples before the window that the fine view needs; one less than a power of two.
        thresholds: 127 increasing positive integers.

    Raises:
        ModelError: if one of them is something else.
    """

    history: int = 31
    thresholds: tuple[int, ...] = asinh_thresholds()

    def __post_init__(self) -> None:
        total = self.history + 1
        _require(
            2 <= total <= _LONGEST_SUM and total & (total - 1) == 0,
            "history",
            self.history,
            f"one less than a power of two, 1 to {_LONGEST_SUM - 1}",
        )
        limits = (0, *self.thresholds, 2**31)
        _require(
            len(self.thresholds) == LEVELS and all(a < b for a, b in pairwise(limits)),
            "thresholds",
            f"{len(self.thresholds)} integers, {', '.join(map(str, self.thresholds[:3]))} …",
            f"{LEVELS} increasing positive integers of 32 bits",
        )

    def encode(self, samples: ArrayLike, input_range: Sequence[float]) -> NDArray[np.int8]:
        """The views of windows, int8 ``[…, window_length, 2·channels]``: coarse columns first, fine columns after.

        >>> still = np.full((31 + 2, 1), 9.81, np.float32)
        >>> InputViews().encode(still, input_range=(19.62,)).tolist()
        [[64, 0], [64, 0]]

        Args:
            samples: ``[…, history + window_length, channels]`` in SI units, the window's own samples last.
            input_range: of each channel, as in the contract.

        Raises:
            ValueError: if there are not more samples than ``history``.
        """
        steps = in_steps(samples, input_range)
        if steps.shape[-2] <= self.history:
            raise ValueError(
                f"samples must be more than the history of {self.history}. Received: shape {list(steps.shape)}"
            )
        own = steps[..., self.history :, :]
        deviation = (self.history + 1) * own - _trailing_sums(steps, self.history + 1)
        level = np.searchsorted(np.array(self.thresholds), np.abs(deviation), "right")
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


def _require(condition: bool, name: str, found: object, expected: str) -> None:
    if not condition:
        raise ModelError(f"contract.views.{name}", found=found, expected=expected, next_step="correct the contract")
