"""Sums up a run: what a day's windows were like, in parts that nothing is lost of and nothing is in twice.

A part ends with the hour, at midnight, when another wearer is chosen, and with the run, so that a power cut costs an
hour at most. A board without a clock of its own starts in the past, until the network tells it the time. A clock that
jumps ends no part: the part goes on and belongs to the day that the clock says now, since the time before was wrong.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from deseptr.contract import ModelContract
from deseptr.contract.drift_reference import CONFIDENCE_EDGES, SCORE_EDGES
from deseptr.device.events import DriftEvent, Event, GapEvent, WindowEvent
from deseptr.device.label.tracker import UNKNOWN

from .summary import DriftSummary
from .verdict import judge

PART_S = 3600.0
"""Longest time of a part, seconds."""
JUMP_S = 60.0
"""Difference between wall clock and monotonic clock from which on the wall clock was set."""
_IMPLAUSIBLE = "implausible"


class DriftWatch:
    """Counts the events of a run and gives an event for each part of a day.

    Args:
        contract: of the model that runs.
        wall: seconds since 1970, as the day is told from.
        monotonic: seconds of a clock that nobody sets.
        run: name of the run, which no other has.

    >>> watch = DriftWatch(ModelContract(("still", "walking")), run="r")
    >>> watch.note(GapEvent(1.0, "overflow", 12))
    >>> watch.finish().summary.lost_samples
    12
    """

    def __init__(
        self,
        contract: ModelContract,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        run: str | None = None,
    ) -> None:
        self._contract = contract
        self._embedding = None if contract.drift is None else contract.drift.embedding
        self._reference = None if contract.drift is None else contract.drift.key
        # A wearer's new labels, which come and go in a run, are of no reference.
        compared = contract.labels if contract.drift is None else contract.labels[: contract.drift.classes]
        self._index = {label: place for place, label in enumerate(compared)}
        self._wall, self._monotonic = wall, monotonic
        self._run = os.urandom(4).hex() if run is None else run
        self._parts = 0
        self._t = 0.0
        self._wearer: str | None = None
        self._part, self._day = DriftSummary(), ""
        self._sums: dict[str | None, DriftSummary] = {}
        self._sums_of = ""
        self._begun = 0.0
        self._ahead = 0.0

    def note(self, event: Event) -> DriftEvent | None:
        """Count an event of the run; gives the part that ended before it, if one did."""
        if not isinstance(event, WindowEvent | GapEvent):
            return None
        ended = self._look_at_clocks()
        if isinstance(event, WindowEvent) and event.wearer != self._wearer:
            if not self._part.empty:
                ended = self._end("wearer")
            self._wearer = event.wearer
        self._t = event.t
        if isinstance(event, GapEvent):
            self._part.gaps += 1
            self._part.lost_samples += event.lost_samples
        else:
            self._count(event)
        return ended

    def finish(self) -> DriftEvent | None:
        """The last part, at the end of the run; None if nothing was counted since the part before."""
        return None if self._part.empty else self._end("run")

    def _look_at_clocks(self) -> DriftEvent | None:
        now, steady = self._wall(), self._monotonic()
        jumped = abs(now - steady - self._ahead) > JUMP_S
        self._ahead = now - steady
        today = _day_of(now)
        ended = None
        if self._part.empty:
            self._begin(today, steady)
        elif today != self._day and jumped:
            self._day = today
        elif today != self._day or steady - self._begun >= PART_S:
            ended = self._end("hour" if today == self._day else "day")
            self._begin(today, steady)
        return ended

    def _begin(self, day: str, steady: float) -> None:
        self._day, self._begun = day, steady

    def _count(self, window: WindowEvent) -> None:
        part = self._part
        part.windows += 1
        part.seconds += self._contract.hop_s
        reason = window.unknown
        if reason is not None:
            part.unknown[reason] += 1
        if reason is not None and reason.startswith(_IMPLAUSIBLE):
            part.implausible += 1
            return
        if reason is None and window.state == UNKNOWN and window.label != UNKNOWN:
            part.undecided += 1
        # The reference is of the model as it is: a wearer's correction is no drift.
        label, confidence = window.uncorrected or (_most_probable(window), window.confidence)
        part.labels[label] += 1
        part.confidence += confidence
        if window.gravity is not None:
            part.still += 1
            part.gravity += window.gravity
        if label in self._index:
            self._count_bins(window, self._index[label], confidence)

    def _count_bins(self, window: WindowEvent, index: int, confidence: float) -> None:
        part = self._part
        part.note_bin("confidence", bisect_right(CONFIDENCE_EDGES, confidence))
        if window.distance is not None and self._embedding is not None:
            part.note_bin("distance", bisect_right(self._embedding.edges[index], window.distance))
        if window.score is not None:
            part.note_bin("score", bisect_right(SCORE_EDGES, window.score))

    def _end(self, why: Literal["hour", "day", "wearer", "run"]) -> DriftEvent:
        self._parts += 1
        if self._sums_of != self._day:
            self._sums, self._sums_of = {}, self._day
        so_far = self._sums.setdefault(self._wearer, DriftSummary())
        so_far.add(self._part)
        part, self._part = self._part, DriftSummary()
        return DriftEvent(
            t=self._t,
            day=self._day,
            key=f"{self._run}-{self._parts}",
            ended=why,
            summary=part,
            reference=self._reference,
            verdict=judge(so_far, self._contract),
            wearer=self._wearer,
        )


def _most_probable(window: WindowEvent) -> str:
    return max(window.probabilities, key=window.probabilities.__getitem__)


def _day_of(seconds: float) -> str:
    """Local date, as 2026-03-01: a wearer's day."""
    return datetime.fromtimestamp(seconds).date().isoformat()
