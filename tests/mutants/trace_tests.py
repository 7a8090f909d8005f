"""Which fast tests run which lines: one JSON a test file, made anew where a test file is newer.

python tests/mutants/trace_tests.py [tests/contract ...]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / ".mutants"
TRACES, MADE = WORK / "traces", WORK / "made"
# Their fixtures run the code that they test.
FROM_SCRATCH = ("tests/contract", "tests/data", "tests/train", "tests/convert", "tests/evaluate")


PYTEST = (sys.executable, "-m", "pytest", "-q", "-n0", "-p", "trace_plugin", "-p", "no:cacheprovider")


def trace(test_file: Path, target: Path) -> bool:
    """Run a test file's fast tests with the plugin; whether they passed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = str(test_file.relative_to(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        MADE.mkdir(parents=True, exist_ok=True)
        kept = {} if name.startswith(FROM_SCRATCH) else {"DESEPTR_TESTS_MADE": str(MADE)}
        written = Path(folder) / "trace.json"
        run = subprocess.run(
            [*PYTEST, "-m", "not slow", name],
            cwd=ROOT,
            env={**os.environ, **kept, "PYTHONPATH": str(HERE), "DESEPTR_TRACE": str(written)},
            capture_output=True,
            text=True,
            timeout=1800,
        )
        if written.exists():
            target.write_bytes(written.read_bytes())
        # 5: every test of the file is slow.
        if run.returncode not in (0, 5):
            print(run.stdout[-2000:], run.stderr[-2000:], sep="\n", file=sys.stderr)
        return run.returncode in (0, 5)


def main(*under: str) -> None:
    """Trace what is missing or older than its test file."""
    for part in under or ("tests",):
        for test_file in sorted((ROOT / part).rglob("test_*.py")):
            target = (TRACES / test_file.relative_to(ROOT)).with_suffix(".json")
            if not target.exists() or target.stat().st_mtime < test_file.stat().st_mtime:
                passed = trace(test_file, target)
                print(f"{test_file.relative_to(ROOT)}: {'traced' if passed else 'FAILED'}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
