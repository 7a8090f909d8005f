"""Rows of a CSV file of events: its first columns, the cells of each kind of event, and lines."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

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

COLUMNS = ("time", "t", "event", "label", "confidence", "latency_us", "sample", "state", "detail")


def cells_of(event: Event) -> dict[str, Any]:
    """The cells of an event's row that are not empty, by column; ``wearer`` is one of them."""
    match event:
        case WindowEvent():
            return {
                "event": "window",
                "label": event.label,
                "confidence": six(event.confidence),
                "latency_us": f"{event.latency_us:.3f}",
                "sample": event.sample,
                "state": event.state or "",
                "detail": event.unknown or "",
                "wearer": event.wearer or "",
            }
        case LabelEvent():
            change = _change(event, event.label)
            details = [f"from {event.previous}" if event.previous else "", event.reason or ""]
            return {"event": "label", "detail": ", ".join(filter(None, details))} | change
        case AlarmEvent():
            return {"event": "alarm", "detail": f"{event.key} {event.reason}"} | _change(event, event.state)
        case DriftEvent():
            mean, verdict = event.summary.mean_confidence, event.verdict
            # One object in one cell: other rows stay as they are, and so do their readers. Two spaces would become one.
            content = json.dumps(event.to_dict()["drift"], separators=(",", ":")).replace("  ", r" \u0020")
            state = "" if verdict is None else verdict.word
            return {
                "event": "drift",
                "confidence": six(mean),
                "state": state,
                "detail": content,
                "wearer": event.wearer or "",
            }
        case _:
            return _of_sensor(event)


def _change(event: LabelEvent | AlarmEvent, state: str) -> dict[str, Any]:
    confidence = six(event.confidence)
    return {"label": event.label, "confidence": confidence, "state": state, "wearer": event.wearer or ""}


def _of_sensor(event: GapEvent | ImplausibleEvent | MountingEvent | RateEvent | RecoveryEvent) -> dict[str, Any]:
    match event:
        case ImplausibleEvent():
            return {"event": "implausible", "detail": f"{event.finding} {event.count}{' ended' if event.ended else ''}"}
        case MountingEvent():
            return {"event": "mounting", "detail": f"{event.applied}: {event.meaning}"}
        case GapEvent():
            return {"event": "gap", "detail": f"{event.reason}, {event.lost_samples} samples"}
        case RecoveryEvent():
            return {"event": "recovery", "detail": f"{event.rung} {event.count}: {event.cause}"}
        case RateEvent():
            how = ", resampled" if event.resampled else ""
            return {"event": "rate", "detail": f"{event.rate_hz:.4f} of {event.nominal_hz:g} Hz{how}"}


def six(value: float | None) -> str:
    """A number with six decimals; empty for None."""
    return "" if value is None else f"{value:.6f}"


def line_of(values: list[Any]) -> bytes:
    """A row with its newline."""
    text = io.StringIO()
    # A row never holds a newline, so that a row without one at its end is known to be incomplete.
    csv.writer(text, lineterminator="\n").writerow(map(plain, values))
    return text.getvalue().encode()


def plain(value: Any) -> str:
    """The text of a cell: one line, without blanks that a reader would lose."""
    return " ".join(str(value).split())
