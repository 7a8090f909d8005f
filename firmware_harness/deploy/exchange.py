"""Sending bytes to a program and reading its lines, with bounds on their size, number and time.

The program speaks for a remote host, which may answer anything, at any pace, or never. Reading and writing alternate as
the pipes allow, so that neither side can make the other wait.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

LONGEST_LINE = 4 << 20
MOST_LINES = 5_000
_MOST_BYTES = 32 << 20
_ERRORS_KEPT = 1 << 16
_READ = 1 << 16
_POLL = 0.02  # seconds


class BrokenExchangeError(Exception):
    """The program exceeded a bound.

    Args:
        found: what it did.
        expected: the bound.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(found, expected)


def exchange(
    process: subprocess.Popen[bytes], payload: Iterable[bytes], seconds: float, each_line: Callable[[bytes], None]
) -> tuple[int, str]:
    """Write ``payload`` to a program's stdin, and pass on the lines of its stdout until that ends.

    Args:
        process: a program with pipes, unbuffered, as its stdin, stdout and stderr.
        payload: bytes to write, fetched as fast as the program takes them.
        seconds: time that it may take in all.
        each_line: called with each line, without its end.

    Returns:
        Its exit code, and the end of its stderr.

    Raises:
        BrokenExchangeError: if it takes longer, or writes more than the bounds above; the caller ends the process.
    """
    running = _Exchange(process, payload, each_line)
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        running.register(selector)
        # A program that has closed its stdout may go on, and wait for its stderr to be read.
        while running.open or process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BrokenExchangeError(f"no end of its answer after {seconds:g} s", "an answer within that time")
            for key, _ in selector.select(left if running.open else min(left, _POLL)):
                if not key.data():
                    selector.unregister(key.fileobj)
    return process.wait(), running.last_errors()


class _Exchange:
    """The state of an exchange: what is still to be written, and what of a line has been read."""

    def __init__(
        self, process: subprocess.Popen[bytes], payload: Iterable[bytes], each_line: Callable[[bytes], None]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._payload = iter(payload)
        self._each_line = each_line
        self._chunk = memoryview(b"")
        self._line = bytearray()
        self._lines = self._bytes = 0
        self._errors = b""
        self.open = True

    def register(self, selector: selectors.BaseSelector) -> None:
        """Watch all three pipes; each event calls a method that says whether to go on watching."""
        for stream in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
        selector.register(self._stdin, selectors.EVENT_WRITE, self._write)
        selector.register(self._stdout, selectors.EVENT_READ, self._read)
        selector.register(self._stderr, selectors.EVENT_READ, self._read_errors)

    def _write(self) -> bool:
        while not self._chunk:
            chunk = next(self._payload, None)
            if chunk is None:
                self._end_input()
                return False
            self._chunk = memoryview(chunk)
        try:
            self._chunk = self._chunk[os.write(self._stdin.fileno(), self._chunk) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            self._end_input()  # the program ended early and says why
            return False
        return True

    def _end_input(self) -> None:
        with suppress(BrokenPipeError):
            self._stdin.close()

    def _read(self) -> bool:
        found = self._counted(os.read(self._stdout.fileno(), _READ))
        *ended, rest = found.split(b"\n")
        for part in ended:
            self._pass_on(bytes(self._line + part))
            self._line.clear()
        self._line += rest
        if len(self._line) > LONGEST_LINE:
            raise BrokenExchangeError(f"a line of more than {LONGEST_LINE >> 20} MiB", "lines of an answer")
        if not found:
            self.open = False
            if self._line:
                self._pass_on(bytes(self._line))
        return bool(found)

    def _pass_on(self, line: bytes) -> None:
        self._lines += 1
        if self._lines > MOST_LINES:
            raise BrokenExchangeError(f"more than {MOST_LINES} lines", "the lines of an answer")
        self._each_line(line)

    def _read_errors(self) -> bool:
        found = self._counted(os.read(self._stderr.fileno(), _READ))
        self._errors = (self._errors + found)[-_ERRORS_KEPT:]
        return bool(found)

    def last_errors(self) -> str:
        """The end of stderr; whoever else still holds it, as a master connection of ssh, is not waited for."""
        with suppress(BlockingIOError):
            while self._read_errors():
                pass
        return self._errors.decode(errors="replace")

    def _counted(self, found: bytes) -> bytes:
        self._bytes += len(found)
        if self._bytes > _MOST_BYTES:
            raise BrokenExchangeError(f"more than {_MOST_BYTES >> 20} MiB", "the size of an answer")
        return found
