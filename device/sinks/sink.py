"""Where the events of a run go: a stream, a file, a broker, a screen."""

from __future__ import annotations

from typing import Protocol

from deseptr.device.events import Event


class Sink(Protocol):
    """Takes the events of a run, one at a time, and never holds up the sampling loop.

    A sink that loses its medium says so once, counts what it drops, and lets the others go on.
    """

    def take(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Write what is pending and let go of the medium."""
        ...
