"""The decision that serves a target best, searched on wearers that the model was neither trained nor is tested on.

The model runs once for each hop; a decision is then tried in milliseconds. The search draws settings at random, then
varies the best one setting at a time, then the threshold of each class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deseptr.contract import ActivityChain, DecisionConfig
from deseptr.contract.decision import Smoothing

from .label_changes import label_changes
from .learned_chain import LearnedChain
from .onsets import onsets
from .playing import Played
from .summary import SHORTEST_S, frame_macro_f1
from .target import Target, Trial
from .track import NONE

SMOOTHINGS: tuple[Smoothing, ...] = ("none", "exponential", "majority")
HORIZONS_S = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 4.0)
THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7)
MARGINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DWELLS_S = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
_OF_A_CLASS = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95)
# Of a chain: share of successions that were not seen, stages, weight a second, floor.
_CHAINS: dict[str, tuple[Any, ...]] = {
    "surprise": (0.01, 0.03, 0.1, 0.3, 1.0),
    "stages": (1, 2, 3, 4, 6),
    "weight": (0.15, 0.2, 0.3, 0.45, 0.7, 1.0, 2.0),
    "floor": (0.001, 0.01, 0.05),
}


@dataclass(frozen=True)
class Tuning:
    """The result of a search.

    Args:
        target: the aim.
        chosen: the decision, its hop included.
        trial: what it gives.
        before: what the decision before gives, at its hop.
        tried: every decision tried, and what it gives.
        reached: whether the choice keeps the target's bound.
    """

    target: Target
    chosen: DecisionConfig
    trial: Trial
    before: tuple[DecisionConfig, Trial]
    tried: tuple[tuple[DecisionConfig, Trial], ...]
    reached: bool

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON values, the front included."""
        return {
            "target": str(self.target),
            "reached": self.reached,
            "tried": len(self.tried),
            "decision": self.chosen.to_dict(),
            "figures": self.trial.to_dict(),
            "before": {"decision": self.before[0].to_dict(), "figures": self.before[1].to_dict()},
            "front": [{"decision": each.to_dict(), "figures": trial.to_dict()} for each, trial in self.front()],
        }

    def front(self) -> list[tuple[DecisionConfig, Trial]]:
        """The decisions of which no other one has both a shorter delay and fewer spurious changes, by their delay."""
        best, found = np.inf, []
        for config, trial in sorted(self.tried, key=lambda each: (each[1].delay_s, each[1].spurious)):
            if trial.spurious < best and np.isfinite(trial.delay_s):
                best = trial.spurious
                found.append((config, trial))
        return found


def tune(
    played: Mapping[float, Sequence[Played]],
    target: Target,
    before: DecisionConfig,
    *,
    tries: int = 100,
    rounds: int = 3,
    seed: int = 0,
    learned: LearnedChain | None = None,
    onset_classes: Collection[int] | None = None,
    progress: Callable[[int], None] = lambda tries: None,
) -> Tuning:
    """Search the decision that serves a target best.

    Args:
        played: the recordings of the wearers to tune on, for each hop in seconds; ``before.hop_s`` among them.
        target: the aim.
        before: the decision that is to be bettered, with its hop.
        tries: settings to draw at random for each hop.
        rounds: times that the best one is varied, setting by setting, if that betters it.
        seed: of the draws.
        learned: durations and order of activities; without them ``markov`` is not tried.
        onset_classes: classes that are asked for their delay; all if None.
        progress: called with 1 for each decision that was tried.

    >>> tune({}, Target("f1"), DecisionConfig())
    Traceback (most recent call last):
    ...
    ValueError: no recordings at the hop None
    """
    if before.hop_s not in played:
        raise ValueError(f"no recordings at the hop {before.hop_s}")
    space = _Space(tuple(played), learned, np.random.default_rng(seed))
    search = _Search(played, target, onset_classes, progress)
    at_first = search.trial(before)
    for hop_s in played:
        for _ in range(tries):
            search.trial(space.draw(hop_s))
    for _ in range(rounds):
        best = search.best()
        for config in (*space.neighbours(best), *_with_class_thresholds(best, search.labels)):
            search.trial(config)
        if search.best() == best:
            break
    chosen = search.best()
    trial = search.trial(chosen)
    return Tuning(target, chosen, trial, (before, at_first), tuple(search.tried.values()), target.reached(trial))


def try_decision(played: Sequence[Played], config: DecisionConfig, onset_classes: Collection[int] | None) -> Trial:
    """What a decision gives on recordings."""
    classes = len(played[0].labels)
    confusion = np.zeros((classes + 1, classes + 1), np.int64)
    delays: list[float] = []
    hours, spurious, changes = 0.0, 0, 0
    for each in played:
        track = each.track(config)
        labelled = track.truth != NONE
        np.add.at(confusion, (track.truth[labelled], track.shown[labelled]), 1)
        found = onsets(track, shortest_s=SHORTEST_S, classes=onset_classes)
        delays += [np.inf if o.delay_s is None else o.delay_s for o in found if not o.at_start]
        count = label_changes(track)
        hours, spurious, changes = hours + track.hours, spurious + count.spurious, changes + count.shown
    p50, p90 = np.quantile(delays, (0.5, 0.9), method="inverted_cdf") if delays else (0.0, 0.0)
    return Trial(float(p50), float(p90), spurious / hours, changes / hours, float(frame_macro_f1(confusion[None])[0]))


class _Search:
    """Tries decisions, each once."""

    def __init__(
        self,
        played: Mapping[float, Sequence[Played]],
        target: Target,
        onset_classes: Collection[int] | None,
        progress: Callable[[int], None],
    ) -> None:
        self._played, self._target, self._classes, self._progress = played, target, onset_classes, progress
        self.labels = next(iter(played.values()))[0].labels
        self.tried: dict[Any, tuple[DecisionConfig, Trial]] = {}

    def trial(self, config: DecisionConfig) -> Trial:
        key = _key(config)
        if key not in self.tried:
            assert config.hop_s is not None, "every decision of the search has its hop"
            self.tried[key] = config, try_decision(self._played[config.hop_s], config, self._classes)
        self._progress(1)
        return self.tried[key][1]

    def best(self) -> DecisionConfig:
        return min(self.tried.values(), key=lambda each: self._target.order(each[1]))[0]


class _Space:
    """The decisions that may be tried."""

    def __init__(self, hops: Sequence[float], learned: LearnedChain | None, rng: np.random.Generator) -> None:
        self._hops, self._learned, self._rng = hops, learned, rng
        self._settings: dict[ActivityChain, dict[str, Any]] = {}

    def draw(self, hop_s: float) -> DecisionConfig:
        """A decision at random, half of them with a chain if there is one."""
        if self._learned is not None and self._rng.integers(2):
            chain = self._chain({name: self._choose(values) for name, values in _CHAINS.items()})
            # The chain waits by itself, so that little else is needed.
            margin, dwell_s = (self._choose((0.0, 0.0, self._choose(values))) for values in (MARGINS, DWELLS_S))
            return DecisionConfig("markov", threshold=0.0, margin=margin, dwell_s=dwell_s, hop_s=hop_s, chain=chain)
        horizon_s, threshold, margin, dwell_s = map(self._choose, (HORIZONS_S, THRESHOLDS, MARGINS, DWELLS_S))
        return DecisionConfig(self._choose(SMOOTHINGS), horizon_s, threshold, margin, dwell_s, hop_s=hop_s)

    def neighbours(self, config: DecisionConfig) -> Iterator[DecisionConfig]:
        """The decisions that differ in one setting."""
        settings: dict[str, Sequence[Any]] = {
            "smoothing": SMOOTHINGS,
            "horizon_s": HORIZONS_S,
            "threshold": THRESHOLDS,
            "margin": MARGINS,
            "dwell_s": DWELLS_S,
            "hop_s": self._hops,
        }
        for name, values in settings.items():
            for value in values:
                changes: dict[str, Any] = {name: value}
                yield replace(config, **changes)
        if config.chain in self._settings:
            now = self._settings[config.chain]
            for name, values in _CHAINS.items():
                for value in values:
                    yield replace(config, chain=self._chain({**now, name: value}))

    def _chain(self, settings: dict[str, Any]) -> ActivityChain:
        assert self._learned is not None, "chains are drawn only if there is something to learn them from"
        chain = self._learned.chain(**settings)
        self._settings[chain] = settings
        return chain

    def _choose(self, values: Sequence[Any]) -> Any:
        return values[int(self._rng.integers(len(values)))]


def _with_class_thresholds(config: DecisionConfig, labels: Sequence[str]) -> Iterator[DecisionConfig]:
    """The decisions in which one class has another threshold."""
    for label in labels:
        for value in _OF_A_CLASS:
            yield replace(config, thresholds={**config.thresholds, label: value})


def _key(config: DecisionConfig) -> tuple[Any, ...]:
    """Equal for decisions that give the same: only averages over windows have a horizon."""
    averaged = config.smoothing in ("exponential", "majority")
    own = tuple(sorted(config.thresholds.items()))
    horizon_s = config.horizon_s if averaged else None
    return config.smoothing, horizon_s, config.threshold, config.margin, config.dwell_s, own, config.hop_s, config.chain
