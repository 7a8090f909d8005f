"""Display of a training run: progress bars on a terminal, one line for each epoch elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from deseptr.contract.counts import counted
from deseptr.train.history import epoch_line


class TrainingProgress:
    """Reporter of ``deseptr.train`` on a console; use as a context manager.

    Args:
        console: where to write; stderr by default, so that stdout is for results.

    Attributes:
        bars: the bars, one a stage; off a terminal they are kept and not drawn.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description:8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeRemainingColumn(),
            TextColumn("left  {task.fields[status]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._windows = 1
        self._name = ""
        self._epochs = 0
        self._began = 0.0
        self._done_before = 0

    def __enter__(self) -> TrainingProgress:
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bars.stop()

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins."""
        self._name, self._epochs, self._windows = name, epochs, max(1, windows)
        self._began, self._done_before = time.monotonic(), done
        self._task = self.bars.add_task(name, total=epochs, completed=done, status="")
        if not self.console.is_terminal:
            self.console.print(f"{name}: {counted(epochs, 'epoch')} of {counted(windows, 'window')}", highlight=False)

    def batch(self, windows: int) -> None:
        """A step is done."""
        if self._task is not None:
            self.bars.advance(self._task, windows / self._windows)

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done."""
        status = epoch_line(row)
        if self._task is not None:
            self.bars.update(self._task, completed=row["epoch"], status=status)
        if not self.console.is_terminal:
            spent = (time.monotonic() - self._began) / (row["epoch"] - self._done_before)
            left = spent * (self._epochs - row["epoch"])
            self.console.print(
                f"{self._name} {row['epoch']}/{self._epochs}  {status}  {left:.0f} s left", highlight=False
            )

    def stopped(self, epochs: int) -> None:
        """The stage ends early: its bar is full at the epochs it had."""
        if self._task is not None:
            self.bars.update(self._task, total=epochs, completed=epochs)
        line = f"{self._name} stopped after {epochs} of {self._epochs} epochs: validation macro-F1 no longer improves"
        self.console.print(line, highlight=False)
