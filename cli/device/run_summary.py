"""Counts of a run, for its summary and its screen."""

from __future__ import annotations

from collections import Counter

from deseptr.contract.counts import counted
from deseptr.device import (
    AlarmEvent,
    DriftEvent,
    Event,
    GapEvent,
    MountingEvent,
    Profiler,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.firmware_harness.simulator import Replayed, ReplayedEvent, ReplayedWindow


def inner(event: Event | Replayed) -> Event:
    """The event inside a replay's event, or the event itself."""
    return event.event if isinstance(event, ReplayedWindow | ReplayedEvent) else event


class RunFigures:
    """Counts the events of a run.

    Args:
        labels: the model's labels.
        simulated: whether the sensor is simulated.
    """

    def __init__(self, labels: tuple[str, ...], *, simulated: bool) -> None:
        self._labels = labels
        self._simulated = simulated
        self._known = self._correct = self._correctly_decided = 0
        self.windows = self.gaps = self.lost_samples = 0
        self.recoveries: Counter[str] = Counter()
        self.alarms: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.rate: RateEvent | None = None
        self.mounting: MountingEvent | None = None
        self.drift: DriftEvent | None = None

    def note(self, event: Event | Replayed) -> None:
        """Count one event."""
        match inner(event):
            case WindowEvent() as window:
                self.windows += 1
                if window.unknown is not None:
                    self.unknown[window.unknown] += 1
                self._judge(window, event.truth if isinstance(event, ReplayedWindow) else None)
            case GapEvent() as gap:
                self.gaps += 1
                self.lost_samples += gap.lost_samples
            case AlarmEvent() as alarm:
                self.alarms[alarm.state] += 1
            case RecoveryEvent() as recovery:
                self.recoveries[recovery.rung] += 1
            case latest:
                self._keep(latest)

    def _keep(self, latest: Event) -> None:
        match latest:
            case MountingEvent():
                self.mounting = latest
            case RateEvent():
                self.rate = latest
            case DriftEvent():
                self.drift = latest

    def summary(self, profiler: Profiler) -> str:
        """Summary of the run in one line."""
        latency = profiler.stages()["end_to_end"]
        parts = [counted(self.windows, "window")]
        if self._known:
            parts.append(f"{self._correct / self._known:.1%} agree with the truth where it is known ({self._known})")
            parts.append(f"{self._correctly_decided / self._known:.1%} as decided")
        parts.append(counted(self.gaps, "gap") + (f" ({counted(self.lost_samples, 'sample')})" if self.gaps else ""))
        if self.unknown:
            parts.append("without a label: " + self.unknown_by_reason())
        if self.alarms:
            parts.append("alarms: " + ", ".join(f"{count} {state}" for state, count in self.alarms.items()))
        if self.recoveries:
            parts.append("recoveries: " + self.recoveries_by_rung())
        if self.drift is not None and self.drift.verdict is not None:
            parts.append(f"day {self.drift.verdict}")
        bus = ", simulated bus" if self._simulated else ""
        parts.append(f"read to label p50 {latency['p50_us']:.0f} µs, p99 {latency['p99_us']:.0f} µs{bus}")
        return "; ".join(parts)

    def recoveries_by_rung(self) -> str:
        """Counts of the recovery steps, as ``2 retry, 1 reinit``."""
        return ", ".join(f"{count} {rung}" for rung, count in self.recoveries.items())

    def unknown_by_reason(self) -> str:
        """Counts of the windows without a label, as ``12 implausible: stuck``."""
        return ", ".join(f"{count} {reason}" for reason, count in self.unknown.items())

    def _judge(self, window: WindowEvent, truth: str | None) -> None:
        if truth in self._labels:
            self._known += 1
            self._correct += window.label == truth
            self._correctly_decided += (window.state or window.label) == truth
