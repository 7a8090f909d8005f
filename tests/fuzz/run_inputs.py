"""Runs inputs in forked children with a limit of memory and time, and says what became of each.

A child that dies takes one input with it: the next child goes on behind it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import click

from deseptr.cli.main import _show
from deseptr.contract import DeseptrError

# Each of the four parts of an error has 500 at most.
MOST_CHARACTERS = 2100
MEMORY_BYTES = 1536 * 2**20
# Of processor time, since others work on the machine, too.
SECONDS = 10.0
# How much longer an input may take that waits for something.
WAITING = 6.0
# What a child that hangs outside of Python is given beyond that.
GRACE_S = 5.0


class Outcome(NamedTuple):
    """What an input led to.

    Args:
        number: of the input.
        kind: ``ok``, ``refused``, ``traceback``, ``long line``, ``several lines``, ``timeout``, ``memory`` or ``died``.
        text: the message, or the last lines of the traceback.
        seconds: of processor time that it took; of all time if its process was ended.
    """

    number: int
    kind: str
    text: str
    seconds: float

    @property
    def is_finding(self) -> bool:
        return self.kind not in ("ok", "refused")


def run_inputs(
    call: Callable[[bytes], object], inputs: Sequence[bytes], refusals: tuple[type[Exception], ...]
) -> Iterator[Outcome]:
    """What ``call`` makes of each input; ``refusals`` are its errors for people, beside the project's and click's."""
    begun = 0
    while begun < len(inputs):
        for outcome in _batch(call, inputs, begun, refusals):
            yield outcome
            begun = outcome.number + 1


def _batch(
    call: Callable[[bytes], object], inputs: Sequence[bytes], begun: int, refusals: tuple[type[Exception], ...]
) -> Iterator[Outcome]:
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _work(call, inputs, begun, refusals, writing)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    number, since = begun - 1, time.monotonic()
    with os.fdopen(reading) as lines:
        while line := _line(lines, SECONDS * WAITING + GRACE_S):
            number, kind, text, seconds = json.loads(line)
            since = time.monotonic()
            yield Outcome(number, kind, text, seconds)
    _, status = _ended(child)
    if status != 0 and number + 1 < len(inputs):
        seconds = round(time.monotonic() - since, 3)
        kind = "timeout" if seconds > SECONDS else "died"
        yield Outcome(number + 1, kind, f"status {status}", seconds)


def _line(lines: IO[str], seconds: float) -> str:
    # One line an input is written at once; none is read ahead, since the child waits for nobody.
    ready, _, _ = select.select([lines], [], [], seconds)
    return lines.readline() if ready else ""


def _ended(child: int) -> tuple[int, int]:
    pid, status = os.waitpid(child, os.WNOHANG)
    for _ in range(20):
        if pid:
            return pid, status
        time.sleep(0.05)
        pid, status = os.waitpid(child, os.WNOHANG)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)


class _TimeoutError(BaseException):
    """No ``except Exception`` catches it."""


def _work(
    call: Callable[[bytes], object],
    inputs: Sequence[bytes],
    begun: int,
    refusals: tuple[type[Exception], ...],
    writing: int,
) -> None:
    """What the child does."""
    # It has a stream of its own, to which pytest points it.
    faulthandler.disable()
    _limit_memory()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)

    def expire(*_: Any) -> None:
        raise _TimeoutError

    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, expire)
    for number in range(begun, len(inputs)):
        begun_s = time.process_time()
        kind, text = _judge(call, inputs[number], refusals)
        line = json.dumps((number, kind, text[-4000:], round(time.process_time() - begun_s, 3)))
        os.write(writing, f"{line}\n".encode())
        if kind in ("memory", "timeout"):
            # What the input left behind is no matter of the next.
            return


def _judge(call: Callable[[bytes], object], content: bytes, refusals: tuple[type[Exception], ...]) -> tuple[str, str]:
    _set_timers(SECONDS)
    try:
        call(content)
    except (DeseptrError, click.ClickException, *refusals) as error:
        _set_timers(0)
        return _of_message(_shown(error) if isinstance(error, click.ClickException) else str(error))
    except MemoryError as error:
        # There may be too little left for its traceback.
        return "memory", str(error)[:500]
    except _TimeoutError:
        return "timeout", traceback.format_exc()
    except BaseException:  # that is what is looked for
        return "traceback", traceback.format_exc()
    finally:
        _set_timers(0)
    return "ok", ""


def _set_timers(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * WAITING)


def _shown(error: click.ClickException) -> str:
    """The line with the error, as the command line prints it after its usage."""
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        _show(error)
    return printed.getvalue().rstrip().rpartition("\n")[2]


def _of_message(text: str) -> tuple[str, str]:
    if "\n" in text.strip():
        return "several lines", text[:500]
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text.strip()):
        return "control characters", repr(text[:500])
    return ("long line", text[:500]) if len(text) > MOST_CHARACTERS else ("refused", text)


def _limit_memory() -> None:
    """Address space of today and as much again as an input may need."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
