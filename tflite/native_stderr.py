"""Holding back what a native library writes to stderr by itself."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_stderr_held(drop: str = "INFO:") -> Iterator[None]:
    """Hold what the block writes to file descriptor 2, and pass it on afterwards without the lines that begin ``drop``.

    The TFLite runtimes write ``INFO: Created TensorFlow Lite XNNPACK delegate`` for every model and have no setting
    for it in Python. If the block raises, nothing is passed on: the exception says it all. The descriptor belongs to
    the whole process, so keep the block short.
    """
    try:
        original = os.dup(2)
    except OSError:
        # A daemon may have no stderr.
        yield
        return
    with tempfile.TemporaryFile() as held:
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
                print(line, file=sys.stderr)
