"""One JSON object a line on a stream, each line there as soon as its event is."""

from __future__ import annotations

import io
import json
from typing import IO, Any, Protocol

from .losses import Losses, Warn, cause_of


class Jsonable(Protocol):
    """Events, and replays' events around them."""

    def to_dict(self) -> dict[str, Any]:
        """What becomes the line."""
        ...


class JsonLines:
    """Writes events to a stream, past its buffer: a line that cannot be written must not come back at the end.

    Args:
        stream: text or binary; its file descriptor is used where it has one.
        name: of the stream, for the warning.
        warn: told when the medium fails and when it is well again.
    """

    def __init__(self, stream: IO[Any], name: str, warn: Warn) -> None:
        self._raw = _unbuffered(stream)
        self._torn = False
        self.losses = Losses(name, warn)

    def take(self, event: Jsonable) -> None:
        """Write one event.

        Raises:
            BrokenPipeError: if the reader went away.
        """
        line = json.dumps(event.to_dict()).encode() + b"\n"
        try:
            if self._torn:
                self._write(b"\n")
            self._write(line)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.losses.lost(cause_of(error))
        else:
            self.losses.kept()

    def close(self) -> None:
        """Leave the stream to whom it belongs; nothing is pending."""

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) or 0 :]
            self._torn = bool(rest)


def _unbuffered(stream: IO[Any]) -> IO[bytes]:
    stream.flush()
    try:
        return open(stream.fileno(), "wb", buffering=0, closefd=False)
    except (OSError, io.UnsupportedOperation):
        return _Flushed(getattr(stream, "buffer", stream))  # type: ignore[return-value]


class _Flushed:
    """A binary stream in memory that shows what is written at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: memoryview) -> int:
        written = self._stream.write(data)
        self._stream.flush()
        return written
