"""What ``deseptr device`` shows: a line a window, a summary."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.text import Text

from deseptr.device import Event, GapEvent, Profiler, WindowEvent
from deseptr.firmware_harness import Replayed, ReplayedEvent, ReplayedWindow

BAR_WIDTH = 20


class RunView:
    """Shows the events of a run and keeps the figures for its summary.

    Args:
        labels: the model's labels.
        as_json: JSON lines instead of text.
        simulated: whether the sensor is.
    """

    def __init__(self, labels: tuple[str, ...], *, as_json: bool, simulated: bool) -> None:
        self._labels = labels
        self._width = max(map(len, labels))
        self._as_json = as_json
        self._simulated = simulated
        self._console = Console(highlight=False, soft_wrap=True)
        self._last: tuple[int | None, str] = (None, "")
        self._windows = self._known = self._right = self._gaps = self._lost = 0

    def show(self, event: Event | Replayed) -> None:
        """Show one event and count it."""
        inner = event.event if isinstance(event, ReplayedWindow | ReplayedEvent) else event
        if isinstance(inner, GapEvent):
            self._gaps += 1
            self._lost += inner.lost_samples
        elif isinstance(inner, WindowEvent):
            self._windows += 1
            self._judge(inner.label, event.truth if isinstance(event, ReplayedWindow) else None)
        if self._as_json:
            click.echo(json.dumps(event.to_dict()))
        elif isinstance(inner, GapEvent):
            self._console.print(Text(f"{inner.t:9.2f} s  gap: {inner.reason}, {inner.lost_samples} samples", "yellow"))
        elif isinstance(inner, WindowEvent):
            self._console.print(self._line(inner, event if isinstance(event, ReplayedWindow) else None))

    def summary(self, profiler: Profiler) -> None:
        """Say how the run went; on stderr beside JSON."""
        latency = profiler.stages()["end_to_end"]
        parts = [f"{self._windows} windows"]
        if self._known:
            parts.append(f"{self._right / self._known:.1%} agree with the truth where it is known ({self._known})")
        parts.append(f"{self._gaps} gaps" + (f" ({self._lost} samples)" if self._gaps else ""))
        bus = ", simulated bus" if self._simulated else ""
        parts.append(f"read to label p50 {latency['p50_us']:.0f} µs, p99 {latency['p99_us']:.0f} µs{bus}")
        click.echo("; ".join(parts), err=self._as_json)

    def _judge(self, label: str, truth: str | None) -> None:
        if truth in self._labels:
            self._known += 1
            self._right += label == truth

    def _line(self, event: WindowEvent, replayed: ReplayedWindow | None) -> Text:
        recording = replayed.recording if replayed else None
        changed = (recording, event.label) != self._last
        self._last = (recording, event.label)
        style = "bold cyan" if changed else ""
        filled = round(event.confidence * BAR_WIDTH)
        line = Text(f"{event.t:9.2f} s  ")
        if recording is not None:
            line.append(f"#{recording:<3d} ", "dim")
        line.append(("▸ " if changed else "  ") + event.label.ljust(self._width), style)
        line.append("  " + "█" * filled + "░" * (BAR_WIDTH - filled), "green" if event.confidence > 0.5 else "yellow")
        line.append(f" {event.confidence:6.1%}")
        if replayed and replayed.truth not in (None, event.label):
            line.append(f"  ({replayed.truth})", "red")
        return line
