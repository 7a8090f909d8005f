"""How a sensor is turned, from what it measures in a few minutes of wear, without labels.

Each window is compared with the classes of the model's reference under each of 24 corrections: the likelihood is that
of a mixture of the classes, in which every feature has Student's t distribution, whose heavy tails leave room for other
wearers (Lange, Little and Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989). Windows that
are alike say the same thing again: of each kind of motion and posture only so many count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, MOUNTINGS, Mounting, MountingReference
from deseptr.contract.mounting_features import corrected_features, mounting_features

# Degrees of freedom: the heaviest tails that still have a variance.
_FREEDOM = 3.0
# Limits between kinds of motion: standard deviation of the acceleration, g.
_STRENGTHS = (0.03, 0.15, 0.5)
COUNTED_WINDOWS = 20
"""Of each kind, so many windows count."""
CLEAR_LEAD = 50.0
"""Natural logarithm of the likelihood ratio to the next best turn from which on a turn is known."""
LEAST_WINDOWS = 24


@dataclass(frozen=True, slots=True)
class FoundMounting:
    """An estimate of how a sensor is turned.

    Args:
        turns: the turns that explain the windows, best first; several if the training wearers wore it several ways
            round, so that these cannot be told apart.
        lead: natural logarithm of the likelihood ratio to the best other turn.
        windows: number of windows so far.
    """

    turns: tuple[Mounting, ...]
    lead: float
    windows: int

    @property
    def clear(self) -> bool:
        """Whether the estimate can be relied on."""
        return self.lead > CLEAR_LEAD and self.windows >= LEAST_WINDOWS

    @property
    def names(self) -> str:
        """Names of the turns, ``y90 or y270``."""
        return " or ".join(turn.name for turn in self.turns)

    def __str__(self) -> str:
        """As a part of a sentence: ``turned by 90° about x``."""
        return ", or ".join(map(str, self.turns))


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
        self._mean = np.array([each.mean for each in reference.classes])
        self._deviation = np.array([each.deviation for each in reference.classes])
        self._constant = -np.log(self._deviation).sum(1)
        self._alike = [_alike(turn, reference.turns) for turn in MOUNTINGS]
        # [turn, turn]: whether two turns can be told apart.
        self._differ = np.array([[set(one) != set(other) for other in self._alike] for one in self._alike])
        self._direction = 1 if len(self._mean[0]) == 10 else 2
        self.reset()

    def reset(self) -> None:
        """Forget the windows so far."""
        kinds = 6 * (len(_STRENGTHS) + 1)
        self._sums, self._counts = np.zeros((kinds, len(MOUNTINGS))), np.zeros(kinds, np.int64)

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take one more window ``[window_length, channel]``, as measured, m/s^2 and rad/s."""
        features = mounting_features(samples[None], self._channels)
        kind = self._kind(features[0])
        self._sums[kind] += self._likelihoods(corrected_features(features)[:, 0])
        self._counts[kind] += 1

    def found(self) -> FoundMounting:
        """The turn that explains the windows so far best."""
        counted = np.minimum(self._counts, COUNTED_WINDOWS) / np.maximum(self._counts, 1)
        scores = (self._sums * counted[:, None]).sum(0)
        best = int(scores.argmax())
        others = scores[self._differ[best]]
        lead = float(scores[best] - others.max()) if len(others) else 0.0
        return FoundMounting(self._alike[best], lead, int(self._counts.sum()))

    def _likelihoods(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-likelihood ``[turn]`` of a window by its features ``[turn, feature]``, but for a constant."""
        distances = ((features[:, None] - self._mean) / self._deviation) ** 2
        by_class = self._constant - (_FREEDOM + 1) / 2 * np.log1p(distances / _FREEDOM).sum(2)
        largest = by_class.max(1, keepdims=True)
        summed: NDArray[np.float64] = largest[:, 0] + np.log(np.exp(by_class - largest).sum(1))
        return summed

    def _kind(self, features: NDArray[np.float64]) -> int:
        """Number of the kind of a window: the axis on which gravity is, its sign, and how strong motion is."""
        gravity = features[self._direction : self._direction + 3]
        axis = int(np.abs(gravity).argmax())
        side = 2 * axis + int(gravity[axis] < 0)
        return side * (len(_STRENGTHS) + 1) + int(np.searchsorted(np.log(_STRENGTHS), features[0]))


def _alike(turn: Mounting, worn: Sequence[Mounting]) -> tuple[Mounting, ...]:
    """The turns of a sensor that wearers wore in one of several ways, if it is turned so from the commonest way.

    The smallest turn comes first; no turn alone if that is among them.
    """
    found = {turn.then(way.inverse()) for way in worn}
    if AS_TRAINED in found:
        return (AS_TRAINED,)
    return tuple(sorted(found, key=lambda each: (each.degrees, MOUNTINGS.index(each))))
