"""What the rule of an alarm is tuned for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from deseptr.contract import SetupError

from .event_scores import HOURS_A_DAY, EventScores

FALSE_ALARMS, SENSITIVITY = "false-alarms", "sensitivity"
_FORM = re.compile(r"(false-alarms)=([0-9.]+)(/h|/day)|(sensitivity)=([0-9.]+)")


@dataclass(frozen=True, slots=True)
class AlarmTarget:
    """The aim of a tuning.

    Args:
        kind: ``false-alarms`` for the most events found with at most ``bound`` false alarms an hour; ``sensitivity``
            for the fewest false alarms with at least a share ``bound`` of the events found.
        bound: false alarms an hour, or a share.

    >>> AlarmTarget.parse("false-alarms=12/day"), str(AlarmTarget.parse("sensitivity=0.95"))
    (AlarmTarget(kind='false-alarms', bound=0.5), 'sensitivity=0.95')
    """

    kind: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> AlarmTarget:
        """Read ``false-alarms=0.1/h``, ``false-alarms=2/day`` or ``sensitivity=0.95``.

        Raises:
            SetupError: if it is none of these.
        """
        found = _FORM.fullmatch(text.strip())
        bound = _bound(found) if found else math.nan
        if not found or not math.isfinite(bound) or (found[4] and bound > 1):
            raise SetupError(
                "--target",
                found=text,
                expected="false-alarms=NUMBER/h, false-alarms=NUMBER/day or sensitivity=SHARE of an event",
                next_step="write it as false-alarms=0.1/h",
            )
        return cls(found[1] or found[4], bound)

    def __str__(self) -> str:
        return f"{self.kind}={self.bound:g}" + ("/h" if self.kind == FALSE_ALARMS else "")

    def reached(self, scores: EventScores) -> bool:
        """Whether scores keep the bound."""
        return self._excess(scores) <= 0

    def order(self, scores: EventScores) -> tuple[float, int, int]:
        """What scores are sorted by, the best first: those that keep the bound, then those nearest to it."""
        counts = scores.missed, scores.false_alarms
        return max(self._excess(scores), 0.0), *(counts if self.kind == FALSE_ALARMS else counts[::-1])

    def _excess(self, scores: EventScores) -> float:
        if self.kind == FALSE_ALARMS:
            return scores.false_alarms / scores.hours - self.bound
        return self.bound - (scores.sensitivity or 0.0)


def _bound(found: re.Match[str]) -> float:
    try:
        return float(found[2] or found[5]) / (HOURS_A_DAY if found[3] == "/day" else 1)
    except ValueError:
        return math.nan
