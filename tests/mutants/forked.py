"""Tests in a forked child of a process that has imported everything but the project, mutated or not.

A child starts in a fraction of a second, and imports the project's modules anew. Its limits are in processor time: a
mutant is not killed by a busy machine.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from draw import ROOT, Drawn

HERE = Path(__file__).parent
WORK = ROOT / ".mutants"
# Fixtures that the unchanged code has made, for all that do not insist on their own.
MADE = WORK / "made"
OTHERS = (
    *("numpy", "hypothesis", "hypothesis.extra.numpy", "scipy.interpolate", "scipy.signal", "sklearn.ensemble"),
    *("click.testing", "rich.console", "rich.progress", "matplotlib.figure", "matplotlib.backends.backend_agg"),
    *("ai_edge_litert.interpreter", "ai_edge_litert.schema_py_generated", "flatbuffers", "paho.mqtt.client", "xdist"),
    *("coverage", "jinja2", "yaml", "lazy_loader"),
)
# Only rooms that train need these, which take as long as all tests of a mutant elsewhere.
HEAVY = ("tensorflow", "keras")
MOST_BYTES = 12 << 30
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


class Outcome(NamedTuple):
    """How the child ended.

    Args:
        code: its exit code; None if it was ended by a limit.
        output: what it has printed.
        seconds: processor time of the child and the processes it has waited for.
        wall_s: time until its end.
    """

    code: int | None
    output: str
    seconds: float
    wall_s: float = 0.0

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """The test that failed first, or the file that could not be collected; None if neither is reported."""
        for line in self.output.splitlines():
            if line.startswith(("FAILED ", "ERROR ")):
                told = line.split(" ", 1)[1]
                named = [each for each in (*tests, *(test.split("::")[0] for test in tests)) if told.startswith(each)]
                longest = max(named, key=len, default=None)
                # Of a whole file that was run, the test in it.
                return told.split(" - ")[0] if longest and told[len(longest) :].startswith("::") else longest
        return None


def import_others(*, heavy: bool) -> None:
    """What the project and its tests import from elsewhere; a child has it at once."""
    os.environ |= {**ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    for name in (*OTHERS, *(HEAVY if heavy else ())):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert not any(name.split(".")[0] == "deseptr" for name in sys.modules)


def run(
    tests: Sequence[str],
    expected_s: float,
    *,
    mutant: Drawn | None = None,
    made: bool = True,
    options: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Run tests by pytest in a child.

    Args:
        tests: node ids, in this order.
        expected_s: processor time that they take unmutated; the limit is some times that.
        mutant: the change under which the project is imported, by child processes, too.
        made: whether fixtures that were made by the unchanged code will do.
        options: of pytest.
        environment: more variables.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tests").write_text("\n".join(tests))
        (place / "output").touch()
        child = os.fork()
        if child == 0:
            code = 70
            try:
                _enter(place, round(20 + 5 * expected_s))
                _mutate(mutant, {"DESEPTR_TESTS_MADE": str(MADE)} if made else {}, environment or {})
                always = (
                    "-q",
                    "-n0",
                    "-p",
                    "no:cacheprovider",
                    "-p",
                    "no_shrinking",
                    "--hypothesis-seed=0",
                    "--basetemp",
                    f"{place}/pytest",
                )
                code = int(pytest.main([*always, *options, f"@{place / 'tests'}"]))
            finally:
                sys.stdout.flush()
                os._exit(code)
        begun = time.monotonic()
        code_or_none, seconds = _wait(child, 120 + 40 * expected_s)
        wall_s = time.monotonic() - begun
        return Outcome(code_or_none, (place / "output").read_text("utf-8", "replace"), round(seconds, 2), wall_s)


def _enter(place: Path, most_s: int) -> None:
    """In the child: a session, limits and output of its own."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (most_s, most_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    output = os.open(place / "output", os.O_WRONLY | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for stream, target in ((0, null), (1, output), (2, output)):
        os.dup2(target, stream)
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(place)


def _mutate(mutant: Drawn | None, *environments: dict[str, str]) -> None:
    """Have this process and those it starts import the mutated code."""
    hook = HERE / "hook"
    os.environ |= {"PYTHONPATH": str(hook), "PYTHONDONTWRITEBYTECODE": "1"}
    if mutant:
        os.environ["DESEPTR_MUTANT"] = f"{ROOT / mutant.path}::{mutant.kind}::{mutant.number}"
    for each in environments:
        os.environ |= each
    # Some processes are started with this one's path instead of its environment.
    sys.path.insert(0, str(hook))
    runpy.run_path(str(hook / "sitecustomize.py"))


def _wait(child: int, most_s: float) -> tuple[int | None, float]:
    """Exit code, None if it was ended by a limit, and processor time."""
    deadline = time.monotonic() + most_s
    ended, status, used = 0, 0, None
    try:
        while time.monotonic() < deadline and not ended:
            ended, status, used = os.wait4(child, os.WNOHANG)
            if not ended:
                time.sleep(0.02)
    finally:
        # Whatever the tests have started is of the child's session.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        if not ended:
            with contextlib.suppress(ChildProcessError):
                _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status) if ended else None
    seconds = used.ru_utime + used.ru_stime if used else 0.0
    return (None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code), seconds
