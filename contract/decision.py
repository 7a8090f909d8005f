"""How the probabilities of windows become a label that lasts: settings that a model may bring along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from .activity_chain import ActivityChain
from .errors import SetupError

Smoothing = Literal["none", "exponential", "majority", "markov"]
_LONGEST_S = 86_400
# A majority keeps a vote for every window in it.
_LONGEST_HORIZON_S = 3600


@dataclass(frozen=True)
class DecisionConfig:
    """Settings of a :class:`deseptr.device.LabelTracker`.

    Args:
        smoothing: ``none`` takes each window as it is; ``exponential`` is a first-order low-pass of the probabilities;
            ``majority`` uses a class's share of the latest windows' labels as its probability; ``markov`` weighs the
            windows by how long activities last and which follow which.
        horizon_s: time constant of the low-pass, or time span of the majority, seconds.
        threshold: the label is ``unknown`` while the most probable class is less probable than this.
        margin: lead in probability over the label's class that another class needs to become the label.
        dwell_s: shortest time for which a label is kept, seconds.
        thresholds: for some classes by name, the probability that they need instead of ``threshold``.
        hop_s: time from one window to the next, seconds; None for that of the model's training.
        chain: durations and order of the activities, for ``markov``.

    Raises:
        SetupError: if a number is out of its range, or ``markov`` has no chain.

    >>> DecisionConfig(dwell_s=1.0, thresholds={"lying": 0.8}).threshold_of("lying")
    0.8
    """

    smoothing: Smoothing = "exponential"
    horizon_s: float = 2.5
    threshold: float = 0.5
    margin: float = 0.1
    dwell_s: float = 2.5
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    hop_s: float | None = None
    chain: ActivityChain | None = None

    def __post_init__(self) -> None:
        _check(
            "smoothing", self.smoothing, self.smoothing in get_args(Smoothing), "none, exponential, majority or markov"
        )
        right = 0 < self.horizon_s <= _LONGEST_HORIZON_S
        _check("horizon_s", self.horizon_s, right, f"seconds above 0, {_LONGEST_HORIZON_S} at most")
        _check("threshold", self.threshold, 0 <= self.threshold <= 1, "a probability from 0 to 1")
        _check("margin", self.margin, 0 <= self.margin <= 1, "a difference of probabilities from 0 to 1")
        _check("dwell_s", self.dwell_s, 0 <= self.dwell_s <= _LONGEST_S, f"0 to {_LONGEST_S} seconds")
        for name, value in self.thresholds.items():
            _check(f"threshold of {name}", value, 0 <= value <= 1, "a probability from 0 to 1")
        hop = self.hop_s
        _check("hop_s", hop, hop is None or 0 < hop < _LONGEST_S, "seconds above 0")
        if self.smoothing == "markov" and self.chain is None:
            raise SetupError(
                "smoothing",
                found="markov, and no durations of activities in the model",
                expected="a model that was tuned",
                next_step="tune it with `deseptr tune MODEL DATA`, or choose another smoothing",
            )

    def threshold_of(self, label: str) -> float:
        """Smallest probability of a class that is shown."""
        return self.thresholds.get(label, self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {
            "smoothing": self.smoothing,
            "horizon_s": self.horizon_s,
            "threshold": self.threshold,
            "margin": self.margin,
            "dwell_s": self.dwell_s,
            "thresholds": dict(self.thresholds),
            "hop_s": self.hop_s,
            "chain": None if self.chain is None else self.chain.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Any) -> DecisionConfig:
        """Settings from what :meth:`to_dict` gave.

        Raises:
            ValueError: if a key is missing, unknown, or of another type.
            SetupError: if a number is out of its range.
        """
        if not isinstance(content, dict) or content.keys() != cls().to_dict().keys():
            raise ValueError(f"decision has not the settings {', '.join(cls().to_dict())}")
        thresholds, smoothing = content["thresholds"], content["smoothing"]
        if not isinstance(thresholds, dict) or smoothing not in get_args(Smoothing):
            raise ValueError(f"decision: smoothing {smoothing} over {type(thresholds).__name__} of thresholds")
        numbers = {name: _number(name, content[name]) for name in ("horizon_s", "threshold", "margin", "dwell_s")}
        return cls(
            smoothing,
            **numbers,
            thresholds={str(name): _number(name, value) for name, value in thresholds.items()},
            hop_s=None if content["hop_s"] is None else _number("hop_s", content["hop_s"]),
            chain=None if content["chain"] is None else ActivityChain.from_dict(content["chain"]),
        )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"decision: {name} is not a number")
    return float(value)


def _check(setting: str, found: object, right: bool, expected: str) -> None:
    if not right:
        raise SetupError(setting, found=found, expected=expected, next_step="choose another value")
