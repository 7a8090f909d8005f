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

from deseptr.contract.counts import counted
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
from deseptr.device.drained import Drained
from deseptr.firmware_harness.simulator import Replayed, ReplayedEvent, ReplayedWindow

from .motion_strip import MotionStrip
from .run_summary import RunFigures, inner

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red", "bright_cyan", "bright_green", "bright_magenta")
UNDECIDED = "bright_black"
_ALARM_STYLES = {"suspected": "yellow", "raised": "bold white on red"}
WINDOWS_KEPT = 1000
REFRESH_S = 0.1
# Rows of a terminal; on a lower one the label's frame is narrow.
ROOMY = 30
FEWEST_CLASSES = 5
# Rows for the summary below the last screen, and for the prompt.
_SUMMARY = 4
_GAP, _NEXT_RECORDING = ("╳", "red"), ("│", "dim")


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
        self._window: WindowEvent | None = None
        self._truth: str | None = None
        self._past: deque[tuple[float, tuple[str, str]]] = deque(maxlen=WINDOWS_KEPT)
        self._recording: int | None = None
        # In a replay, time starts at zero with each recording.
        self._begun_s = self._newest_s = 0.0
        self._strip = MotionStrip()
        self._ended = False
        self._trouble = ""
        self._alarm: AlarmEvent | None = None
        self._timer = timer
        self._drawn = -REFRESH_S
        self._live = Live(self, console=console, auto_refresh=False)
        self._live.start()

    def show(self, event: Event | Replayed) -> None:
        """Show one event."""
        if isinstance(event, ReplayedWindow | ReplayedEvent) and event.recording != self._recording:
            self._begin_recording(event.recording)
        match inner(event):
            case WindowEvent() as window:
                self._window = window
                self._truth = event.truth if isinstance(event, ReplayedWindow) else None
                self._note(window.t, ("█", self._colours.get(window.state or window.label, UNDECIDED)))
            case AlarmEvent() as alarm:
                self._alarm = alarm
            case GapEvent() as gap:
                self._note(gap.t, _GAP)
                self._trouble = f"{gap.t:.1f} s: {gap.reason}, {counted(gap.lost_samples, 'sample')} lost"
            case ImplausibleEvent() as implausible:
                self._trouble = str(implausible).strip()
            case RecoveryEvent() as recovery:
                self._trouble = f"{recovery.t:.1f} s: {recovery.rung} after {recovery.cause}"
        now = self._timer()
        if now - self._drawn >= REFRESH_S:
            self._drawn = now
            self._live.refresh()

    def drained(self, drained: Drained) -> None:
        """Note the samples of one read of the sensor; drawn with the next event."""
        self._strip.take(drained)

    def close(self) -> None:
        """Draw the last state and leave it there."""
        self._ended = True
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._window is None:
            yield Text("no window" if self._ended else "waiting for the first window", "dim")
            return
        health = self._health()
        above = [] if self._alarm is None else [self._alarm_line(self._alarm)]
        roomy = console.height >= ROOMY
        # Rows of the label's frame, then those of the motion, of the timeline and of the end of the bars.
        frame = (5 if roomy else 3) + bool(self._window.unknown)
        used = len(above) + frame + 4 + health.row_count + (_SUMMARY if self._ended else 0)
        yield from above
        yield self._headline(self._window, roomy=roomy)
        yield self._bars(self._window, options.max_width, max(FEWEST_CLASSES + 1, console.height - used))
        yield self._motion(options.max_width)
        yield self._timeline(options.max_width)
        yield health

    def _begin_recording(self, recording: int) -> None:
        if self._recording is not None:
            self._begun_s = self._newest_s
            self._past.append((self._newest_s, _NEXT_RECORDING))
        self._recording, self._trouble, self._alarm = recording, "", None
        self._strip.begin_again()

    def _note(self, t: float, cell: tuple[str, str]) -> None:
        self._newest_s = self._begun_s + t
        self._past.append((self._newest_s, cell))

    @staticmethod
    def _alarm_line(alarm: AlarmEvent) -> Text:
        style = _ALARM_STYLES.get(alarm.state, "dim")
        return Text(str(alarm).strip(), style, justify="center", no_wrap=True, overflow="ellipsis")

    def _headline(self, window: WindowEvent, *, roomy: bool) -> RenderableType:
        label = window.state or window.label
        reason = f"\n{window.unknown}" if window.unknown else ""
        colour = self._colours.get(label, UNDECIDED)
        text = Text(label.upper() + reason, f"bold {colour}", justify="center", overflow="ellipsis")
        recording = None if self._recording is None else f"recording {self._recording}"
        title = ", ".join(filter(None, (recording, "its last window" if self._ended else None)))
        truth = None
        if self._truth is not None:
            right = self._truth == label
            truth = Text("✓ as labelled" if right else f"✗ labelled {self._truth}", "green" if right else "red")
        return Panel(text, padding=(int(roomy), 1), border_style=colour, title=title or None, subtitle=truth)

    def _bars(self, window: WindowEvent, width: int, rows: int) -> RenderableType:
        probabilities = window.probabilities
        # A wearer who is chosen on the page may bring further ones, or take some away.
        labels = shown = tuple(probabilities)
        if len(shown) > rows:
            shown = tuple(sorted(shown, key=lambda label: -probabilities[label])[: rows - 1])
        name_width = min(max(map(len, labels)), width // 2)
        room = max(1, width - name_width - 9)
        lines = Text()
        for label in shown:
            probability = probabilities[label]
            lines.append(label[:name_width].ljust(name_width), "bold" if label == window.label else "")
            lines.append(" " + ("█" * round(probability * room)).ljust(room), self._colours.get(label, UNDECIDED))
            lines.append(f" {probability:6.1%}\n")
        if others := set(labels) - set(shown):
            rest = sum(probabilities[label] for label in others)
            room = max(0, width - 7)
            lines.append(f"{counted(len(others), 'other'):{room}.{room}} {rest:6.1%}\n", "dim")
        return lines

    def _motion(self, width: int) -> RenderableType:
        strongest = self._strip.strongest
        if strongest is None:
            return Text("")
        told = f" {strongest:5.1f} m/s²"
        line = Text(no_wrap=True, overflow="crop")
        line.append(self._strip.sparkline(max(1, width - len(told))), "cyan")
        line.append(told, "dim")
        return line

    def _timeline(self, width: int) -> RenderableType:
        past = list(self._past)[-width:]
        line = Text(no_wrap=True)
        for _, cell in past:
            line.append(*cell)
        span_s = past[-1][0] - past[0][0]
        line.append(f"\nthe last {span_s / 60:.1f} min, newest right" if span_s >= 60 else f"\nthe last {span_s:.0f} s")
        return line

    def _health(self) -> Table:
        stages = self._profiler.stages()
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("rate", self._rate())
        if (gravity := self._strip.gravity) is not None:
            table.add_row("mean a", gravity)
        if self._figures.mounting is not None:
            style = "yellow" if self._figures.mounting.turned else ""
            table.add_row("mounting", Text(self._figures.mounting.meaning, style))
        drift = self._figures.drift
        if drift is not None and drift.verdict is not None:
            table.add_row("drift", Text(str(drift.verdict), "yellow" if drift.differs else ""))
        latency = stages["end_to_end"]
        table.add_row("read to label", f"p50 {latency['p50_us']:.0f} µs, p99 {latency['p99_us']:.0f} µs")
        lost = f" ({counted(self._figures.lost_samples, 'sample')})" if self._figures.gaps else ""
        table.add_row("windows, gaps", f"{self._figures.windows}, {self._figures.gaps}{lost}")
        table.add_row("no label", self._figures.unknown_by_reason() or "none")
        table.add_row("recoveries", self._figures.recoveries_by_rung() or "none")
        if self._trouble:
            table.add_row("last trouble", Text(self._trouble, "yellow"))
        return table

    def _rate(self) -> str:
        rate = self._figures.rate
        if rate is None:
            so_far = self._strip.rate_hz
            if so_far is None or so_far == self._nominal_hz:
                return f"{self._nominal_hz:g} Hz nominal, not measured yet"
            return f"about {so_far:.1f} Hz so far, {self._nominal_hz:g} Hz nominal"
        how = ", resampled" if rate.resampled else ""
        return f"{rate.rate_hz:.2f} Hz measured, {rate.nominal_hz:g} Hz nominal{how}"
