"""Work in a separate process: TensorFlow's converter, and interpreters that may crash.

``TFLiteConverter.convert()`` leaks some 22 MB per call, prints from C++ and may end the process. The process is
``python -m deseptr.convert.worker`` and not one of :mod:`multiprocessing`: those execute the user's script again if it
has no ``if __name__ == "__main__"``, and with it a training over the finished run.
"""

from __future__ import annotations

import os
import pickle  # nosec B403 - between a process and its own child
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from .worker import BUG, DIED, DONE, ERROR, answered, send


class WorkerDiedError(Exception):
    """A job's process ended without an answer.

    Args:
        reason: how it ended and during what, as ``died of SIGSEGV while quantising to int8``.
        killed: whether it was ended by SIGKILL, which is also what a system without memory sends.
    """

    def __init__(self, reason: str, *, killed: bool) -> None:
        self.reason, self.killed = reason, killed
        super().__init__(reason)


def run_isolated(function: str, *arguments: Any, preload: Sequence[str] = ()) -> Any:
    """Call a function in the converter's process.

    Args:
        function: its importable name, ``module:function``.
        arguments: picklable.
        preload: modules that the process imports once and keeps for later jobs.

    Returns:
        The result of the function.

    Raises:
        WorkerDiedError: if the process died.
        Exception: whatever the function raises.
    """
    with kept_worker() as worker:
        return worker.call(function, arguments, preload)


@contextmanager
def kept_worker() -> Iterator[_Worker]:
    """Keep one process for all jobs in the block, so that TensorFlow is loaded once for them; blocks may nest."""
    with _lock:
        worker = _kept.pop() if _kept else _Worker()
        _kept.append(worker)
        worker.users += 1
    try:
        yield worker
    finally:
        with _lock:
            worker.users -= 1
            if not worker.users:
                _kept.remove(worker)
                worker.close()


class _Worker:
    """The process; started by the first job, and again after it has died."""

    def __init__(self) -> None:
        self.users = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()

    def call(self, function: str, arguments: tuple[Any, ...], preload: Sequence[str]) -> Any:
        with self._busy:
            try:
                kind, value = self._ask(((function, arguments), tuple(preload), _CAN_FORK))
            except BaseException:
                self.close()
                raise
        if kind == DONE:
            return value
        if kind == DIED:
            raise _died(*value)
        if kind == BUG:
            raise RuntimeError(f"in the converter's process:\n{value}")
        error, trace = value
        error.add_note(f"in the converter's process:\n{trace}")
        raise error

    def _ask(self, message: tuple[Any, ...]) -> tuple[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            send(process.stdin, message)
        reply, step = answered(process.stdout)
        if reply is None:
            self._process = None
            code = process.wait()
            return DIED, (-code if code < 0 else code << 8, step)
        if not _CAN_FORK:
            self.close()
        return _unpickled(reply, step)

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(sys.path)
        # -P: without it, a file of the user with the name of a module would be imported instead.
        self._process = process = subprocess.Popen(
            [sys.executable, "-P", "-m", "deseptr.convert.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"},
            start_new_session=True,
        )
        return process

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            # The process group is its own: its children end, too.
            os.killpg(process.pid, signal.SIGKILL) if _CAN_FORK else process.kill()
        with suppress(BrokenPipeError):
            process.communicate()


# On macOS a forked process may not use the system's frameworks.
_CAN_FORK = sys.platform == "linux"
_lock = threading.Lock()
_kept: list[_Worker] = []


def _unpickled(reply: bytes, step: str) -> tuple[str, Any]:
    try:
        kind, value = pickle.loads(reply)  # nosec B301 - from the child, over its pipe
        if kind not in (DONE, ERROR, BUG, DIED):
            raise ValueError(kind)
    except Exception as error:  # whatever bytes may lead to that a dying process has left
        raise WorkerDiedError(f"gave no answer that can be read{_during(step)}", killed=False) from error
    return kind, value


def _during(step: str) -> str:
    return f" while {step}" if step else ""


def _died(status: int, step: str) -> WorkerDiedError:
    during = _during(step)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return WorkerDiedError(f"died of {signal.Signals(number).name}{during}", killed=number == signal.SIGKILL)
    return WorkerDiedError(f"ended with exit code {os.WEXITSTATUS(status)}{during}", killed=False)
