"""Reporters of training for tests."""

from typing import Any


class Quiet:
    """A reporter of training that keeps what it is told."""

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
    """A reporter that pulls the plug after some epochs, as Ctrl-C would."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def epoch(self, row: dict[str, Any]) -> None:
        super().epoch(row)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
