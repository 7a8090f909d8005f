"""Which fast tests pass and run which lines: one JSON a test file, made anew where the test file has changed.

python tests/mutants/trace_tests.py [tests/contract ...]

The tests run in the same forked children as under a mutant, so that this is their control, too: one that doesn't pass
here judges no mutant.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forked
from draw import ROOMS, ROOT, digest
from fixtures import make_fixtures

TRACES = forked.WORK / "traces"
# A test file of more processor time is left out.
MOST_FILE_S = 120.0


def traced(under: str) -> list[dict[str, Any]]:
    """What ``trace`` has found out about the test files of a folder."""
    return [json.loads(path.read_text()) for path in sorted((TRACES / under).rglob("*.json"))]


def trace_missing(under: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Trace the test files of a folder that have not been traced as they are; their names and results."""
    for test_file in sorted((ROOT / under).rglob("test_*.py")):
        name = str(test_file.relative_to(ROOT))
        as_it_is = digest(test_file)
        target = (TRACES / name).with_suffix(".json")
        if target.exists() and json.loads(target.read_text())["digest"] == as_it_is:
            continue
        found = {"digest": as_it_is, **_trace(name)}
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(found))
        yield name, found


def _trace(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "trace.json"
        options = ("-m", "not slow", "-p", "trace_plugin")
        environment = {"DESEPTR_TRACE": str(written)}
        outcome = forked.run([name], MOST_FILE_S, options=options, environment=environment)
        found = dict(json.loads(written.read_text())) if written.exists() else {}
    # 1: some have failed, which are left out; 5: every test of the file is slow.
    if outcome.code not in (0, 1, 5) or not found:
        found = {"tests": [], "not_passed": [name], "seconds": [], "lines": {}}
        print(outcome.output[-1000:], file=sys.stderr)
    sources = {path: digest(ROOT / path) for path in found["lines"]}
    return {**found, "sources": sources, "processor_s": outcome.seconds}


def main(*under: str) -> None:
    """Trace what is missing."""
    forked.import_others(heavy=True)
    make_fixtures()
    for part in under or tuple(f"tests/{room}" for room in ROOMS):
        for name, found in trace_missing(part):
            left_out = ", ".join(found["not_passed"])
            print(
                f"{name}: {len(found['tests'])} in {found['processor_s']} s; not passed: {left_out or 'none'}",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
