"""Handling of an output whose medium fails: warn once, count the lost events, and report when it works again."""

from __future__ import annotations

from collections.abc import Callable

from deseptr.contract.counts import counted

Warn = Callable[[str], None]


class Losses:
    """Counts the events that one output could not keep.

    Args:
        name: name of the output, for the warning.
        warn: called with one line when the losses begin, and with one when they end.
    """

    def __init__(self, name: str, warn: Warn) -> None:
        self._name = name
        self._warn = warn
        self._before: int | None = None
        self.count = 0

    def lost(self, cause: object) -> None:
        """Count a lost event."""
        if self._before is None:
            self._before = self.count
            self._warn(f"{self._name}: {cause}; events are dropped and counted until it works again")
        self.count += 1

    def kept(self) -> None:
        """Note that an event was kept."""
        if self._before is not None:
            missing = counted(self.count - self._before, "event is missing", "events are missing")
            self._warn(f"{self._name}: works again; {missing}")
            self._before = None


def cause_of(error: OSError) -> str:
    """The system's description of an error."""
    return error.strerror or str(error) or type(error).__name__
