"""A pytest plugin that records which test passes, which lines of the packages it runs, and its processor time.

``-p trace_plugin`` with ``DESEPTR_TRACE`` as the JSON to write. Lines that run in child processes count, too. A test of
more than ``MOST_TEST_S`` of this process is ended: no mutant waits for it.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("coverage.ini")
MOST_TEST_S = 20.0


class Trace:
    """Coverage with the running test as its context."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.seconds: dict[str, float] = {}
        self.passed: dict[str, bool] = {}
        self.data = target.with_suffix(".coverage")
        os.environ["COVERAGE_FILE"] = str(self.data)
        self.coverage = coverage.Coverage(data_file=str(self.data), config_file=str(CONFIG), data_suffix=True)
        self.coverage.start()
        signal.signal(signal.SIGPROF, _too_long)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self.coverage.switch_context(item.nodeid)
        begun = _processor_s()
        signal.setitimer(signal.ITIMER_PROF, MOST_TEST_S)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.seconds[item.nodeid] = round(_processor_s() - begun, 3)
            self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed[report.nodeid] = self.passed.get(report.nodeid, True) and report.passed

    def pytest_unconfigure(self) -> None:
        self.coverage.stop()
        self.coverage.save()
        combined = coverage.Coverage(data_file=str(self.data), config_file=str(CONFIG))
        combined.combine([str(self.data.parent)])
        tests = sorted(test for test in self.seconds if self.passed.get(test))
        content = {
            "tests": tests,
            "not_passed": sorted(set(self.seconds) - set(tests)),
            "seconds": [self.seconds[test] for test in tests],
            "lines": _lines(combined.get_data(), {test: index for index, test in enumerate(tests)}),
        }
        self.target.write_text(json.dumps(content))


def _too_long(*_: object) -> None:
    raise TimeoutError(f"over {MOST_TEST_S:.0f} s of processor time")


def _processor_s() -> float:
    """Of this process and the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _lines(data: coverage.CoverageData, numbers: dict[str, int]) -> dict[str, dict[int, list[int]]]:
    """Numbers of the tests that run each line of each file; a line that only an import runs has none."""
    found: dict[str, dict[int, list[int]]] = {}
    for measured in data.measured_files():
        path = Path(measured).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "tests"):
            # A child process has the running test and its phase, "… (call)", as its context.
            lines = data.contexts_by_lineno(measured)
            found[str(path.relative_to(ROOT))] = {
                line: sorted({numbers[test] for name in names if (test := name.rsplit(" (", 1)[0]) in numbers})
                for line, names in lines.items()
            }
    return found


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Trace(Path(os.environ["DESEPTR_TRACE"])), "trace")
