"""Scores of alarms: events such as falls that are detected, missed or made up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deseptr.contract import DataError, Interval

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """An event that happened.

    Args:
        t: its moment, as that of the impact, seconds from the beginning of the recording.
        until_s: latest time at which an alarm is due to it.
        early_s: by how much an alarm may precede ``t``.
    """

    t: float
    until_s: float
    early_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EventRecord:
    """The events and alarms of a recording.

    Args:
        subject: the wearer.
        duration_s: of the recording.
        events: that happened.
        alarms_s: times of the alarms; several for one event within its time count as one.
    """

    subject: str
    duration_s: float
    events: tuple[TrueEvent, ...]
    alarms_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EventScores:
    """Scores of alarms in all recordings together.

    Args:
        detected: events with an alarm in their time.
        missed: events without.
        false_alarms: alarms outside the time of any event.
        delays_s: from each detected event to its first alarm, below 0 if that came early.
        hours: duration of the recordings.
    """

    detected: int
    missed: int
    false_alarms: int
    delays_s: tuple[float, ...]
    hours: float

    @property
    def sensitivity(self) -> float | None:
        """Share of the events that are detected; None without events."""
        events = self.detected + self.missed
        return self.detected / events if events else None

    def false_alarms_per_hour(self, level: float = 0.95) -> Interval:
        """Exact interval of the rate of false alarms, an hour."""
        low, high = poisson_interval(self.false_alarms, level)
        return Interval(low / self.hours, high / self.hours, level)

    def to_dict(self, level: float = 0.95) -> dict[str, Any]:
        """The figures as plain JSON values."""
        low, high, _ = self.false_alarms_per_hour(level)
        rate = self.false_alarms / self.hours
        detected = binomial_interval(self.detected, self.detected + self.missed, level)
        return {
            "detected": self.detected,
            "missed": self.missed,
            "sensitivity": self.sensitivity,
            "sensitivity_interval": None if detected is None else {"low": detected[0], "high": detected[1]},
            "false_alarms": self.false_alarms,
            "false_alarms_per_hour": {"value": rate, "low": low, "high": high, "level": level},
            "false_alarms_per_day": {
                "value": rate * HOURS_A_DAY,
                "low": low * HOURS_A_DAY,
                "high": high * HOURS_A_DAY,
                "level": level,
            },
            "delay_s": {
                name: float(np.quantile(self.delays_s, q)) if self.delays_s else None
                for name, q in (("p50", 0.5), ("p90", 0.9), ("most", 1.0))
            },
            "hours": self.hours,
        }


def score_events(records: Sequence[EventRecord]) -> EventScores:
    """Match alarms with events: an event is detected by the first alarm in its time.

    Raises:
        DataError: if the recordings have no duration.
    """
    hours = sum(record.duration_s for record in records) / 3600
    if hours <= 0:
        raise DataError("events", found="no recordings", expected="some duration", next_step="pass recordings")
    delays: list[float] = []
    events = false = 0
    for record in records:
        due = [False] * len(record.alarms_s)
        for event in record.events:
            inside = [event.t - event.early_s <= alarm <= event.until_s for alarm in record.alarms_s]
            due = [before or now for before, now in zip(due, inside, strict=True)]
            delays += sorted(alarm - event.t for alarm, now in zip(record.alarms_s, inside, strict=True) if now)[:1]
        events += len(record.events)
        false += due.count(False)
    return EventScores(len(delays), events - len(delays), false, tuple(delays), hours)


def poisson_interval(count: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a Poisson mean after a count (Garwood, Biometrika 28, 1936).

    >>> [round(bound, 3) for bound in poisson_interval(0)]
    [0.0, 3.689]
    >>> [round(bound, 3) for bound in poisson_interval(10)]
    [4.795, 18.39]
    """
    tail = (1 - level) / 2
    most = count + 10 * math.sqrt(count + 1) + 20
    low = _root(lambda mean: 1 - _poisson_cdf(count - 1, mean) - tail, 0.0, most) if count else 0.0
    return low, _root(lambda mean: tail - _poisson_cdf(count, mean), 0.0, most)


def binomial_interval(hits: int, trials: int, level: float = 0.95) -> tuple[float, float] | None:
    """Exact interval of a share (Clopper and Pearson, Biometrika 26, 1934); None without trials.

    >>> [round(bound, 3) for bound in binomial_interval(8, 10)]
    [0.444, 0.975]
    """
    if not trials:
        return None
    tail = (1 - level) / 2
    low = _root(lambda share: 1 - _binomial_cdf(hits - 1, trials, share) - tail, 0.0, 1.0) if hits else 0.0
    high = _root(lambda share: tail - _binomial_cdf(hits, trials, share), 0.0, 1.0) if hits < trials else 1.0
    return low, high


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function of ``low`` to ``high`` is zero, by bisection."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _poisson_cdf(count: int, mean: float) -> float:
    if mean <= 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _binomial_cdf(hits: int, trials: int, share: float) -> float:
    if share <= 0 or share >= 1:
        return float(share <= 0 or hits >= trials)
    return math.fsum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits + 1))
