"""What the page is told, as plain JSON values: one message for each event and each read of the sensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deseptr.contract import ModelContract, columns_of
from deseptr.device.drained import Drained
from deseptr.device.events import (
    AlarmEvent,
    DriftEvent,
    Event,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)

Message = dict[str, Any]
# Steps of the values that are sent: far below what a pixel of the page or the noise of a sensor is.
_DECIMALS = 3
# A replay begins at 0 with each recording; the times of a run's events do not go back by as much.
_BACK_S = 1.0


class PageMessages:
    """Turns events and samples into messages on one time axis that never goes back.

    Args:
        contract: of the model.
    """

    def __init__(self, contract: ModelContract) -> None:
        self.labels = contract.labels
        """Those of the window before; a wearer may have further ones than the model."""
        self._channels = contract.channels
        self._begun_s = self._newest_s = 0.0
        self._event_s = self._samples_s = -math.inf
        self._joined = 0

    def of_event(self, event: Event) -> Message:
        """The message of an event; each has its ``kind`` and its time ``at``, seconds."""
        if event.t < self._event_s - _BACK_S:
            self._begin_again()
        if isinstance(event, GapEvent):
            self._joined = 0
        self._event_s = max(self._event_s, event.t)
        at = self._at(event.t)
        match event:
            case WindowEvent():
                self.labels = tuple(event.probabilities)
                probabilities = [round(each, 4) for each in event.probabilities.values()]
                state = event.state or event.label
                told = {"label": event.label, "state": state, "p": probabilities, "unknown": event.unknown}
                named = {} if event.wearer is None else {"wearer": event.wearer}
                return {"kind": "window", "at": at, **told, **named}
            case LabelEvent():
                return {"kind": "change", "at": at, "label": event.label, "previous": event.previous}
            case AlarmEvent():
                told = {"label": event.label, "state": event.state, "key": event.key, "reason": event.reason}
                return {"kind": "alarm", "at": at, **told}
            case DriftEvent():
                verdict = None if event.verdict is None else str(event.verdict)
                counted = event.summary.windows
                return {"kind": "drift", "at": at, "windows": counted, "verdict": verdict, "differs": event.differs}
            case GapEvent() | ImplausibleEvent() | MountingEvent() | RateEvent() | RecoveryEvent():
                return {"at": at, **_of_sensor(event)}

    def of_samples(self, drained: Drained) -> Message:
        """The message of a read: time of its first sample, their rate, and a list for each channel of the model.

        ``first`` says that nothing before them joins on; ``n`` is the number of samples since the last gap, from which
        the model's windows are counted.
        """
        own = drained.signals[:, columns_of(self._channels, drained.channels, "the sensor")]
        signals = np.round(own.T.astype(np.float64), _DECIMALS)
        if drained.t <= self._samples_s:
            self._begin_again()
        first, self._samples_s = math.isinf(self._samples_s), drained.t
        joined, self._joined = self._joined, self._joined + len(own)
        at = self._at(drained.t)
        self._newest_s = max(self._newest_s, at + len(own) / drained.rate_hz)
        told = {"at": at, "rate": round(drained.rate_hz, 3), "first": first, "n": joined}
        return {"kind": "samples", **told, "x": signals.tolist()}

    def _begin_again(self) -> None:
        self._begun_s = self._newest_s
        self._event_s = self._samples_s = -math.inf
        self._joined = 0

    def _at(self, t: float) -> float:
        at = self._begun_s + t
        self._newest_s = max(self._newest_s, at)
        return round(at, 4)


def _of_sensor(event: GapEvent | ImplausibleEvent | MountingEvent | RateEvent | RecoveryEvent) -> Message:
    match event:
        case GapEvent():
            return {"kind": "gap", "reason": event.reason, "lost": event.lost_samples}
        case ImplausibleEvent():
            return {"kind": "implausible", "meaning": event.meaning, "ended": event.ended}
        case MountingEvent():
            return {"kind": "mounting", "applied": event.applied, "meaning": event.meaning, "turned": event.turned}
        case RateEvent():
            rate = {"rate": round(event.rate_hz, 3), "nominal": event.nominal_hz, "resampled": event.resampled}
            return {"kind": "rate", **rate}
        case RecoveryEvent():
            return {"kind": "recovery", "rung": event.rung, "cause": event.cause, "count": event.count}
