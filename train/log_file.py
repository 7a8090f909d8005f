"""A training run told to a file, a line an epoch: for runs that nobody watches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .history import epoch_line


class LogFile:
    """Reporter of a training run that appends to a file, for ``tail -f``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._epochs = 0

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins."""
        self._epochs = epochs
        self._write(f"{name}: {epochs} epochs of {windows} windows" + (f", {done} done before" if done else ""))

    def batch(self, windows: int) -> None:
        """A step is done."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done."""
        self._write(f"{row['stage']} {row['epoch']}/{self._epochs}  {epoch_line(row)}")

    def stopped(self, epochs: int) -> None:
        """The stage ends early."""
        self._write(f"stopped after {epochs} of {self._epochs} epochs: validation macro-F1 rises no more")

    def _write(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")
