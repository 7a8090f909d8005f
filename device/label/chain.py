"""The forward algorithm of a chain of activities: from the windows so far to the probabilities of the classes now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ActivityChain

_TERMS = 16


class ChainFilter:
    """Filters the probabilities of windows.

    Each step predicts by the chain and weighs the prediction by the window: f ← (f · T) ∘ (p + floor)^(weight · hop),
    normalised (Rabiner, Proc. IEEE 77, 1989, section III.A). T is the matrix exponential of the chain's rates over a
    hop, so that the same chain serves every hop.

    Args:
        chain: durations and order of the activities.
        hop_s: time from one window to the next, seconds.
    """

    def __init__(self, chain: ActivityChain, hop_s: float) -> None:
        self._stages, self._floor, self._power = chain.stages, chain.floor, chain.weight * hop_s
        self._step = step_matrix(chain, hop_s)
        self._state = np.empty(len(self._step))
        self._evidence = np.empty(chain.classes)
        self.forget()

    def forget(self) -> None:
        """Begin anew: every class is equally probable."""
        self._state[:] = 1 / len(self._state)

    def update(self, probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities ``[classes]`` after a window; valid until the next call."""
        np.add(probabilities, self._floor, out=self._evidence)
        # However large the power, the most probable class keeps its evidence.
        self._evidence /= self._evidence.max()
        np.power(self._evidence, self._power, out=self._evidence)
        predicted = (self._state @ self._step).reshape(-1, self._stages)
        predicted *= self._evidence[:, None]
        if not predicted.any():
            # The window is certain of what the chain rules out.
            predicted[:] = self._evidence[:, None]
        predicted /= predicted.sum()
        self._state[:] = predicted.ravel()
        return np.asarray(predicted.sum(axis=1))


def step_matrix(chain: ActivityChain, hop_s: float) -> NDArray[np.float64]:
    """Probabilities ``[from, to]`` over a hop; the stages of a class are neighbours."""
    stages, classes = chain.stages, chain.classes
    rates = np.zeros((classes * stages, classes * stages))
    for each in range(classes):
        rate = stages / chain.durations_s[each]
        first, last = each * stages, (each + 1) * stages - 1
        places = np.arange(first, last)
        rates[places, places + 1] = rate
        rates[last, ::stages] += rate * np.array(chain.following[each])
        rates[range(first, last + 1), range(first, last + 1)] -= rate
    return _exponential(rates * hop_s)


def _exponential(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrix exponential by scaling and squaring of its series (Moler and Van Loan, SIAM Review 45, 2003, method 3)."""
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-9)))) + 1)
    scaled = matrix / 2**halvings
    total = term = np.eye(len(matrix))
    for number in range(1, _TERMS):
        term = term @ scaled / number
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total
