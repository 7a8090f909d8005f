"""A process that outlives an installer that is killed in a trial, and has the last good release run again."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from .release_settings import PROGRAM

_DISMISSED = b"dismissed"
COMMAND = "guard"


class Guard:
    """Runs beside a trial; used as a context manager.

    It waits for the end of a pipe, which comes with the end of this process, however that ends.

    Args:
        prefix: folder of the releases, whose copy of this package is run; without one, nothing is guarded.
    """

    def __init__(self, prefix: Path) -> None:
        program = prefix / PROGRAM
        self._command = [sys.executable, str(program), COMMAND, str(prefix)] if program.is_file() else None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Guard:
        if self._command is not None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def dismiss(self) -> None:
        """Tell it that the trial has ended in order."""
        if self._process is not None:
            with suppress(OSError, subprocess.TimeoutExpired):
                self._process.communicate(_DISMISSED, timeout=10)


def wait_for_end(stream: IO[bytes]) -> bool:
    """Wait for the end of a trial.

    Returns:
        Whether it ended without having dismissed the guard.
    """
    return stream.read() != _DISMISSED
