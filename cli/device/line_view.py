"""Output of ``deseptr device run`` without a screen: one line for each event."""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.text import Text

from deseptr.cli.common.messages import complain
from deseptr.device import (
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
from deseptr.device.drained import Drained
from deseptr.device.sinks import LineStream, Warn
from deseptr.firmware_harness.simulator import Replayed, ReplayedWindow

from .run_summary import inner

BAR_WIDTH = 20


class LineView:
    """Prints one line for each event.

    Args:
        labels: the model's labels.
        warn: called when the medium of stdout fails and when it works again.
    """

    def __init__(self, labels: tuple[str, ...], warn: Warn = complain) -> None:
        self._width = max(map(len, labels))
        # Not to stdout: a line that a full medium refused would stay in its buffer.
        self._text = io.StringIO()
        self._console = Console(file=self._text, force_terminal=sys.stdout.isatty(), highlight=False, soft_wrap=True)
        self._lines = LineStream(sys.stdout, "stdout", warn)
        self._last: tuple[int | None, str] = (None, "")

    def show(self, event: Event | Replayed) -> None:
        """Print one event."""
        plain = inner(event)
        if isinstance(plain, WindowEvent):
            self._console.print(self._line(plain, event if isinstance(event, ReplayedWindow) else None))
        else:
            raised = isinstance(plain, AlarmEvent) and plain.state == "raised"
            turned = isinstance(plain, MountingEvent) and plain.turned
            drifted = isinstance(plain, DriftEvent) and plain.differs
            style = "bold red" if raised else "yellow" if turned or drifted else _STYLES[type(plain)]
            self._console.print(Text(str(plain), style))
        self._lines.write(self._text.getvalue().encode(sys.stdout.encoding or "utf-8", "replace"))
        self._text.seek(0)
        self._text.truncate()

    def drained(self, drained: Drained) -> None:
        """Do nothing: samples have no line."""

    def close(self) -> None:
        """Do nothing: every line is already printed."""

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
        if event.unknown is not None:
            line.append(f"  {event.unknown}", "yellow")
        if replayed and replayed.truth not in (None, event.label):
            line.append(f"  ({replayed.truth})", "red")
        return line


_STYLES = {
    AlarmEvent: "red",
    DriftEvent: "dim",
    GapEvent: "yellow",
    ImplausibleEvent: "yellow",
    LabelEvent: "bold",
    MountingEvent: "cyan",
    RecoveryEvent: "yellow",
    RateEvent: "dim",
}
