"""An output for the events of a run: a stream, a file, a broker or a screen."""

from __future__ import annotations

from typing import Protocol

from deseptr.device.events import Event


class Sink(Protocol):
    """Takes the events of a run, one at a time, and never holds up the sampling loop.

    A sink whose medium fails warns once, counts the events that it drops, and does not disturb the others.
    """

    def take(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Write pending events and release the medium."""
        ...
