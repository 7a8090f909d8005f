"""Scores of the alarms of whole recordings: each stretch of a class that is an event should raise one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deseptr.contract import EventRule, ModelContract
from deseptr.data import Recording

from .alarm_replay import alarms_of
from .event_scores import EventRecord, TrueEvent, score_events
from .playing import Played
from .track import stretches


def alarm_figures(
    played: Sequence[Played], contract: ModelContract, rules: Sequence[EventRule]
) -> dict[str, dict[str, Any]]:
    """Scores of the alarms of each class that is an event, as plain JSON values by its name.

    Args:
        played: the recordings and what the model found in them.
        contract: the model's, at the hop of ``played``.
        rules: of the events.
    """
    records: dict[str, list[EventRecord]] = {rule.label: [] for rule in rules}
    for each in played:
        alarms = alarms_of(each, contract, rules)
        for rule in rules:
            raised = tuple(alarm.t for alarm in alarms if alarm.label == rule.label)
            records[rule.label].append(
                EventRecord(
                    each.recording.subject,
                    each.recording.duration_s,
                    true_events(each, contract.labels.index(rule.label), rule.delay_s + contract.window_s),
                    raised,
                )
            )
    return {label: score_events(of_class).to_dict() for label, of_class in records.items()}


def true_events(played: Played, value: int, grace_s: float) -> tuple[TrueEvent, ...]:
    """The events of a class: its stretches, whose moment is that of the largest acceleration, as of an impact.

    Args:
        played: a recording.
        value: the class.
        grace_s: time after a stretch in which an alarm is still due to it, s.
    """
    rate_hz, found = played.recording.rate_hz, []
    for start, stop, each in stretches(played.truth):
        if each != value:
            continue
        moment = start + _largest(played.recording, start, stop)
        found.append(TrueEvent(moment / rate_hz, stop / rate_hz + grace_s, (moment - start) / rate_hz))
    return tuple(found)


def _largest(recording: Recording, start: int, stop: int) -> int:
    """Sample of the largest acceleration after ``start``; 0 without an accelerometer."""
    acceleration = recording.axes("acc")
    if acceleration is None:
        return 0
    return int(np.linalg.norm(acceleration[start:stop], axis=1).argmax())
