"""The terminal screen of ``deseptr device run``: label, probabilities, recent labels and state of the sensor."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deseptr.device import (
    UNKNOWN,
    AlarmEvent,
    Event,
    GapEvent,
    ImplausibleEvent,
    Profiler,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.firmware_harness.simulator import Replayed

from .run_summary import RunFigures, inner

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red", "bright_cyan", "bright_green", "bright_magenta")
UNDECIDED = "bright_black"
_ALARM_STYLES = {"suspected": "yellow", "raised": "bold white on red"}
WINDOWS_KEPT = 1000
REFRESH_S = 0.1


class LiveView:
    """Redraws itself with every event, at most ten times a second.

    Args:
        labels: the model's labels.
        figures: counts of the run; the caller updates them.
        profiler: latencies of the run.
        nominal_hz: sample rate of the model.
        console: the terminal.
        timer: clock in seconds that limits the refresh rate.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        figures: RunFigures,
        profiler: Profiler,
        nominal_hz: float,
        console: Console | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._figures = figures
        self._profiler = profiler
        self._nominal_hz = nominal_hz
        self._colours = {label: COLOURS[number % len(COLOURS)] for number, label in enumerate(labels)}
        self._colours.setdefault(UNKNOWN, UNDECIDED)
        self._labels = labels
        self._window: WindowEvent | None = None
        self._past: deque[tuple[float, str | None]] = deque(maxlen=WINDOWS_KEPT)
        self._trouble = ""
        self._alarm: AlarmEvent | None = None
        self._timer = timer
        self._drawn = -REFRESH_S
        self._live = Live(self, console=console, auto_refresh=False)
        self._live.start()

    def show(self, event: Event | Replayed) -> None:
        """Show one event."""
        match inner(event):
            case WindowEvent() as window:
                self._window = window
                self._past.append((window.t, window.state or window.label))
            case AlarmEvent() as alarm:
                self._alarm = alarm
            case GapEvent() as gap:
                self._past.append((gap.t, None))
                self._trouble = f"{gap.t:.1f} s: {gap.reason}, {gap.lost_samples} samples lost"
            case ImplausibleEvent() as implausible:
                self._trouble = str(implausible).strip()
            case RecoveryEvent() as recovery:
                self._trouble = f"{recovery.t:.1f} s: {recovery.rung} after {recovery.cause}"
        now = self._timer()
        if now - self._drawn >= REFRESH_S:
            self._drawn = now
            self._live.refresh()

    def close(self) -> None:
        """Draw the last state and leave it there."""
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._window is None:
            yield Text("waiting for the first window", "dim")
            return
        if self._alarm is not None:
            yield Text(str(self._alarm).strip(), _ALARM_STYLES.get(self._alarm.state, "dim"), justify="center")
        yield self._headline(self._window)
        yield self._bars(self._window, options.max_width)
        yield self._timeline(options.max_width)
        yield self._health()

    def _headline(self, window: WindowEvent) -> RenderableType:
        label = window.state or window.label
        reason = f"\n{window.unknown}" if window.unknown else ""
        colour = self._colours.get(label, UNDECIDED)
        text = Text(label.upper() + reason, f"bold {colour}", justify="center", overflow="ellipsis")
        return Panel(text, padding=(1, 1), border_style=colour)

    def _bars(self, window: WindowEvent, width: int) -> RenderableType:
        name_width = min(max(map(len, self._labels)), width // 2)
        room = max(1, width - name_width - 9)
        lines = Text()
        for label in self._labels:
            probability = window.probabilities[label]
            lines.append(label[:name_width].ljust(name_width), "bold" if label == window.label else "")
            lines.append(" " + ("█" * round(probability * room)).ljust(room), self._colours[label])
            lines.append(f" {probability:6.1%}\n")
        return lines

    def _timeline(self, width: int) -> RenderableType:
        past = list(self._past)[-width:]
        line = Text(no_wrap=True)
        for _, label in past:
            line.append(*("╳", "red") if label is None else ("█", self._colours.get(label, UNDECIDED)))
        # In a replay, time starts at zero with each recording.
        span_s = max(0.0, past[-1][0] - past[0][0])
        line.append(f"\nthe last {span_s / 60:.1f} min, newest right" if span_s >= 60 else f"\nthe last {span_s:.0f} s")
        return line

    def _health(self) -> RenderableType:
        stages = self._profiler.stages()
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("rate", self._rate())
        if self._figures.mounting is not None:
            table.add_row("mounting", self._figures.mounting.meaning)
        latency = stages["end_to_end"]
        table.add_row("read to label", f"p50 {latency['p50_us']:.0f} µs, p99 {latency['p99_us']:.0f} µs")
        lost = f" ({self._figures.lost_samples} samples)" if self._figures.gaps else ""
        table.add_row("windows, gaps", f"{self._figures.windows}, {self._figures.gaps}{lost}")
        table.add_row("no label", self._figures.unknown_by_reason() or "none")
        table.add_row("recoveries", self._figures.recoveries_by_rung() or "none")
        if self._trouble:
            table.add_row("last trouble", Text(self._trouble, "yellow"))
        return table

    def _rate(self) -> str:
        rate = self._figures.rate
        if rate is None:
            return f"{self._nominal_hz:g} Hz nominal, not measured yet"
        how = ", resampled" if rate.resampled else ""
        return f"{rate.rate_hz:.2f} Hz measured, {rate.nominal_hz:g} Hz nominal{how}"
