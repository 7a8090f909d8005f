"""The alarms of recordings that a model has seen: the model's findings are played again into the device's own watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import EventRule, ModelContract
from deseptr.device import AlarmEvent, EventWatch, PushStream
from deseptr.device.alarms.detector import EventDetector
from deseptr.device.alarms.motion import Motion, MotionMeter
from deseptr.device.stream.windows import Window

from .playing import Played, signals_of


def alarms_of(played: Played, contract: ModelContract, rules: Sequence[EventRule]) -> list[AlarmEvent]:
    """The alarms that a recording raises, by the device's own watch, in order; those that are cancelled are none.

    A confirmation that the end of the recording cuts short is one that nothing contradicts, as on the device.

    Args:
        played: the recording and what the model found in it.
        contract: the model's, at the hop of ``played``.
        rules: of the classes that are events.
    """
    events = _replay(played, contract, EventWatch(contract, rules))
    return [event for event in events if event.state == "raised"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a detector learns of a recording; it is the same under every rule.

    Args:
        label: the class.
        windows: of each, the time of its last sample in seconds, the probability of the class, and the motion; None
            without an accelerometer.
        end_s: time of the recording's end, seconds.
        most: the largest probability.
    """

    label: str
    windows: tuple[tuple[float, float, Motion | None], ...]
    end_s: float
    most: float

    def raised(self, rule: EventRule) -> tuple[float, ...]:
        """Times of the alarms that a rule raises, seconds; those of :func:`alarms_of`, many times as fast."""
        if self.most < rule.threshold:
            return ()
        detector = EventDetector(rule, lambda: "")
        times = [
            t
            for t, probability, motion in self.windows
            for change in detector.update(t, probability, motion)
            if change.state == "raised"
        ]
        return (*times, self.end_s) if detector.end(self.end_s, "the samples ended") else tuple(times)


def sight(played: Played, contract: ModelContract, label: str) -> Sighting:
    """What the detector of a class learns of a recording.

    Args:
        played: the recording and what the model found in it.
        contract: the model's, at the hop of ``played``.
        label: the class.
    """
    witness = _Witness(contract, label)
    _replay(played, contract, witness)
    most = max((probability for _, probability, _ in witness.seen), default=0.0)
    return Sighting(label, tuple(witness.seen), witness.end_s, most)


class _Witness(EventWatch):
    """Writes down what its detector is told, and raises nothing."""

    def __init__(self, contract: ModelContract, label: str) -> None:
        super().__init__(contract, [EventRule(label)])
        self._index = contract.labels.index(label)
        self._motions = MotionMeter(contract)
        self.seen: list[tuple[float, float, Motion | None]] = []
        self.end_s = 0.0

    def update(self, window: Window, t: float, probabilities: NDArray[np.float32]) -> list[AlarmEvent]:
        self.seen.append((t, float(probabilities[self._index]), self._motions.update(window)))
        return []

    def end(self, t: float, reason: str) -> list[AlarmEvent]:
        self.end_s = t
        return []


def _replay(played: Played, contract: ModelContract, watch: EventWatch) -> list[AlarmEvent]:
    stream = PushStream(_Echo(contract, played.probabilities), played.recording.rate_hz, watch=watch)
    events = stream.push(signals_of(played.recording, contract)) + stream.end()
    return [event for event in events if isinstance(event, AlarmEvent)]


class _Echo:
    """Stands where the engine does and gives what a model has found before."""

    name, threads, embedding = "echo", 1, None

    def __init__(self, contract: ModelContract, probabilities: NDArray[np.float32]) -> None:
        self.contract = contract
        self._logits = iter(np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)))

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        return next(self._logits)
