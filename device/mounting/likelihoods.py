"""How likely windows are under each of the 24 turns of the sensor, by the reference that a model's contract keeps.

Every feature of a class has Student's t distribution, whose heavy tails leave room for other wearers (Lange, Little and
Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, MOUNTINGS, Mounting, MountingReference

# Degrees of freedom: the heaviest tails that still have a variance.
_FREEDOM = 3.0


@dataclass(frozen=True, slots=True)
class FoundMounting:
    """An estimate of how a sensor is turned.

    Args:
        turns: the turns that explain the windows, best first; several if the training wearers wore it several ways
            round, so that these cannot be told apart.
        lead: natural logarithm of the likelihood ratio to the best other turn.
        windows: number of windows so far.
        clear: whether the estimate can be relied on.
    """

    turns: tuple[Mounting, ...]
    lead: float
    windows: int
    clear: bool

    @property
    def names(self) -> str:
        """Names of the turns, ``y90 or y270``."""
        return " or ".join(turn.name for turn in self.turns)

    def __str__(self) -> str:
        """As a part of a sentence: ``turned by 90° about x``."""
        return ", or ".join(map(str, self.turns))


class TurnLikelihoods:
    """Likelihoods of windows, and the turn that they speak for.

    Args:
        reference: of the model's training.
    """

    def __init__(self, reference: MountingReference) -> None:
        self._mean = np.array([each.mean for each in reference.classes])
        self._deviation = np.array([each.deviation for each in reference.classes])
        self._constant = -np.log(self._deviation).sum(1)
        self._alike = [_alike(turn, reference.turns) for turn in MOUNTINGS]
        # [turn, turn]: whether two turns can be told apart.
        self._differ = np.array([[set(one) != set(other) for other in self._alike] for one in self._alike])

    def by_class(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-likelihoods ``[…, class]`` of features ``[…, feature]``, but for a constant."""
        distances = ((features[..., None, :] - self._mean) / self._deviation) ** 2
        found: NDArray[np.float64] = self._constant - (_FREEDOM + 1) / 2 * np.log1p(distances / _FREEDOM).sum(-1)
        return found

    def best(self, scores: NDArray[np.float64]) -> tuple[tuple[Mounting, ...], float]:
        """The likeliest turn, with those that cannot be told from it, and its lead over the best other one.

        Args:
            scores: log-likelihood of each of ``MOUNTINGS``.
        """
        best = int(scores.argmax())
        others = scores[self._differ[best]]
        return self._alike[best], float(scores[best] - others.max()) if len(others) else 0.0

    def against(self, own: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
        """Natural logarithm of the likelihood ratio of another turn to the likeliest one, negative where that holds.

        Args:
            own: log-likelihoods of each of ``MOUNTINGS``, of some of the windows.
            scores: those of all windows, which say what is likeliest.
        """
        differ = self._differ[int(scores.argmax())]
        return float(own[differ].max() - own[~differ].max()) if differ.any() else 0.0


def _alike(turn: Mounting, worn: Sequence[Mounting]) -> tuple[Mounting, ...]:
    """The turns of a sensor that wearers wore in one of several ways, if it is turned so from the commonest way.

    The smallest turn comes first; no turn alone if that is among them.
    """
    found = {turn.then(way.inverse()) for way in worn}
    if AS_TRAINED in found:
        return (AS_TRAINED,)
    return tuple(sorted(found, key=lambda each: (each.degrees, MOUNTINGS.index(each))))
