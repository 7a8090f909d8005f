"""What an output does when its medium fails: say so once, count, go on, and say when it is well again."""

from __future__ import annotations

from collections.abc import Callable

Warn = Callable[[str], None]


class Losses:
    """Counts the events that one output could not keep.

    Args:
        name: the output, as people know it.
        warn: told one line when the losses begin, and one when they end.
    """

    def __init__(self, name: str, warn: Warn) -> None:
        self._name = name
        self._warn = warn
        self._before: int | None = None
        self.count = 0

    def lost(self, cause: object) -> None:
        """An event was lost."""
        if self._before is None:
            self._before = self.count
            self._warn(f"{self._name}: {cause}; going on without, and counting what it misses")
        self.count += 1

    def kept(self) -> None:
        """An event was kept."""
        if self._before is not None:
            self._warn(f"{self._name}: works again; {self.count - self._before} events are missing")
            self._before = None


def cause_of(error: OSError) -> str:
    """The system's words for an error."""
    return error.strerror or str(error) or type(error).__name__
