"""One class as an event: suspected, then raised or cancelled; once raised, acknowledged.

A pure state machine: time, probability and motion come from the caller, and what it has not seen cancels nothing. A
gap in a confirmation, or its end because the sensor is lost, counts as no motion: an alarm too many is better than a
fall that broke the wire and was forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from deseptr.contract import EventRule

from .motion import Motion, Vector, angle_deg

# A wearer who lies may move more than one who rests, such as in trying to get up.
LYING_MOTION = 4.0
# Against the rounding of sums of times.
_EPSILON_S = 1e-9

State = Literal["suspected", "raised", "cancelled", "acknowledged"]


@dataclass(frozen=True, slots=True)
class Change:
    """A step of an alarm.

    Args:
        key: of the alarm; all of its steps have the same.
        state: its state from now on.
        confidence: the highest probability of the class since it was suspected.
        peak_t: time of the largest acceleration in the window that was suspected, seconds; None if unknown.
        reason: why, for people; empty where the rule says all.
    """

    key: str
    state: State
    confidence: float
    peak_t: float | None
    reason: str = ""


@dataclass(slots=True)
class _Suspicion:
    key: str
    t: float
    confidence: float
    peak_t: float | None
    before: Vector | None
    moved_s: float = 0.0

    def becomes(self, state: State, reason: str = "") -> Change:
        return Change(self.key, state, self.confidence, self.peak_t, reason)


class EventDetector:
    """Follows one class.

    Args:
        rule: when it raises an alarm.
        make_key: makes the key of an alarm.
    """

    def __init__(self, rule: EventRule, make_key: Callable[[], str]) -> None:
        self.rule = rule
        self._make_key = make_key
        self.reset()

    def reset(self) -> None:
        """Begin a new stream: nothing is suspected or open, and time starts again."""
        self._last_t = -math.inf
        self._quiet_until = -math.inf
        self._suspicion: _Suspicion | None = None
        # A later rise of the probability within a confirmation, which goes on if the first suspicion is cancelled.
        self._later: _Suspicion | None = None
        # The last raised alarm, until somebody acknowledges it.
        self._open: Change | None = None
        self._streak = 0
        # An event must have been absent before it can be suspected again.
        self._armed = True

    def gap(self) -> None:
        """Note that samples were lost: windows on either side are not successive, and time passed unseen."""
        self._streak = 0
        self._last_t = math.inf

    def update(self, t: float, probability: float, motion: Motion | None = None) -> list[Change]:
        """Take one window.

        Args:
            t: time of its last sample, seconds, later than the one before.
            probability: of the class.
            motion: of its newest samples; None without an accelerometer.

        Returns:
            The changes in order: none or one as a rule, more where one suspicion follows another.
        """
        self._note_motion(t, motion)
        if self._suspicion is not None:
            self._suspicion.confidence = max(self._suspicion.confidence, probability)
        made = self._decide(t)
        if self._has_risen(probability) and t >= self._quiet_until:
            self._armed = False
            made += self._suspect(self._new(t, probability, motion))
        return made

    def answer(self, by: str) -> Change | None:
        """Take a person's word: it cancels a suspicion, or acknowledges an alarm.

        Args:
            by: who or what answered.
        """
        if self._suspicion is not None:
            change = self._suspicion.becomes("cancelled", by)
            self._suspicion = self._later = None
            return change
        if self._open is None:
            return None
        raised, self._open = self._open, None
        return Change(raised.key, "acknowledged", raised.confidence, raised.peak_t, by)

    def end(self, t: float, reason: str) -> Change | None:
        """Raise what is suspected, since no more samples can cancel it.

        Args:
            t: time of the last sample, seconds.
            reason: why there are no more.
        """
        return None if self._suspicion is None else self._raise(t, self._suspicion, f"not confirmed: {reason}")

    def _has_risen(self, probability: float) -> bool:
        if probability < self.rule.threshold:
            self._streak, self._armed = 0, True
            return False
        self._streak += 1
        return self._armed and self._streak >= self.rule.windows

    def _new(self, t: float, probability: float, motion: Motion | None) -> _Suspicion:
        peak_t = None if motion is None else t - motion.peak_s
        return _Suspicion(self._make_key(), t, probability, peak_t, None if motion is None else motion.before)

    def _suspect(self, suspicion: _Suspicion) -> list[Change]:
        if self._suspicion is not None:
            self._later = suspicion
            return []
        if not self.rule.delay_s:
            return [self._raise(suspicion.t, suspicion)]
        self._suspicion = suspicion
        return [suspicion.becomes("suspected")]

    def _decide(self, t: float) -> list[Change]:
        """Cancel or raise what is suspected, if it is time."""
        made: list[Change] = []
        while (suspicion := self._suspicion) is not None:
            if suspicion.moved_s > (1 - self.rule.still) * self.rule.confirm_s + _EPSILON_S:
                made.append(suspicion.becomes("cancelled", "motion"))
                self._suspicion, self._later = self._later, None
                if self._suspicion is not None:
                    made.append(self._suspicion.becomes("suspected"))
            elif t - suspicion.t >= self.rule.delay_s - _EPSILON_S:
                made.append(self._raise(t, suspicion))
            else:
                break
        return made

    def _raise(self, t: float, suspicion: _Suspicion, reason: str = "") -> Change:
        self._suspicion = self._later = None
        self._open = suspicion.becomes("raised", reason)
        self._quiet_until = t + self.rule.refractory_s
        return self._open

    def _note_motion(self, t: float, motion: Motion | None) -> None:
        seen_from, self._last_t = self._last_t, t
        for suspicion in (self._suspicion, self._later):
            if suspicion is not None and motion is not None and self._moves(suspicion, motion):
                counted = min(t, suspicion.t + self.rule.delay_s), max(seen_from, suspicion.t + self.rule.settle_s)
                suspicion.moved_s += max(0.0, counted[0] - counted[1])

    def _moves(self, suspicion: _Suspicion, motion: Motion) -> bool:
        lying = (
            self.rule.posture_deg is not None
            and suspicion.before is not None
            and angle_deg(suspicion.before, motion.gravity) >= self.rule.posture_deg
        )
        return motion.spread > self.rule.motion * (LYING_MOTION if lying else 1.0)
