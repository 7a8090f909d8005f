"""What a decision is tuned for."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass

from deseptr.contract import SetupError

DELAY, FALSE_ALARMS, F1 = "delay", "false-alarms", "f1"
# A median says nothing of the tail: one activity in ten may take this many times as long.
_SLOWER = 2
_FORM = re.compile(r"(delay)=([0-9.]+)s?|(false-alarms)=([0-9.]+)(?:/h)?|(f1)")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a decision gives on the wearers that it is tuned on.

    Args:
        delay_s: median delay of the label; infinite if half of the activities are never shown.
        slow_s: delay that a tenth of the activities exceeds.
        spurious: spurious changes an hour.
        changes: all changes an hour.
        frame_f1: macro-F1 of the frames.
    """

    delay_s: float
    slow_s: float
    spurious: float
    changes: float
    frame_f1: float

    def to_dict(self) -> dict[str, float | None]:
        """The figures as plain JSON values; None for a delay that is never over."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Target:
    """The aim of a tuning.

    Args:
        kind: ``delay`` for the fewest spurious changes with a median delay of at most ``bound`` seconds, and a tenth of
            the delays beyond twice of it; ``false-alarms`` for the shortest delay with at most ``bound`` spurious
            changes an hour; ``f1`` for the highest frame-wise F1.
        bound: of the first two.

    >>> Target.parse("delay=1.5"), Target.parse("false-alarms=60/h").bound
    (Target(kind='delay', bound=1.5), 60.0)
    """

    kind: str
    bound: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``delay=1.5``, ``false-alarms=60/h`` or ``f1``.

        Raises:
            SetupError: if it is none of these.
        """
        found = _FORM.fullmatch(text.strip())
        kind, bound = _kind_and_bound(found) if found else ("", math.nan)
        if not found or not math.isfinite(bound):
            raise SetupError(
                "--target",
                found=text,
                expected="delay=SECONDS, false-alarms=NUMBER/h or f1",
                next_step="write it as delay=1.5",
            )
        return cls(kind, bound)

    def __str__(self) -> str:
        units = {DELAY: f"={self.bound:g} s", FALSE_ALARMS: f"={self.bound:g}/h", F1: ""}
        return self.kind + units[self.kind]

    def reached(self, trial: Trial) -> bool:
        """Whether a trial keeps the bound."""
        return self._excess(trial) <= 0

    def order(self, trial: Trial) -> tuple[float, ...]:
        """What trials are sorted by, the best first: those that keep the bound, then those nearest to it."""
        over = max(self._excess(trial), 0.0)
        if self.kind == DELAY:
            return over, trial.spurious, trial.slow_s, -trial.frame_f1
        if self.kind == FALSE_ALARMS:
            return over, trial.delay_s + trial.slow_s, -trial.frame_f1
        return -trial.frame_f1, trial.spurious

    def _excess(self, trial: Trial) -> float:
        delay = max(trial.delay_s - self.bound, (trial.slow_s - _SLOWER * self.bound) / _SLOWER)
        return {DELAY: delay, FALSE_ALARMS: trial.spurious - self.bound, F1: 0.0}[self.kind]


def _kind_and_bound(found: re.Match[str]) -> tuple[str, float]:
    if found[5]:
        return F1, 0.0
    number = found[2] or found[4]
    try:
        return found[1] or found[3], float(number)
    except ValueError:
        return "", math.nan
