"""A guided session on a page: which activity is next, what may be done now, and until when somebody has to do it.

It knows no sensor, file or thread: whoever runs it tells it what has happened, and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deseptr.contract import DeseptrError
from deseptr.device.recorder import Take

from .enough import LEAST_ACTIVITIES
from .take_check import TakeCheck

Phase = Literal["ready", "countdown", "recording", "checking", "checked", "fitting", "done", "refused"]
# Whoever left is not waited for.
PATIENCE_S = 120.0
_OVER = ("done", "refused")


class OutOfTurnError(Exception):
    """Something that is not possible in this phase of the session."""


@dataclass(frozen=True, slots=True)
class GuidedStep:
    """An activity of the session.

    Args:
        label: the activity.
        new: whether the model lacks it.
        seconds: length of its take.
    """

    label: str
    new: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class KeptTake:
    """A take that the wearer keeps, and what was found in it."""

    take: Take
    check: TakeCheck

    @property
    def path(self) -> Path:
        """Its file."""
        return self.take.path


class GuidedSession:
    """The session of one wearer.

    Args:
        wearer: the name.
        steps: the activities, at least one.
        prepare_s: countdown before each take, seconds.
        now: time, seconds.
        before: activities of the wearer's earlier sessions.
    """

    def __init__(
        self,
        wearer: str,
        steps: tuple[GuidedStep, ...],
        prepare_s: float,
        now: float,
        before: tuple[str, ...] = (),
    ) -> None:
        self.wearer, self.steps, self.prepare_s, self.before = wearer, steps, prepare_s, before
        self.phase: Phase = "ready"
        self.number = 0
        self.kept: list[KeptTake] = []
        self.take: KeptTake | None = None
        self.told: tuple[str, ...] = ()
        """What became of it: lines for the wearer."""
        self._begins = self._touched = now

    @property
    def step(self) -> GuidedStep:
        """The present activity; after the last one, that."""
        return self.steps[min(self.number, len(self.steps) - 1)]

    @property
    def needed(self) -> bool:
        """Whether nothing can be learned if the present activity is left out."""
        later = (step.label for step in self.steps[self.number + 1 :])
        return len({*self.before, *(each.check.label for each in self.kept), *later}) < LEAST_ACTIVITIES

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.phase in _OVER

    def left_s(self, now: float) -> float:
        """Seconds of the countdown that are left."""
        return max(0.0, self._begins - now) if self.phase == "countdown" else 0.0

    def abandoned(self, now: float) -> bool:
        """Whether nobody has done what is next for too long."""
        # A sensor that gives nothing makes a take without end.
        patience = PATIENCE_S + (2 * self.step.seconds if self.phase == "recording" else 0)
        return self.phase not in ("checking", "fitting") and now - self._touched > patience

    def start(self, now: float) -> None:
        """Count down to the take; the one before of this activity, if there is one, is dropped."""
        self._require("ready", "checked")
        self._enter("countdown", now)
        self.take, self._begins = None, now + self.prepare_s

    def due(self, now: float) -> bool:
        """Whether the countdown is over; then the take is recorded from now on."""
        if self.phase != "countdown" or now < self._begins:
            return False
        self._enter("recording", now)
        return True

    def stop(self, now: float) -> None:
        """End the countdown or the take, which is dropped."""
        self._require("countdown", "recording")
        self._enter("ready", now)

    def recorded(self, now: float) -> None:
        """The take is complete."""
        self._require("recording")
        self._enter("checking", now)

    def checked(self, take: KeptTake, now: float) -> None:
        """The take was looked at."""
        self._require("checking")
        self.take = take
        self._enter("checked", now)

    def keep(self, now: float) -> None:
        """Keep the take, and go on with the next activity."""
        self._require("checked")
        if self.take is None or not self.take.check.usable:
            raise OutOfTurnError("this take cannot be used; repeat it, or leave the activity out")
        self.kept.append(self.take)
        self._next(now)

    def skip(self, now: float) -> None:
        """Leave the activity out."""
        self._require("ready", "checked")
        self._next(now)

    def finish(self, told: tuple[str, ...], now: float) -> None:
        """The wearer's file is written."""
        self._end("done", told, now)

    def refuse(self, error: DeseptrError | str, now: float) -> None:
        """It came to nothing, for a reason."""
        self._end("refused", (str(error),), now)

    def _end(self, phase: Phase, told: tuple[str, ...], now: float) -> None:
        if self.over:
            raise OutOfTurnError("the session is over")
        self.told, self.take = told, None
        self._enter(phase, now)

    def _next(self, now: float) -> None:
        self.take = None
        self.number += 1
        self._enter("ready" if self.number < len(self.steps) else "fitting", now)

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self._touched = phase, now

    def _require(self, *phases: Phase) -> None:
        if self.phase not in phases:
            raise OutOfTurnError(f"not now: {_MEANINGS[self.phase]}")


_MEANINGS: dict[Phase, str] = {
    "ready": "the next activity waits to be started",
    "countdown": "the countdown runs",
    "recording": "an activity is being recorded",
    "checking": "the take is being checked",
    "checked": "keep or repeat the take first",
    "fitting": "the correction is being computed",
    "done": "the session is over",
    "refused": "the session is over",
}
