"""The converter's process: ``python -m deseptr.convert.worker``, started and used by :mod:`.isolated`.

It imports the modules that jobs need once and forks for every job, so that each job starts in a fresh state and a crash
affects no other job. Without fork, it does a single job itself.

Requests come on stdin, replies go to stdout: eight bytes of length, then that many bytes of pickle, or of text behind
:data:`STEP`: what the job does next. Both ends are this package in the same installation, one started by the other;
nothing else can write to these pipes.
"""

from __future__ import annotations

import os
import pickle  # nosec B403 # between a process and its own child
import pkgutil
import struct
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import IO, Any

from deseptr.convert import steps

LENGTH = struct.Struct("<Q")
DONE, ERROR, BUG, DIED = "done", "error", "bug", "died"
STEP = b"step:"  # no pickle begins like this
_PIECE = 1 << 20


def main() -> None:
    """Serve jobs until stdin ends."""
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    silence()
    while (message := receive(requests)) is not None:
        job, preload, can_fork = message
        if can_fork:
            _load(preload)
        if can_fork:
            write(replies, _in_a_child(job))
        else:
            _tell_steps(replies)
            write(replies, _reply(*job))


def send(stream: IO[bytes], content: Any) -> None:
    """Write one message."""
    write(stream, pickle.dumps(content))


def write(stream: IO[bytes], data: bytes) -> None:
    """Write one message that is already pickled."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; None at the end of the stream."""
    data, _ = answered(stream)
    return None if data is None else pickle.loads(data)  # nosec B301 # from the child, over its pipe


def answered(stream: IO[bytes]) -> tuple[bytes | None, str]:
    """Read the next message that is not a step, still pickled, and the last step before it; None as :func:`read`."""
    step = ""
    while (data := read(stream)) is not None and data.startswith(STEP):
        step = data.removeprefix(STEP).decode(errors="replace")
    return data, step


def _tell_steps(stream: IO[bytes]) -> None:
    steps.listen(lambda step: write(stream, STEP + step.encode()))


def read(stream: IO[bytes]) -> bytes | None:
    """Read one message without unpickling it; None if the stream ends before the message does."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (left,) = LENGTH.unpack(head)
    parts = []
    # In pieces: memory for a length that a dying process garbled would be reserved at once.
    while left and (part := stream.read(min(left, _PIECE))):
        parts.append(part)
        left -= len(part)
    return None if left else b"".join(parts)


def silence() -> None:
    """Discard the output of TensorFlow's C++ library; errors come back as exceptions."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _load(modules: Sequence[str]) -> None:
    """Import modules for all forks; the job itself reports a missing module."""
    for module in modules:
        with suppress(ImportError):
            import_module(module)


def _in_a_child(job: tuple[str, tuple[Any, ...]]) -> bytes:
    """Do a job in a fork; ``(DIED, (status, step))``, wait status and last step, if it ends without an answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            with os.fdopen(writing, "wb") as answer:
                _tell_steps(answer)
                write(answer, _reply(*job))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        reply, step = answered(answer)
    status = os.waitpid(child, 0)[1]
    return pickle.dumps((DIED, (status, step))) if reply is None else reply


def _reply(function: str, arguments: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((DONE, pkgutil.resolve_name(function)(*arguments)))
    except Exception as error:
        trace = traceback.format_exc()
        try:
            content = pickle.dumps((ERROR, (error, trace)))
            pickle.loads(content)  # nosec B301 # from the parent, over its pipe
        except Exception:  # an error that cannot be pickled, or not be restored
            return pickle.dumps((BUG, trace))
        return content


if __name__ == "__main__":
    main()
