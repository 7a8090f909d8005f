"""Training progress in a log file, one line per epoch, for unattended runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from deseptr.contract.counts import counted

from .history import epoch_line


class LogFile:
    """A :class:`Reporter` that appends to a file, which can be followed with ``tail -f``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._epochs = 0

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """Log that a stage begins."""
        self._epochs = epochs
        self._write(
            f"{name}: {counted(epochs, 'epoch')} of {counted(windows, 'window')}"
            + (f", {done} done before" if done else "")
        )

    def batch(self, windows: int) -> None:
        """Log nothing for a single step."""

    def epoch(self, row: dict[str, Any]) -> None:
        """Log an epoch."""
        self._write(f"{row['stage']} {row['epoch']}/{self._epochs}  {epoch_line(row)}")

    def stopped(self, epochs: int) -> None:
        """Log that a stage ends early."""
        self._write(f"stopped after {epochs} of {self._epochs} epochs: validation macro-F1 no longer improves")

    def _write(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")
