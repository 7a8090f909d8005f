"""Holding back the output of native libraries to stderr."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO


def _memory_file() -> IO[bytes]:
    """A file in memory where the system has such, since the folder of temporary files may be full or read-only."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()


@contextmanager
def hold_native_stderr(drop: str = "INFO:") -> Iterator[None]:
    """Capture file descriptor 2 in the block and then print the captured lines, except those that begin with ``drop``.

    The TFLite runtimes print ``INFO: Created TensorFlow Lite XNNPACK delegate`` for every model, which cannot be turned
    off in Python. If the block raises, nothing is printed: the exception has the message. The descriptor belongs to the
    whole process, so keep the block short.
    """
    try:
        original = os.dup(2)
    except OSError:
        # A daemon may have no stderr.
        yield
        return
    with _memory_file() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
        held.seek(0)
        for line in held.read().decode(errors="replace").splitlines():
            if not line.startswith(drop):
                with suppress(OSError):
                    print(line, file=sys.stderr)
