"""JSON lines on a stream: one object per event, written at once."""

from __future__ import annotations

import json
from typing import IO, Any, Protocol

from .line_stream import LineStream
from .losses import Losses, Warn


class Jsonable(Protocol):
    """An event, or the wrapper of a replay around one."""

    def to_dict(self) -> dict[str, Any]:
        """The object of the line."""
        ...


class JsonLines:
    """Writes events to a stream.

    Args:
        stream: text or binary; its file descriptor is used where it has one.
        name: name of the stream, for the warning.
        warn: called when the medium fails and when it works again.
    """

    def __init__(self, stream: IO[Any], name: str, warn: Warn) -> None:
        self._lines = LineStream(stream, name, warn)

    @property
    def losses(self) -> Losses:
        """Events that the medium refused."""
        return self._lines.losses

    def take(self, event: Jsonable) -> None:
        """Write one event.

        Raises:
            BrokenPipeError: if the reader went away.
        """
        self._lines.write(json.dumps(event.to_dict()).encode() + b"\n")

    def close(self) -> None:
        """Leave the stream open for its owner; nothing is pending."""
