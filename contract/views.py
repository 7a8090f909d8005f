"""Two int8 views of each channel, which a graph takes in place of the window: one for posture and one for motion.

The coarse view is the sample in steps of 1/127.5 of the input range, as a plain int8 input has it. The fine view is the
sample less the mean of the last samples, so that gravity is gone, in steps that grow with its size: fine near zero,
where a standing person sways, and coarse where an int8 step would saturate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from .errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# The coarse view is the upper eight bits of a 16-bit sample: 256 steps of range / 32640 are one of range / 127.5.
STEPS = 32640
SMALLEST, LARGEST = -32768, 32767
LEVELS = 127
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
    step = math.asinh(curvature) / LEVELS
    return tuple(round(unit * math.sinh((level + 0.5) * step)) for level in range(LEVELS))


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

        >>> import numpy as np
        >>> still = np.full((31 + 2, 1), 9.81, np.float32)
        >>> InputViews().encode(still, input_range=(19.62,)).tolist()
        [[64, 0], [64, 0]]

        Args:
            samples: ``[…, history + window_length, channels]`` in SI units, the window's own samples last.
            input_range: of each channel, as in the contract.

        Raises:
            ValueError: if there are not more samples than ``history``.
        """
        from .view_encoding import encode_views

        return encode_views(self.history, self.thresholds, samples, input_range)


def _require(condition: bool, name: str, found: object, expected: str) -> None:
    if not condition:
        raise ModelError(f"contract.views.{name}", found=found, expected=expected, next_step="correct the contract")
