"""Reporters of a training beside those that show it: several as one, and the time that a run has taken in all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from deseptr.contract import atomic_write, read_json
from deseptr.contract.limits import Limits

from .training_loop import Reporter

# A training of three years.
_SECONDS = Limits(0, 1e8)


class Reporters:
    """Several reporters of a training run as one, called one after another."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = reporters

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins."""
        for reporter in self._reporters:
            reporter.stage(name, epochs, done, windows)

    def batch(self, windows: int) -> None:
        """A step is done."""
        for reporter in self._reporters:
            reporter.batch(windows)

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done."""
        for reporter in self._reporters:
            reporter.epoch(row)

    def stopped(self, epochs: int) -> None:
        """The stage ends early."""
        for reporter in self._reporters:
            reporter.stopped(epochs)


class Stopwatch:
    """Reporter that keeps the time of a run over interruptions: what it took up to its last whole epoch.

    Args:
        path: file of the seconds; one of an earlier call is gone on with.
        began: when this call began, of ``time.perf_counter``.
    """

    def __init__(self, path: Path, began: float) -> None:
        self._path, self._began = path, began
        self._before = _seconds(path)

    @property
    def seconds(self) -> float:
        """Seconds so far, of all calls together."""
        return self._before + time.perf_counter() - self._began

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins."""

    def batch(self, windows: int) -> None:
        """A step is done."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done."""
        atomic_write(self._path, json.dumps(self.seconds))

    def stopped(self, epochs: int) -> None:
        """The stage ends early."""


def _seconds(path: Path) -> float:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return 0.0
    return float(found) if _SECONDS.allow(found) else 0.0
