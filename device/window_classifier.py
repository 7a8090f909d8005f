"""A window in, its events out: the step that a sensor's runtime and a stream of pushed samples share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.tflite.engine import Engine
from deseptr.tflite.streaming_engine import streamed

from .alarms.watch import EventWatch
from .drift.window_measures import WindowMeasures
from .events import AlarmEvent, Event, LabelEvent, MountingEvent, WindowEvent
from .label.class_of_logits import Classification, classify_logits
from .label.tracker import UNKNOWN, LabelTracker
from .label.unknown import UNFAMILIAR, Judgement, UnknownJudge
from .latency import WindowTimes
from .mounting.watch import MountingWatch
from .personal.engine import PersonalEngine
from .personal.mounting_warning import mounting_warning
from .personal.switch import WearerSwitch, Worn
from .stream.windows import Window


class _ForDrift(NamedTuple):
    """Fields of a :class:`WindowEvent` of these names."""

    gravity: float | None = None
    distance: float | None = None
    uncorrected: tuple[str, float] | None = None


_NOTHING = _ForDrift()


class WindowClassifier:
    """Runs the model on windows, decides on the label and watches for events.

    Args:
        engine: the model.
        tracker: decides on labels; without it, windows are only classified.
        timer: host time in nanoseconds.
        watch: raises alarms; None if no class is an event.
        unknown: decides which windows have no label; None if all have one.
        mounting: corrects windows for a turned sensor; None if they are classified as measured.
        wearers: changes the wearer between two windows; None if nobody may.
        drift: whether windows are measured for a :class:`deseptr.device.DriftWatch`.
    """

    def __init__(
        self,
        engine: Engine,
        tracker: LabelTracker | None,
        timer: Callable[[], int],
        watch: EventWatch | None = None,
        unknown: UnknownJudge | None = None,
        mounting: MountingWatch | None = None,
        wearers: WearerSwitch | None = None,
        *,
        drift: bool = True,
    ) -> None:
        self._engine, self._tracker, self._timer, self._watch = engine, tracker, timer, watch
        self._unknown, self._mounting = unknown, mounting
        self._personal = engine if isinstance(engine, PersonalEngine) else None
        self._wearer = None if self._personal is None else self._personal.wearer
        self._columns = streamed(engine if self._personal is None else self._personal.engine)
        self._wearers, self._worn = wearers, None if wearers is None else wearers.first
        self._measures = WindowMeasures(engine.contract) if drift else None

    def classify(self, window: Window, t: float, began: int, times: WindowTimes) -> list[Event]:
        """Classify a window.

        Args:
            window: the samples.
            t: time of the window's last sample, seconds.
            began: the timer's value from which the window's latency counts.
            times: takes ``invoke_ns``, ``decide_ns`` and ``end_to_end_ns``.

        Returns:
            The event of a mounting that is news, the window's, that of implausible samples if they begin or end, that
            of the label if it has changed, and those of alarms.
        """
        if self._wearers is not None and self._wearers.worn is not self._worn:
            self._wear(self._wearers.worn)
        labels = self._engine.contract.labels
        measured = window
        if self._mounting is not None:
            window = self._mounting.correct(window)
        ready = self._timer()
        logits = self._logits(window)
        invoked = self._timer()
        result = classify_logits(logits, labels)
        why, implausible, score = self._judge(window, t, result.index)
        decision = None if self._tracker is None else self._tracker.update(t, result.probabilities, why)
        alarms = [] if self._watch is None else self._watch.update(window, t, result.probabilities)
        mounted = None if self._mounting is None else self._mounted(self._mounting, measured, t, why)
        for_drift = _NOTHING if self._measures is None else self._measure(self._measures, measured, result)
        decided = self._timer()
        times.invoke_ns, times.decide_ns, times.end_to_end_ns = invoked - ready, decided - invoked, decided - began
        event = WindowEvent(
            t=t,
            label=result.label if why is None else UNKNOWN,
            confidence=result.confidence,
            probabilities=dict(zip(labels, result.probabilities.tolist(), strict=True)),
            latency_us=times.end_to_end_ns / 1000.0,
            sample=window.start,
            state=None if decision is None else decision.label,
            unknown=why,
            wearer=self._wearer,
            score=score,
            distance=for_drift.distance,
            gravity=for_drift.gravity,
            uncorrected=for_drift.uncorrected,
        )
        events: list[Event] = [each for each in (mounted, event, implausible) if each is not None]
        if decision is not None and decision.changed:
            change = (decision.label, decision.previous, decision.confidence, decision.reason)
            events.append(LabelEvent(t, *change, score=score, wearer=self._wearer))
        return [*events, *self._named(alarms)]

    def _judge(self, window: Window, t: float, index: int) -> Judgement:
        found = Judgement() if self._unknown is None else self._unknown.update(window, t)
        if found.reason == UNFAMILIAR and self._personal is not None and self._personal.is_new(index):
            # Not to the wearer, who recorded it.
            return found._replace(reason=None)
        return found

    def _mounted(self, mounting: MountingWatch, measured: Window, t: float, why: str | None) -> MountingEvent | None:
        # A turned sensor is unfamiliar, and that is no reason not to ask how it is turned.
        event = mounting.note(measured, t, plausible=why is None or why == UNFAMILIAR)
        if event is None or self._personal is None:
            return event
        warning = mounting_warning(self._personal.wearer, self._personal.mountings, event.applied)
        return event if warning is None else replace(event, meaning=f"{event.meaning}; {warning}")

    def _measure(self, measures: WindowMeasures, window: Window, result: Classification) -> _ForDrift:
        own, uncorrected = result, None
        if self._personal is not None and not self._personal.is_new(result.index):
            own = classify_logits(self._personal.uncorrected, self._personal.engine.contract.labels)
            uncorrected = own.label, own.confidence
        distance = measures.distance(self._embedding(), own.index) if measures.has_distance else None
        return _ForDrift(measures.gravity(window.samples[window.history :]), distance, uncorrected)

    def _wear(self, worn: Worn) -> None:
        self._worn, self._engine = worn, worn.engine
        self._personal = worn.engine if isinstance(worn.engine, PersonalEngine) else None
        self._wearer = None if self._personal is None else self._personal.wearer
        contract = worn.engine.contract
        if self._tracker is not None:
            self._tracker.relabel(contract.labels, worn.decision)
        if self._watch is not None:
            self._watch.relabel(contract.labels)
        if self._unknown is not None:
            self._unknown.follow(contract)

    def _logits(self, window: Window) -> NDArray[np.float32]:
        if self._columns is None:
            return self._engine.invoke(window.samples)
        logits = self._columns.invoke(window.samples, window.start, window.segment)
        return (
            logits
            if self._personal is None
            else self._personal.correct(logits, self._columns.embedding, window.samples)
        )

    def _embedding(self) -> NDArray[np.float32] | None:
        return self._engine.embedding if self._columns is None else self._columns.embedding

    def gap(self) -> None:
        """Note that samples were lost: no smoothing spans them."""
        if self._tracker is not None:
            self._tracker.gap()
        if self._watch is not None:
            self._watch.gap()
        if self._unknown is not None:
            self._unknown.gap()

    def answered(self, t: float) -> list[AlarmEvent]:
        """What people have answered to alarms by time ``t``, seconds."""
        return [] if self._watch is None else self._named(self._watch.answered(t))

    def end(self, t: float, reason: str) -> list[AlarmEvent]:
        """Raise alarms that wait for their confirmation: no more samples come after time ``t``, seconds."""
        return [] if self._watch is None else self._named(self._watch.end(t, reason))

    def _named(self, alarms: list[AlarmEvent]) -> list[AlarmEvent]:
        return alarms if self._wearer is None else [replace(alarm, wearer=self._wearer) for alarm in alarms]
