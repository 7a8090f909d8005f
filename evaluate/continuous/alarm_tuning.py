"""The rule of an alarm that serves a target best, on wearers that the model was neither trained nor is tested on.

Threshold, number of windows and angle are searched on a grid. The confirmation is not: it is the time that a wearer has
to cancel, and recordings of staged events are too short to say what it is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from deseptr.contract import DataError, EventRule, ModelContract

from .alarm_replay import Sighting, sight
from .alarm_target import AlarmTarget
from .alarms import true_events
from .event_scores import EventRecord, EventScores, TrueEvent, score_events
from .playing import Played

# Evenly spaced in log-odds, in which a network's certainty is even.
THRESHOLDS = tuple(round(1 / (1 + math.exp(-step / 4)), 4) for step in range(-4, 29))
WINDOWS = (1, 2, 3)
ANGLES_DEG = (None, 30.0, 45.0, 60.0)


@dataclass(frozen=True, slots=True)
class AlarmCase:
    """A recording to tune on.

    Args:
        subject: the wearer.
        duration_s: of the recording.
        events: that happened, each until the latest time of an alarm that is raised without delay.
        sighting: what the detector learns of it.
    """

    subject: str
    duration_s: float
    events: tuple[TrueEvent, ...]
    sighting: Sighting

    def record(self, rule: EventRule) -> EventRecord:
        """The events and the alarms of a rule, which has time for its confirmation."""
        due = tuple(replace(event, until_s=event.until_s + rule.delay_s) for event in self.events)
        return EventRecord(self.subject, self.duration_s, due, self.sighting.raised(rule))


@dataclass(frozen=True)
class AlarmTuning:
    """The result of a search.

    Args:
        target: the aim.
        chosen: the rule.
        scores: what it gives.
        before: the rule before, and what it gives.
        tried: every rule tried, and what it gives.
    """

    target: AlarmTarget
    chosen: EventRule
    scores: EventScores
    before: tuple[EventRule, EventScores]
    tried: tuple[tuple[EventRule, EventScores], ...]

    @property
    def reached(self) -> bool:
        """Whether the choice keeps the target's bound."""
        return self.target.reached(self.scores)

    def front(self) -> list[tuple[EventRule, EventScores]]:
        """The rules of which no other one has both fewer false alarms and fewer events missed, by their alarms."""
        least, found = math.inf, []
        for rule, scores in sorted(self.tried, key=lambda each: (each[1].false_alarms, each[1].missed)):
            if scores.missed < least:
                least = scores.missed
                found.append((rule, scores))
        return found

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON values, the front included."""
        return {
            "target": str(self.target),
            "reached": self.reached,
            "tried": len(self.tried),
            **_plain(self.chosen, self.scores),
            "before": _plain(*self.before),
            "front": [_plain(*each) for each in self.front()],
        }


def alarm_cases(played: Sequence[Played], contract: ModelContract, label: str) -> list[AlarmCase]:
    """Recordings to tune the alarm of a class on.

    Args:
        played: the recordings and what the model found in them.
        contract: the model's, at the hop of ``played``.
        label: the class.

    Raises:
        DataError: if nothing in them is of that class.
    """
    index = contract.labels.index(label)
    cases = [
        AlarmCase(
            each.recording.subject,
            each.recording.duration_s,
            true_events(each, index, contract.window_s),
            sight(each, contract, label),
        )
        for each in played
    ]
    if not any(case.events for case in cases):
        raise DataError(
            f"event {label}",
            found="none in the recordings to tune on",
            expected="recordings with it and recordings without",
            next_step="tune on wearers who have some, with --subjects",
        )
    return cases


def tune_alarm(
    cases: Sequence[AlarmCase],
    target: AlarmTarget,
    before: EventRule,
    progress: Callable[[int], None] = lambda tries: None,
) -> AlarmTuning:
    """Search the rule that serves a target best.

    Of rules that serve it alike, the one is chosen whose threshold has most others of its kind on both sides: wearers
    who were not tuned on differ from those who were.

    Args:
        cases: recordings of the wearers to tune on, of one class.
        target: the aim.
        before: the rule that is to be bettered; its confirmation is kept.
        progress: called with 1 for each rule that was tried.
    """

    def scored(rule: EventRule) -> tuple[EventRule, EventScores]:
        progress(1)
        return rule, score_events([case.record(rule) for case in cases])

    at_first = scored(before)
    tried = [scored(rule) for rule in alarm_rules(before)]
    best = min(target.order(scores) for _, scores in tried)
    if target.order(at_first[1]) < best:
        return AlarmTuning(target, *at_first, at_first, (*tried, at_first))
    spans = list(_spans(tried, lambda scores: target.order(scores) == best))
    span = min(spans, key=lambda each: (-len(each), _slowness(each[len(each) // 2][1])))
    return AlarmTuning(target, *span[len(span) // 2], at_first, (*tried, at_first))


def alarm_rules(before: EventRule) -> list[EventRule]:
    """The rules to try; those with the same windows and angle stand together, by their threshold."""
    angles = tuple(dict.fromkeys((before.posture_deg, *ANGLES_DEG))) if before.confirm_s else (before.posture_deg,)
    return [
        replace(before, windows=windows, posture_deg=angle, threshold=threshold)
        for windows in WINDOWS
        for angle in angles
        for threshold in THRESHOLDS
    ]


def _spans(
    tried: Sequence[tuple[EventRule, EventScores]], good: Callable[[EventScores], bool]
) -> Iterator[list[tuple[EventRule, EventScores]]]:
    """Successive good rules that differ in their threshold alone."""
    key = lambda each: (each[0].windows, each[0].posture_deg, good(each[1]))  # noqa: E731
    for (_, _, is_good), group in groupby(tried, key):
        if is_good:
            yield list(group)


def _slowness(scores: EventScores) -> float:
    return sorted(scores.delays_s)[len(scores.delays_s) // 2] if scores.delays_s else math.inf


def _plain(rule: EventRule, scores: EventScores) -> dict[str, Any]:
    return {"rule": asdict(rule), "figures": scores.to_dict()}
