"""Display of ``deseptr device record``: countdowns and bars on a terminal, one line for each step elsewhere."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from deseptr.contract.counts import counted
from deseptr.device import RecoveryStep
from deseptr.device.recorder import (
    Interruption,
    Progress as StepProgress,
    RecorderEvent,
    SessionStep,
    StepBegan,
    Take,
)

_VERBS = {"prepare": "get ready:", "activity": "now:", "rest": "rest after"}
_STYLES = {"prepare": "yellow", "activity": "bold green", "rest": "dim"}


class RecordView:
    """Shows a recording session on stderr, with a bell at both ends of an activity, and its files on stdout.

    Args:
        console: output of the display; stderr by default.
        files: whether the files are named, which are kept then.
    """

    def __init__(self, console: Console | None = None, *, files: bool = True) -> None:
        self._files = files
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._writing: Path | None = None
        self._done_s = 0.0
        self._takes = self._samples = self._gaps = 0

    def __enter__(self) -> RecordView:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()
        if self._writing is not None and self._files:
            click.echo(f"{self._writing}: ended early, {self._done_s:.1f} s are kept", err=True)
        if self._takes:
            click.echo(
                f"{counted(self._takes, 'take')}, {counted(self._samples, 'sample')}, {counted(self._gaps, 'gap')}",
                err=True,
            )

    def show(self, event: RecorderEvent) -> None:
        """Show one event."""
        if isinstance(event, StepBegan):
            self._begin(event)
        elif isinstance(event, StepProgress):
            self._writing, self._done_s = event.path, event.done_s
            if self._task is not None:
                self._bars.update(self._task, completed=event.done_s, left=_left(event.step, event.done_s))
        elif isinstance(event, Interruption):
            self._gaps += 1
            lost = f"{counted(event.lost_samples, 'sample')} lost ({event.reason})"
            line = f"{event.t:.2f} s: {lost}; a new recording begins"
            self._console.print(line, style="yellow", markup=False)
        elif isinstance(event, RecoveryStep):
            self._console.print(f"{event.rung} no. {event.count}: {event.cause}", style="yellow", markup=False)
        else:
            self._end(event)

    def _begin(self, event: StepBegan) -> None:
        step = event.step
        if step.kind == "activity":
            self._bell()
        words = f"{event.number}/{event.steps} {_VERBS[step.kind]} {step.label}"
        if step.instruction and step.kind != "rest":
            words += f" – {step.instruction}"
        style = _STYLES[step.kind]
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
        if self._console.is_terminal:
            total = None if math.isinf(step.seconds) else step.seconds
            self._task = self._bars.add_task(f"[{style}]{escape(words)}[/]", total=total, left=_left(step, 0))
        else:
            length = "" if math.isinf(step.seconds) else f", {step.seconds:g} s"
            self._console.print(words + length, markup=False)

    def _bell(self) -> None:
        if self._console.is_terminal:
            self._console.bell()

    def _end(self, take: Take) -> None:
        self._bell()
        self._writing = None
        self._takes += 1
        self._samples += take.samples
        if not self._files:
            return
        line = f"{take.path}: {counted(take.samples, 'sample')}, {take.seconds:.1f} s at {take.rate_hz:.2f} Hz"
        if take.gaps:
            line += f", {counted(take.gaps, 'gap')}"
        if take.drifted:
            line += f" (the sensor's measured rate: {take.measured_hz:.2f} Hz)"
        click.echo(line)


def _left(step: SessionStep, done_s: float) -> str:
    return f"{done_s:.0f} s" if math.isinf(step.seconds) else f"{max(0.0, step.seconds - done_s):.0f} s left"
