"""Events of a run, one record each: windows, labels, alarms, implausible or lost samples, mountings and so on.

They are plain values with a JSON form; a :class:`deseptr.device.Sink` shows or stores them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from deseptr.contract.counts import counted

from .drift.summary import DriftSummary
from .drift.verdict import DriftVerdict


@dataclass(frozen=True, slots=True)
class WindowEvent:
    """A window was classified.

    Args:
        t: time of its last sample, seconds after the first sample of the run.
        label: the most probable class; ``unknown`` if the window can have no label.
        confidence: probability of the most probable class.
        probabilities: probability of every class by name.
        latency_us: host time from the start of the read that brought its last sample to the label, microseconds.
        sample: index of its first sample at the model's rate, lost ones counted.
        state: the decided label after this window; None without a label tracker.
        unknown: why it has no label, such as ``implausible: stuck`` or ``unfamiliar``; None if it has one.
        wearer: for whom the model was corrected; None if it was not.
        score: how far the latest windows are from those that the model knows, over the limit: above 1 they are
            unfamiliar; None if the model has no known windows, or samples are implausible.
        distance: how far its embedding is from those of the class that the model itself found, in deviations within a
            class; None if the contract has no reference of drift, or the model no embedding.
        gravity: mean acceleration, m/s^2; None if the sensor moved in the window, or has no accelerometer.
        uncorrected: the most probable class of the model itself and its probability, before a wearer's correction; None
            without one, and where the label is one that the model lacks.
    """

    t: float
    label: str
    confidence: float
    probabilities: dict[str, float]
    latency_us: float
    sample: int
    state: str | None = None
    unknown: str | None = None
    wearer: str | None = None
    score: float | None = None
    distance: float | None = None
    gravity: float | None = None
    uncorrected: tuple[str, float] | None = None

    def __str__(self) -> str:
        label = self.label if self.unknown is None else f"{self.label} ({self.unknown})"
        return f"{self.t:9.2f} s  {label}  {self.confidence:.1%}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        made = {
            "t": round(self.t, 6),
            "label": self.label,
            "confidence": round(self.confidence, 6),
            "probabilities": {label: round(value, 6) for label, value in self.probabilities.items()},
            "latency_us": round(self.latency_us, 3),
        }
        if self.state is not None:
            made["state"] = self.state
        if self.score is not None:
            made["score"] = round(self.score, 4)
        if self.distance is not None:
            made["distance"] = round(self.distance, 4)
        if self.unknown is not None:
            made["unknown"] = self.unknown
        return _of_wearer(made, self.wearer)


@dataclass(frozen=True, slots=True)
class GapEvent:
    """Samples were lost; the windows on either side are whole.

    Args:
        t: time of the first sample after it, seconds after the first sample of the run.
        reason: as in :class:`deseptr.device.Gap`.
        lost_samples: their number, estimated from the clock; right to one sample.
    """

    t: float
    reason: str
    lost_samples: int

    def __str__(self) -> str:
        return f"{self.t:9.2f} s  gap: {self.reason}, {counted(self.lost_samples, 'sample')}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        return {"gap": {"reason": self.reason, "lost_samples": self.lost_samples}, "t": round(self.t, 6)}


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """The decided label changed.

    Args:
        t: time of the last sample of the window that decided it, seconds after the first sample of the run.
        label: the label from now on, ``unknown`` for a reason.
        previous: the label until now; None at first.
        confidence: smoothed probability of the most probable class.
        reason: why the label is ``unknown``: ``undecided``, since no class is probable enough, or as in
            :class:`WindowEvent`; None of other labels.
        score: as in :class:`WindowEvent`.
        wearer: as in :class:`WindowEvent`.
    """

    t: float
    label: str
    previous: str | None
    confidence: float
    reason: str | None = None
    score: float | None = None
    wearer: str | None = None

    def __str__(self) -> str:
        return f"{self.t:9.2f} s  → {self.label}" + (f" ({self.reason})" if self.reason else "")

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        change = {"label": self.label, "previous": self.previous, "confidence": round(self.confidence, 6)}
        if self.reason is not None:
            change["reason"] = self.reason
        if self.score is not None:
            change["score"] = round(self.score, 4)
        return _of_wearer({"change": change, "t": round(self.t, 6)}, self.wearer)


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """A class that is an event was suspected, or such an alarm changed.

    Args:
        t: when, seconds after the first sample of the run.
        label: the class.
        state: ``suspected`` until it is ``raised`` or ``cancelled``; ``acknowledged`` by a person after it was raised.
        confidence: the highest probability of the class since it was suspected.
        key: the same for all states of one alarm, and that of no other.
        peak_t: time of the largest acceleration in the window that was suspected, such as that of an impact, seconds
            after the first sample of the run; None without an accelerometer.
        reason: why it was cancelled, who answered, or why it was raised without a whole confirmation; else empty.
        wearer: as in :class:`WindowEvent`.
    """

    t: float
    label: str
    state: Literal["suspected", "raised", "cancelled", "acknowledged"]
    confidence: float
    key: str
    peak_t: float | None = None
    reason: str = ""
    wearer: str | None = None

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.t:9.2f} s  {self.label} {self.state}{why}  {self.confidence:.1%}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        alarm = {
            "event": self.label,
            "state": self.state,
            "confidence": round(self.confidence, 6),
            "peak_t": None if self.peak_t is None else round(self.peak_t, 6),
            "key": self.key,
            "reason": self.reason,
        }
        return _of_wearer({"alarm": alarm, "t": round(self.t, 6)}, self.wearer)


@dataclass(frozen=True, slots=True)
class ImplausibleEvent:
    """Samples that no worn sensor measures have begun, or have ended; the label is ``unknown`` in between.

    Args:
        t: time of the last sample of the window that showed it, seconds after the first sample of the run.
        finding: the first of what was found, one of :data:`deseptr.device.plausibility.FINDINGS`.
        meaning: the same as a sentence.
        count: number of times that implausible samples have begun in this run.
        ended: whether samples are plausible again.
    """

    t: float
    finding: str
    meaning: str
    count: int
    ended: bool = False

    def __str__(self) -> str:
        if self.ended:
            return f"{self.t:9.2f} s  plausible again after: {self.finding}"
        return f"{self.t:9.2f} s  implausible: {self.finding}, {self.meaning} ({self.count})"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        found = {"finding": self.finding, "meaning": self.meaning, "count": self.count, "ended": self.ended}
        return {"implausible": found, "t": round(self.t, 6)}


@dataclass(frozen=True, slots=True)
class MountingEvent:
    """How the sensor is mounted, compared with the training, and what is done about it after the window at ``t``.

    Args:
        t: time of the last sample of that window, seconds after the first sample of the run.
        applied: name of the turn for which samples are corrected, such as ``x90``; ``none`` if they are not.
        found: name of the turn that was estimated, ``none`` if the sensor is mounted as in training, several joined by
            ``or`` if they cannot be told apart; None if nothing was estimated, or nothing could be.
        meaning: the same as a sentence.
    """

    t: float
    applied: str
    found: str | None
    meaning: str

    @property
    def turned(self) -> bool:
        """Whether the sensor seems turned and is not corrected."""
        return self.found not in (None, "none") and self.applied == "none"

    def __str__(self) -> str:
        advice = f"; if so, correct it with --mounting {str(self.found).split()[0]}" if self.turned else ""
        done = "" if self.applied == "none" else f"; samples are corrected by {self.applied}"
        return f"{self.t:9.2f} s  mounting: {self.meaning}{advice}{done}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        content = {"applied": self.applied, "found": self.found, "meaning": self.meaning}
        return {"mounting": content, "t": round(self.t, 6)}


@dataclass(frozen=True, slots=True)
class RecoveryEvent:
    """A recovery step was taken because the sensor failed; one event for each step of an episode.

    Args:
        t: time of the first sample after it, seconds after the first sample of the run.
        rung: the step: ``retry``, ``fifo-reset``, ``reinit`` or ``reopen``.
        cause: the failure, in one line.
        count: number of such steps so far in this run, this one included.
    """

    t: float
    rung: str
    cause: str
    count: int

    def __str__(self) -> str:
        return f"{self.t:9.2f} s  recovery: {self.rung} ({self.count}) after {self.cause}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        return {"recovery": {"rung": self.rung, "cause": self.cause, "count": self.count}, "t": round(self.t, 6)}


@dataclass(frozen=True, slots=True)
class RateEvent:
    """The sensor's rate was measured, for the first time or again.

    Args:
        t: when, seconds after the first sample of the run.
        rate_hz: the measured rate.
        nominal_hz: the rate that the sensor is set to.
        resampled: whether its samples are brought to the model's rate from here on.
    """

    t: float
    rate_hz: float
    nominal_hz: float
    resampled: bool

    def __str__(self) -> str:
        how = ", resampled to the model's" if self.resampled else ""
        return f"{self.t:9.2f} s  rate: {self.rate_hz:.2f} Hz measured, {self.nominal_hz:g} Hz nominal{how}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        rate = {
            "rate_hz": round(self.rate_hz, 4),
            "nominal_hz": round(self.nominal_hz, 4),
            "resampled": self.resampled,
        }
        return {"rate": rate, "t": round(self.t, 6)}


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """What the windows of a part of a day were like; the parts of a day are summed.

    Args:
        t: time of its last event, seconds after the first sample of the run.
        day: local date, as ``2026-03-01``.
        key: names the run and the part; no other event has it.
        ended: why the part ended: with the ``hour``, the ``day`` or the ``run``, or since another ``wearer`` came.
        summary: the counts.
        reference: names the reference that distances were counted by; None if the contract has none.
        verdict: of all parts of that day in this run; None as ``reference``.
        wearer: as in :class:`WindowEvent`.
    """

    t: float
    day: str
    key: str
    ended: Literal["hour", "day", "wearer", "run"]
    summary: DriftSummary
    reference: str | None = None
    verdict: DriftVerdict | None = None
    wearer: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the day differs from the reference."""
        return self.verdict is not None and self.verdict.word == "differs"

    def __str__(self) -> str:
        mean = self.summary.mean_confidence
        confidence = "" if mean is None else f", mean confidence {mean:.1%}"
        verdict = "" if self.verdict is None else f"; day so far {self.verdict}"
        return f"{self.t:9.2f} s  drift: {self.day}, {counted(self.summary.windows, 'window')}{confidence}{verdict}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --json``."""
        content: dict[str, Any] = {"day": self.day, "key": self.key, "ended": self.ended, **self.summary.to_dict()}
        if self.reference is not None:
            content["reference"] = self.reference
        if self.verdict is not None:
            content["verdict"] = self.verdict.to_dict()
        return _of_wearer({"drift": content, "t": round(self.t, 6)}, self.wearer)


Event = (
    WindowEvent
    | GapEvent
    | LabelEvent
    | ImplausibleEvent
    | AlarmEvent
    | MountingEvent
    | RecoveryEvent
    | RateEvent
    | DriftEvent
)


def _of_wearer(made: dict[str, Any], wearer: str | None) -> dict[str, Any]:
    return made if wearer is None else made | {"wearer": wearer}
