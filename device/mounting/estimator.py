"""How a sensor is turned, from what it measures in a few minutes of wear, without labels.

The likelihood of a window under a turn is that of a mixture of the classes of the model's reference. Windows that are
alike say the same thing again: of each kind of motion and posture only so many count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import MOUNTINGS, MountingReference
from deseptr.contract.mounting_features import corrected_features, mounting_features

from .likelihoods import FoundMounting, TurnLikelihoods

# Limits between kinds of motion: standard deviation of the acceleration, g.
_STRENGTHS = (0.03, 0.15, 0.5)
COUNTED_WINDOWS = 20
"""Of each kind, so many windows count."""
CLEAR_LEAD = 50.0
"""Natural logarithm of the likelihood ratio to the next best turn from which on a turn is known."""
LEAST_WINDOWS = 24


class MountingEstimator:
    """Accumulates windows, and says how their sensor is turned.

    Args:
        reference: of the model's training.
        channels: of the windows.

    >>> from deseptr.contract import ClassMotion
    >>> upright = ClassMotion("still", (-7.0, 0, 0, 1.0) + (0.0,) * 6, (1.0, 0.1, 0.1, 0.1) + (1.0,) * 6)
    >>> estimator = MountingEstimator(MountingReference((upright,)), ("acc_x", "acc_y", "acc_z"))
    >>> estimator.add(np.full((128, 3), [0, 0, -9.8], np.float32))
    >>> estimator.found().turns[0].degrees
    180
    """

    def __init__(self, reference: MountingReference, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        self._likelihoods = TurnLikelihoods(reference)
        self._direction = 1 if reference.sensors == ("acc",) else 2
        self.reset()

    def reset(self) -> None:
        """Forget the windows so far."""
        kinds = 6 * (len(_STRENGTHS) + 1)
        self._sums, self._counts = np.zeros((kinds, len(MOUNTINGS))), np.zeros(kinds, np.int64)

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take one more window ``[window_length, channel]``, as measured, m/s^2 and rad/s."""
        features = mounting_features(samples[None], self._channels)
        kind = self._kind(features[0])
        by_class = self._likelihoods.by_class(corrected_features(features)[:, 0])
        self._sums[kind] += np.logaddexp.reduce(by_class, axis=1)
        self._counts[kind] += 1

    def found(self) -> FoundMounting:
        """The turn that explains the windows so far best."""
        counted = np.minimum(self._counts, COUNTED_WINDOWS) / np.maximum(self._counts, 1)
        scores = (self._sums * counted[:, None]).sum(0)
        windows = int(self._counts.sum())
        turns, lead = self._likelihoods.best(scores)
        return FoundMounting(turns, lead, windows, clear=lead > CLEAR_LEAD and windows >= LEAST_WINDOWS)

    def _kind(self, features: NDArray[np.float64]) -> int:
        """Number of the kind of a window: the axis on which gravity is, its sign, and how strong motion is."""
        gravity = features[self._direction : self._direction + 3]
        axis = int(np.abs(gravity).argmax())
        side = 2 * axis + int(gravity[axis] < 0)
        return side * (len(_STRENGTHS) + 1) + int(np.searchsorted(np.log(_STRENGTHS), features[0]))
