"""Counts of a day or a part of one: compact, of a bounded size, and summed by adding.

A part never has a window that another one has, so that the sum over a day's parts is the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deseptr.contract.drift_reference import BINS

# More reasons or labels than a model has are of no run: a reader of logs must not grow without bound.
MOST_NAMES = 4096
_COUNTS = ("undecided", "implausible", "gaps", "lost_samples")


@dataclass
class DriftSummary:
    """What is counted of a stream of windows.

    Args:
        windows: their number.
        seconds: time that they cover, a hop each, seconds.
        implausible: number of windows whose samples no worn sensor measures; no histogram counts them.
        undecided: number of windows after which no class was probable enough for a label.
        labels: number of plausible windows by their most probable class: that of the model itself, before a wearer's
            correction, unless it is a new label of the wearer.
        unknown: number of windows without a label, by reason.
        histograms: number of plausible windows by bin, by the histogram's name.
        confidence: sum over plausible windows of the probability of that class.
        still: number of plausible windows in which the sensor hardly moved.
        gravity: sum of their mean accelerations, m/s^2.
        gaps: number of gaps.
        lost_samples: number of samples lost in them.
    """

    windows: int = 0
    seconds: float = 0.0
    implausible: int = 0
    undecided: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, list[int]] = field(default_factory=dict)
    confidence: float = 0.0
    still: int = 0
    gravity: float = 0.0
    gaps: int = 0
    lost_samples: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self.windows and not self.gaps

    @property
    def plausible(self) -> int:
        """Number of windows that the histograms count."""
        return self.windows - self.implausible

    @property
    def mean_confidence(self) -> float | None:
        """Mean of the confidences; None without plausible windows."""
        return self.confidence / self.plausible if self.plausible else None

    @property
    def mean_gravity(self) -> float | None:
        """Mean acceleration of still windows, m/s^2; None without any."""
        return self.gravity / self.still if self.still else None

    @property
    def unknown_share(self) -> float:
        """Share of the windows without a label, for whatever reason but being undecided."""
        return sum(self.unknown.values()) / self.windows if self.windows else 0.0

    def note_bin(self, name: str, place: int) -> None:
        """Count a window in a bin of a histogram."""
        self.histograms.setdefault(name, [0] * BINS[name])[place] += 1

    def add(self, other: DriftSummary) -> None:
        """Add the counts of another part."""
        self.windows += other.windows
        self.seconds += other.seconds
        self.implausible += other.implausible
        self.undecided += other.undecided
        self.labels.update(other.labels)
        self.unknown.update(other.unknown)
        for name, counts in other.histograms.items():
            own = self.histograms.setdefault(name, [0] * len(counts))
            own[:] = [a + b for a, b in zip(own, counts, strict=True)]
        self.confidence += other.confidence
        self.still += other.still
        self.gravity += other.gravity
        self.gaps += other.gaps
        self.lost_samples += other.lost_samples

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values; what is nothing is left out."""
        made: dict[str, Any] = {"windows": self.windows, "seconds": round(self.seconds, 2), "labels": dict(self.labels)}
        made |= {"unknown": dict(self.unknown)} if self.unknown else {}
        made |= {name: getattr(self, name) for name in _COUNTS if getattr(self, name)}
        if self.mean_confidence is not None:
            made["mean_confidence"] = round(self.mean_confidence, 5)
        if self.mean_gravity is not None:
            made |= {"still": self.still, "gravity": round(self.mean_gravity, 4)}
        return made | {name: list(counts) for name, counts in self.histograms.items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> DriftSummary:
        """Counts from what :meth:`to_dict` gave; further keys are left out of account.

        Raises:
            ValueError: if a value is missing, of another type or out of its range, or counts contradict each other.
        """
        made = cls(
            _count(content, "windows"),
            **{name: _count(content, name) for name in _COUNTS if name in content},
            seconds=_number(content, "seconds", 0, 1e9),
            labels=_names(content, "labels"),
            unknown=_names(content, "unknown") if "unknown" in content else Counter(),
            histograms={name: _bins(content, name) for name in BINS if name in content},
        )
        if made.plausible < 0 or sum(made.labels.values()) != made.plausible:
            raise ValueError(f"{sum(made.labels.values())} labels of {made.plausible} plausible windows")
        wrong = [name for name, counts in made.histograms.items() if sum(counts) > made.plausible]
        if wrong:
            raise ValueError(f"more windows in {wrong[0]} than there are")
        if made.plausible:
            made.confidence = _number(content, "mean_confidence", 0, 1) * made.plausible
        if "still" in content:
            made.still = _count(content, "still")
            made.gravity = _number(content, "gravity", 0, 1e3) * made.still
        return made


def _count(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(f"{name} is no count")
    return value


def _number(content: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} is no number from {least:g} to {most:g}")
    return float(value)


def _names(content: Mapping[str, Any], name: str) -> Counter[str]:
    value = content.get(name)
    if not isinstance(value, dict) or len(value) > MOST_NAMES:
        raise ValueError(f"{name} are no counts by name")
    return Counter({each: _count(value, each) for each in value})


def _bins(content: Mapping[str, Any], name: str) -> list[int]:
    value = content[name]
    if not isinstance(value, list) or len(value) != BINS[name]:
        raise ValueError(f"{name} has not {BINS[name]} bins")
    return [_count({name: each}, name) for each in value]
