"""Lines on a stream, each written at once; lines that the medium refuses are dropped and counted."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import IO, Any

from .losses import Losses, Warn, cause_of


class LineStream:
    """Writes lines to a stream without its buffer, so that a line that failed is not written again at the end.

    Args:
        stream: text or binary; its file descriptor is used where it has one.
        name: name of the stream, for the warning.
        warn: called when the medium fails and when it works again.
    """

    def __init__(self, stream: IO[Any], name: str, warn: Warn) -> None:
        self._raw = _unbuffered(stream)
        self._torn = False
        self.losses = Losses(name, warn)

    def write(self, line: bytes) -> None:
        """Write a line with its newline.

        Raises:
            BrokenPipeError: if the reader went away.
        """
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

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) or 0 :]
            self._torn = bool(rest)


def _unbuffered(stream: IO[Any]) -> IO[bytes]:
    # What waits in the buffer is older than this stream: if it cannot be written, the lines to come still may.
    with suppress(OSError):
        stream.flush()
    try:
        return open(stream.fileno(), "wb", buffering=0, closefd=False)
    except (OSError, io.UnsupportedOperation):
        return _Flushed(getattr(stream, "buffer", stream))  # type: ignore[return-value]


class _Flushed:
    """A binary stream in memory that is flushed after every write."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: memoryview) -> int:
        written = self._stream.write(data)
        self._stream.flush()
        return written
