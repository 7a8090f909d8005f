"""Running a program for a bounded time, and ending it with all processes that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import SetupError

_ENGLISH = {"LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Finished:
    """Result of a program.

    Args:
        returncode: its exit status; the negative number of the signal that ended it.
        output: its stdout.
        errors: its stderr.
        timed_out: whether it was ended after the timeout.
    """

    returncode: int
    output: str
    errors: str
    timed_out: bool

    def first_error(self) -> str:
        """The first line on stderr that apt or pip marks as an error, otherwise the first that is not empty."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        marked = [line.partition(":")[2].strip() for line in lines if line.startswith(("E:", "ERROR:"))]
        return (marked or lines or [f"exit status {self.returncode}"])[0]


def run_bounded(command: Sequence[str], *, timeout: float, folder: Path | None = None) -> Finished:
    """Run a program in its own process group, which is killed after ``timeout`` seconds or an interrupt.

    Raises:
        SetupError: if the program is not installed.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=os.environ | _ENGLISH,
            start_new_session=True,
        )
    except OSError as error:
        raise SetupError(
            command[0],
            found=error.strerror,
            expected="an installed program",
            next_step="counting on emulated ARM needs a Debian system with apt and its package qemu-system-arm",
        ) from error
    with process:
        try:
            output, errors = process.communicate(timeout=timeout)
            timed_out = False
        except subprocess.TimeoutExpired:
            _kill(process)
            output, errors = process.communicate()
            timed_out = True
        except BaseException:
            _kill(process)
            raise
    return Finished(
        process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"), timed_out=timed_out
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
