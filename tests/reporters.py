"""Reporters that record what they receive, or interrupt a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deseptr.evaluate.executors import Outcome
    from deseptr.evaluate.fold_job import FoldJob


class Quiet:
    """A reporter of training that records its calls."""

    def __init__(self) -> None:
        self.stages: list[tuple[Any, ...]] = []
        self.rows: list[dict[str, Any]] = []
        self.stops: list[int] = []
        self.windows = 0

    def stage(self, *facts: Any) -> None:
        self.stages.append(facts)

    def batch(self, windows: int) -> None:
        self.windows += windows

    def epoch(self, row: dict[str, Any]) -> None:
        self.rows.append(row)

    def stopped(self, epochs: int) -> None:
        self.stops.append(epochs)


class Stop(Quiet):
    """A reporter of training that interrupts it after some epochs, as Ctrl-C would."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def epoch(self, row: dict[str, Any]) -> None:
        super().epoch(row)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


class FoldRecorder:
    """A reporter of folds that records its calls.

    Args:
        title: gives the name of a job in :attr:`begun`.
    """

    def __init__(self, title: Callable[[FoldJob], str]) -> None:
        self._title = title
        self.begun: list[tuple[list[str], int]] = []
        self.outcomes: list[Outcome] = []

    def begin(self, waiting: Sequence[FoldJob], kept: int) -> None:
        self.begun.append(([self._title(job) for job in waiting], kept))

    def fold(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
