"""From the probabilities of each window to a label that lasts: smoothing, threshold, hysteresis, dwell.

It knows nothing of windows or models: it takes one vector of probabilities per hop, and the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DecisionConfig as DecisionConfig

from .chain import ChainFilter

UNKNOWN = "unknown"
UNDECIDED = "undecided"
# The label before, where it is none any more.
_GONE = -2


@dataclass(frozen=True, slots=True)
class LabelDecision:
    """The decided label after a window.

    Args:
        label: a class or ``unknown``.
        previous: the label before this window; None before the first.
        confidence: the label's smoothed probability; that of the most probable class where the label is ``unknown``.
        changed: whether ``label`` is not ``previous``.
        reason: why the label is ``unknown``; None if it is a class.
    """

    label: str
    previous: str | None
    confidence: float
    changed: bool
    reason: str | None = None


class LabelTracker:
    """Decides the label after each window.

    Args:
        labels: class names, in the order of the probabilities.
        config: the settings.
        hop_s: time from one window to the next, seconds.

    >>> tracker = LabelTracker(("rest", "walking"), DecisionConfig(), hop_s=1.0)
    >>> tracker.update(0.0, np.array([0.1, 0.9], np.float32)).label
    'walking'
    >>> tracker.update(1.0, np.array([0.9, 0.1], np.float32)).label
    'walking'
    """

    def __init__(self, labels: tuple[str, ...], config: DecisionConfig, hop_s: float) -> None:
        self._hop_s = hop_s
        self._name(labels, config)
        self.reset()

    def _name(self, labels: tuple[str, ...], config: DecisionConfig) -> None:
        self._config = config
        self._names = dict(enumerate(labels)) | {-1: UNKNOWN}
        # A model's own class ``unknown`` is used if it has one.
        self._unknown = labels.index(UNKNOWN) if UNKNOWN in labels else -1
        self._thresholds = [config.threshold_of(label) for label in labels]
        self._smoother = _make_smoother(config, len(labels), self._hop_s)

    def reset(self) -> None:
        """Begin a new run: no label, no smoothed windows, time from zero."""
        self._smoother.forget()
        self._held: int | None = None
        self._since = -math.inf
        # Whether the next window decides as the first of a run does.
        self._anew = True
        self._reason: str | None = None

    def relabel(self, labels: tuple[str, ...], config: DecisionConfig) -> None:
        """Go on with other labels and settings: the next window decides as the first of a run does.

        Args:
            labels: class names, in the order of the probabilities from now on.
            config: the settings for them.
        """
        held = None if self._held is None else self._names[self._held]
        self._name(labels, config)
        self._anew, self._reason = True, None
        if held is None or held in labels:
            self._held = None if held is None else labels.index(held)
        elif held == UNKNOWN:
            self._held = self._unknown
        else:
            self._names[_GONE] = held
            self._held = _GONE

    def gap(self) -> None:
        """Forget the windows so far, since no average may span lost samples; the label stays."""
        self._smoother.forget()

    def update(self, t: float, probabilities: NDArray[np.float32], unknown: str | None = None) -> LabelDecision:
        """Decide on the label after one window.

        Args:
            t: its time in seconds, never less than the one before.
            probabilities: ``[classes]``, of that window alone.
            unknown: why it has no label, which makes the label ``unknown`` at once, and until the next window that has
                one; None if it has one.
        """
        if unknown is not None:
            return self._without_label(probabilities, unknown)
        smoothed = self._smoother.update(probabilities)
        top = int(smoothed.argmax())
        previous = self._held
        candidate = top if smoothed[top] >= self._thresholds[top] else self._unknown
        if self._anew or self._may_follow(candidate, smoothed, t):
            self._held, self._since, self._anew = candidate, t, False
        if candidate == self._held:
            self._reason = UNDECIDED if candidate != top else None
        held = self._held
        assert held is not None, "the first window always decides"
        return LabelDecision(
            label=self._names[held],
            previous=None if previous is None else self._names[previous],
            confidence=float(smoothed[held if held >= 0 else top]),
            changed=held != previous,
            reason=self._reason,
        )

    def _without_label(self, probabilities: NDArray[np.float32], reason: str) -> LabelDecision:
        # Its probabilities mean nothing, so that no average may contain them, and nothing keeps it.
        self._smoother.forget()
        previous, self._held, self._anew, self._reason = self._held, self._unknown, True, reason
        return LabelDecision(
            label=UNKNOWN,
            previous=None if previous is None else self._names[previous],
            confidence=float(probabilities.max()),
            changed=previous != self._held,
            reason=reason,
        )

    def _may_follow(self, candidate: int, smoothed: NDArray[np.float64], t: float) -> bool:
        held = self._held
        assert held is not None, "it is asked after the first window"
        if candidate == held or t - self._since < self._config.dwell_s:
            return False
        if held == -1 or candidate == self._unknown:
            return True
        return bool(smoothed[candidate] - smoothed[held] >= self._config.margin)


class _Latest:
    """No smoothing."""

    def __init__(self, classes: int) -> None:
        self._latest = np.zeros(classes)

    def forget(self) -> None:
        pass

    def update(self, probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        self._latest[:] = probabilities
        return self._latest


class _LowPass:
    """A first-order low-pass of each class that starts at its first input."""

    def __init__(self, classes: int, share: float) -> None:
        self._mean = np.zeros(classes)
        self._step = np.zeros(classes)
        self._share = share
        self._empty = True

    def forget(self) -> None:
        self._empty = True

    def update(self, probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        if self._empty:
            self._mean[:] = probabilities
            self._empty = False
        else:
            np.subtract(probabilities, self._mean, out=self._step)
            self._step *= self._share
            self._mean += self._step
        return self._mean


class _Votes:
    """Shares of the latest windows' labels."""

    def __init__(self, classes: int, windows: int) -> None:
        self._votes = np.zeros(windows, np.intp)
        self._counts = np.zeros(classes)
        self._shares = np.zeros(classes)
        self._taken = 0

    def forget(self) -> None:
        self._counts[:] = 0
        self._taken = 0

    def update(self, probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        slot = self._taken % len(self._votes)
        if self._taken >= len(self._votes):
            self._counts[self._votes[slot]] -= 1
        vote = probabilities.argmax()
        self._votes[slot] = vote
        self._counts[vote] += 1
        self._taken += 1
        return np.divide(self._counts, min(self._taken, len(self._votes)), out=self._shares)


class _Smoother(Protocol):
    def forget(self) -> None: ...

    def update(self, probabilities: NDArray[np.float32]) -> NDArray[np.float64]: ...


def _make_smoother(config: DecisionConfig, classes: int, hop_s: float) -> _Smoother:
    if config.smoothing == "markov":
        assert config.chain is not None, "the configuration has a chain for this"
        return ChainFilter(config.chain, hop_s)
    if config.smoothing == "exponential":
        return _LowPass(classes, share_of_newest(config.horizon_s, hop_s))
    if config.smoothing == "majority":
        return _Votes(classes, max(1, round(config.horizon_s / hop_s)))
    return _Latest(classes)


def share_of_newest(time_constant_s: float, hop_s: float) -> float:
    """Weight of the newest value in a first-order low-pass of values ``hop_s`` apart: 1 − exp(−hop/τ)."""
    return -math.expm1(-hop_s / time_constant_s)
