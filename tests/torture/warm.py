"""Commands in processes of their own that are forked from one which has imported what they need.

A kill then costs the command alone, and none of the seconds in which TensorFlow is imported. The processes are real
ones: each has its own session, memory and files, and nothing of it outlives its kill.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

DEVICE: tuple[str, ...] = ("numpy", "deseptr.cli.device.run", "deseptr.cli.device.record", "deseptr.device.sinks.mqtt")
DEVICE += ("deseptr.firmware_harness.simulator.sources", "ai_edge_litert.interpreter", "tflite_runtime.interpreter")
PERSONAL = (*DEVICE, "deseptr.cli.device.personalise", "deseptr.cli.evaluate.personalise")
PERSONAL += ("deseptr.device.personal.fit",)
PAGE = (*DEVICE, "uvicorn", "websockets", "starlette.applications", "deseptr.device.live_page.live_page")
CALIBRATING = ("deseptr.cli.evaluate.calibrate", "deseptr.evaluate.temperature", "deseptr.evaluate.known_windows")
CALIBRATING += ("deseptr.evaluate.model_file", "deseptr.report.calibration_page", *DEVICE[-2:])
TRAINING: tuple[str, ...] = (
    "tensorflow",
    "keras",
    "deseptr.cli.train.train",
    "deseptr.cli.evaluate.crossval",
    "deseptr.cli.convert",
)
TRAINING += ("deseptr.train.pipeline", "deseptr.evaluate.crossval", "deseptr.convert", "deseptr.convert.quantize")


class Warm:
    """Starts commands, one at a time.

    Args:
        modules: imported before the first command; those that are not installed are left out.
        temporary: a folder for the commands' temporary files, in place of the system's.
    """

    def __init__(self, modules: Sequence[str], temporary: Path | None = None) -> None:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
        if temporary is not None:
            environment["TMPDIR"] = str(temporary)
        self._server = subprocess.Popen(
            [sys.executable, __file__, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def start(self, words: Sequence[str], folder: Path, out: Path, errors: Path) -> WarmProcess:
        """Start ``deseptr`` with these words, which runs in ``folder`` and writes into two files."""
        order = {"words": list(words), "folder": str(folder), "out": str(out), "errors": str(errors)}
        stdin, stdout = self._server.stdin, self._server.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(order).encode() + b"\n")
        stdin.flush()
        return WarmProcess(int(stdout.readline()), stdout)

    def close(self) -> None:
        """End the process from which the others are forked."""
        self._server.kill()
        self._server.communicate()


class WarmProcess:
    """A command that was started."""

    def __init__(self, pid: int, replies: IO[bytes]) -> None:
        self.pid = pid
        self._replies = replies
        self._code: int | None = None

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, below 0 for a signal; None if it has not ended within that time."""
        if self._code is None and select.select([self._replies], [], [], seconds)[0]:
            self._code = int(self._replies.readline())
        return self._code


def serve() -> None:
    """Fork a process for each line of stdin; answer with its number, then with its exit code."""
    for name in sys.argv[1:]:
        with suppress(ImportError):
            import_module(name)
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            replies.close()
            _run(json.loads(line))
        print(pid, file=replies)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=replies)


def _run(order: dict[str, Any]) -> None:
    """Be the command; ends the process."""
    os.setsid()
    os.chdir(order["folder"])
    for descriptor, path in ((0, os.devnull), (1, order["out"]), (2, order["errors"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    if "tensorflow" in sys.modules:
        _make_cheap(order["words"][0])
    from deseptr.cli.main import main

    sys.argv = ["deseptr", *order["words"]]
    main(order["words"])


def _make_cheap(command: str) -> None:
    """Train op by op, as the tests do, and take the converter's process from this one, which has TensorFlow already."""
    import tensorflow as tf

    from deseptr.convert import isolated

    tf.config.run_functions_eagerly(True)
    if command == "convert":
        converter: Any = _Converter()
        isolated.subprocess = _Module(lambda *arguments, **options: converter)  # type: ignore[attr-defined]


class _Module:
    """As much of :mod:`subprocess` as the converter's starter uses."""

    PIPE = subprocess.PIPE

    def __init__(self, popen: Any) -> None:
        self.Popen = popen


class _Converter:
    """The converter's process, in place of a ``Popen``; forked before TensorFlow has started threads."""

    def __init__(self) -> None:
        (requests, ask), (answers, reply) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.dup2(requests, 0)
            os.dup2(reply, 1)
            for descriptor in (requests, ask, answers, reply):
                os.close(descriptor)
            from deseptr.convert.worker import main

            main()
            os._exit(0)
        os.close(requests)
        os.close(reply)
        self.stdin, self.stdout = os.fdopen(ask, "wb"), os.fdopen(answers, "rb")

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def communicate(self) -> None:
        self.stdin.close()
        self.stdout.close()
        self.wait()


if __name__ == "__main__":
    serve()
