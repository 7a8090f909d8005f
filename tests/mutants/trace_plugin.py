"""A pytest plugin that records which test runs which lines of the packages, and how long each takes.

``-p trace_plugin`` with ``DESEPTR_TRACE`` as the JSON to write. Lines that run in child processes count, too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("coverage.ini")


class Trace:
    """Coverage with the running test as its context."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.seconds: dict[str, float] = {}
        self.fixtures: dict[str, list[str]] = {}
        self.data = target.with_suffix(".coverage")
        os.environ["COVERAGE_FILE"] = str(self.data)
        self.coverage = coverage.Coverage(data_file=str(self.data), config_file=str(CONFIG), data_suffix=True)
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self.coverage.switch_context(item.nodeid)
        self.fixtures[item.nodeid] = sorted(getattr(item, "fixturenames", ()))
        begun = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = round(time.perf_counter() - begun, 3)
        self.coverage.switch_context("")
        return result

    def pytest_unconfigure(self) -> None:
        self.coverage.stop()
        self.coverage.save()
        combined = coverage.Coverage(data_file=str(self.data), config_file=str(CONFIG))
        combined.combine([str(self.data.parent)])
        tests = sorted(self.seconds)
        content = {
            "tests": tests,
            "seconds": [self.seconds[test] for test in tests],
            "fixtures": [self.fixtures[test] for test in tests],
            "lines": _lines(combined.get_data(), {test: index for index, test in enumerate(tests)}),
        }
        self.target.write_text(json.dumps(content))
        self.data.unlink(missing_ok=True)


def _lines(data: coverage.CoverageData, numbers: dict[str, int]) -> dict[str, dict[int, list[int]]]:
    """Numbers of the tests that run each line of each file; a line that only an import runs has none."""
    found = {}
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
