"""All events of a run: windows and answers in, alarms out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import EventRule, ModelContract, SetupError
from deseptr.device.events import AlarmEvent
from deseptr.device.stream.windows import Window

from .answers import Answers
from .detector import Change, EventDetector
from .motion import MotionMeter


class EventWatch:
    """Follows the classes of a model that are events.

    Args:
        contract: the model's.
        rules: one rule for each class that is an event.
        answers: what people say to the alarms.
        make_key: makes the key of an alarm, which no other alarm of any run may have.

    Raises:
        SetupError: if a rule names no class of the model or the class of another rule, or needs an accelerometer that
            the model has not.

    >>> from deseptr.contract import EventRule, ModelContract
    >>> EventWatch(ModelContract(labels=("upright", "fall")), [EventRule("fall")]).labels
    ('fall',)
    """

    def __init__(
        self,
        contract: ModelContract,
        rules: Sequence[EventRule],
        answers: Answers | None = None,
        make_key: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._meter = MotionMeter(contract)
        self.labels = tuple(rule.label for rule in rules)
        for rule in rules:
            _check(rule, self.labels, contract, measures=self._meter.measures)
        self._detectors = [EventDetector(rule, make_key) for rule in rules]
        self._answers = answers or Answers()
        self.relabel(contract.labels)

    def relabel(self, labels: Sequence[str]) -> None:
        """Take probabilities of other classes from now on; an event that is none of them has probability 0."""
        self._places = [labels.index(label) if label in labels else None for label in self.labels]

    def reset(self) -> None:
        """Begin a new stream."""
        self._meter.forget()
        for detector in self._detectors:
            detector.reset()

    def gap(self) -> None:
        """Note that samples were lost."""
        for detector in self._detectors:
            detector.gap()

    def update(self, window: Window, t: float, probabilities: NDArray[np.float32]) -> list[AlarmEvent]:
        """Take one window.

        Args:
            window: its samples.
            t: time of its last sample, seconds.
            probabilities: ``[classes]``, of that window alone.
        """
        motion = self._meter.update(window)
        return [
            _event(detector, change, t)
            for place, detector in zip(self._places, self._detectors, strict=True)
            for change in detector.update(t, 0.0 if place is None else float(probabilities[place]), motion)
        ]

    def answered(self, t: float) -> list[AlarmEvent]:
        """Take the answers that have come since the last call, at time ``t`` in seconds."""
        changes = (
            (detector, detector.answer(answer.by))
            for answer in self._answers.take()
            for detector in self._detectors
            if answer.label in (None, detector.rule.label)
        )
        return [_event(detector, change, t) for detector, change in changes if change is not None]

    def end(self, t: float, reason: str) -> list[AlarmEvent]:
        """Raise what is suspected: samples have ended at time ``t`` in seconds, for that reason."""
        changes = ((detector, detector.end(t, reason)) for detector in self._detectors)
        return [_event(detector, change, t) for detector, change in changes if change is not None]


def _event(detector: EventDetector, change: Change, t: float) -> AlarmEvent:
    return AlarmEvent(t, detector.rule.label, change.state, change.confidence, change.key, change.peak_t, change.reason)


def _check(rule: EventRule, labels: tuple[str, ...], contract: ModelContract, *, measures: bool) -> None:
    if rule.label not in contract.labels:
        raise SetupError(
            f"event {rule.label}",
            found="no such class in the model",
            expected=f"one of {', '.join(contract.labels)}",
            next_step="name a class of the model with --event",
        )
    if labels.count(rule.label) > 1:
        raise SetupError(
            f"event {rule.label}", found="two rules for it", expected="one", next_step="name each class once"
        )
    if rule.confirm_s and not measures:
        raise SetupError(
            f"event {rule.label}: confirm_s",
            found="a model without an accelerometer",
            expected="one that sees whether the wearer moves",
            next_step="leave out the confirmation, or train on acceleration too",
        )
