"""Run random mutants of the packages against the fast tests that run their lines.

    python tests/mutants/trace_tests.py                # once, and again after tests changed
    python tests/mutants/run.py --a-room 60      # goes on where it was interrupted
    python tests/mutants/run.py --report         # only the tables

What is drawn follows from the seed and the sources. A mutant is killed if a test fails or takes far longer than it
should. Verdicts are kept by the source's digest, so that an edited file is tried anew.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mutate
from trace_tests import MADE, ROOT, TRACES, WORK  # type: ignore[attr-defined]

ROOMS = (
    *("contract", "data", "tflite", "train", "device", "convert", "firmware_harness", "evaluate", "report", "cli"),
    "deseptr",
)
VERDICTS = WORK / "verdicts.json"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
RESULTS = Path(__file__).with_name("results.json")
# Runs on the emulated machine or the board, where no fast test sees it.
ELSEWHERE = ("firmware_harness/emulator/guest.py", "firmware_harness/emulator/kernel_guest.py")
# Seconds of tests for a mutant, fastest first, and what the start of a process and its fixtures add to their limit.
MOST_TEST_S, ALLOWANCE_S = 30.0, 60.0
# Seconds that a fixture takes where it has to be made anew.
FIXTURES_S = {"tiny_run": 20.0, "tiny_conversion": 20.0, "tiny_tflite": 20.0, "broken_runs": 30.0}
OTHERS = ("numpy", "hypothesis", "hypothesis.extra.numpy", "scipy.interpolate", "click.testing", "rich.console")
OTHERS += (
    "ai_edge_litert.interpreter",
    "ai_edge_litert.schema_py_generated",
    "flatbuffers",
    "paho.mqtt.client",
    "xdist",
)
# The rooms whose code makes those fixtures.
MAKERS = ("contract", "data", "tflite", "train", "convert")


class Drawn(NamedTuple):
    """A mutant by file, kind and number."""

    path: str
    kind: str
    number: int

    @property
    def room(self) -> str:
        return self.path.split("/")[0]


def draw(seed: int, a_room: int) -> list[Drawn]:
    """The same number of mutants of every room, kinds in turn."""
    drawn = []
    for room in ROOMS:
        by_kind = defaultdict(list)
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in ELSEWHERE:
                for kind, count in mutate.count(path.read_text("utf-8")).items():
                    by_kind[kind] += [Drawn(name, kind, number) for number in range(count)]
        rng = random.Random(f"{seed} {room}")
        for kind in mutate.KINDS:
            rng.shuffle(by_kind[kind])
        in_turn = [
            by_kind[kind][place] for place in range(a_room) for kind in mutate.KINDS if place < len(by_kind[kind])
        ]
        drawn += in_turn[:a_room]
    return drawn


class Traces:
    """Tests of each line, from what ``trace_tests.py`` left."""

    def __init__(self) -> None:
        self.files = [json.loads(path.read_text()) for path in sorted((TRACES / "tests").rglob("*.json"))]
        if not self.files:
            sys.exit("no traces: run tests/mutants/trace_tests.py first")

    def tests_of(self, path: str, line: int) -> list[tuple[str, float]]:
        """Tests that run a line, fastest first, with their seconds; of a line of an import, all tests of the file."""
        at_line = list(self._tests(path, line))
        found = dict(at_line or self._tests(path, None)) or _by_name(path)
        ordered = sorted(found.items(), key=lambda test: (not _mirrors(test[0], path), test[1]))
        return _up_to(ordered, MOST_TEST_S)

    def _tests(self, path: str, line: int | None) -> Iterator[tuple[str, float]]:
        for file in self.files:
            lines = file["lines"].get(path, {})
            numbers: Iterable[int] = lines.get(str(line), ()) if line else {n for some in lines.values() for n in some}
            for number in numbers:
                made = sum(FIXTURES_S.get(name, 0) for name in file["fixtures"][number])
                yield file["tests"][number], file["seconds"][number] + (made if path.startswith(MAKERS) else 0)


def _by_name(path: str) -> dict[str, float]:
    """The test file that is named after a module, where none has been traced that runs it."""
    mirror = (ROOT / "tests" / path).with_name(f"test_{Path(path).name}")
    return {str(mirror.relative_to(ROOT)): 30.0} if mirror.exists() else {}


def _mirrors(test: str, path: str) -> bool:
    return Path(test.split("::")[0]).name == f"test_{Path(path).name}"


def _up_to(tests: list[tuple[str, float]], seconds: float) -> list[tuple[str, float]]:
    taken, total = [], 0.0
    for name, each in tests:
        total += each
        if taken and total > seconds:
            break
        taken.append((name, each))
    return taken[:400]


def judge(drawn: Drawn, traces: Traces) -> dict[str, Any]:
    """Run a mutant's tests, those of its module's own test file first; its verdict."""
    made = mutate.mutant((ROOT / drawn.path).read_text("utf-8"), drawn.kind, drawn.number)
    tests = traces.tests_of(drawn.path, made.line)
    found = {"line": made.line, "text": made.text, "tests": len(tests)}
    if not tests:
        return {**found, "verdict": "survived", "why": "no fast test runs it"}
    begun = time.monotonic()
    own = [test for test in tests if _mirrors(test[0], drawn.path)] or _of_one_file(tests)
    others = [test for test in tests if test not in own]
    why = _killed_by(drawn, own) or (_killed_by(drawn, others) if others else None)
    found["seconds"] = round(time.monotonic() - begun, 1)
    return {**found, "verdict": "killed" if why else "survived", "why": why or "all passed"}


def _of_one_file(tests: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The tests of the file that takes least: a process that imports one test file starts soonest."""
    by_file = defaultdict(list)
    for name, seconds in tests:
        by_file[name.split("::")[0]].append((name, seconds))
    return min(by_file.values(), key=lambda same: sum(seconds for _, seconds in same))


def _killed_by(drawn: Drawn, tests: list[tuple[str, float]]) -> str | None:
    """The first test that fails, or that all took far too long; None if all passed."""
    limit_s = ALLOWANCE_S + 3 * sum(seconds for _, seconds in tests)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tests").write_text("\n".join(name for name, _ in tests))
        code = _run_forked(drawn, place, limit_s)
        output = (place / "output").read_text("utf-8", "replace")
    if code is None:
        return f"over {limit_s:.0f} s"
    if code == 0:
        return None
    first = next((line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))), output[-200:])
    return " ".join(first.split())[:160]


def _run_forked(drawn: Drawn, place: Path, limit_s: float) -> int | None:
    """Exit code of pytest in a child that has imported it already; None if it took too long."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(_run_tests(drawn, place))
        finally:
            os._exit(70)
    deadline = time.monotonic() + limit_s
    try:
        while time.monotonic() < deadline:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        return None
    finally:
        # Whatever the tests have started is of the child's session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _run_tests(drawn: Drawn, place: Path) -> int:
    """In the child: mutate, and run the tests that ``place`` names."""
    os.setsid()
    # A parent that is ended takes no test with it, but no test may outlive its limit.
    signal.alarm(3600)
    output = os.open(place / "output", os.O_WRONLY | os.O_CREAT)
    null = os.open(os.devnull, os.O_RDONLY)
    for stream, target in ((0, null), (1, output), (2, output)):
        os.dup2(target, stream)
    os.chdir(ROOT)
    hook = Path(__file__).with_name("hook")
    mutant = f"{ROOT / drawn.path}::{drawn.kind}::{drawn.number}"
    # For the processes that the tests start.
    os.environ |= {"PYTHONPATH": str(hook), "PYTHONDONTWRITEBYTECODE": "1", "DESEPTR_MUTANT": mutant}
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(place)
    if not drawn.path.startswith(MAKERS):
        os.environ["DESEPTR_TESTS_MADE"] = str(MADE)
    runpy.run_path(str(hook / "sitecustomize.py"))
    arguments = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--basetemp", f"{place}/pytest"]
    return int(pytest.main([*arguments, f"@{place / 'tests'}"]))


def import_others() -> None:
    """What tests import that is not of the project; a child has it at once."""
    for name in OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def key(drawn: Drawn) -> str:
    """Of a verdict: file, its digest, kind and number."""
    digest = hashlib.sha256((ROOT / drawn.path).read_bytes()).hexdigest()[:12]
    return f"{drawn.path} {digest} {drawn.kind} {drawn.number}"


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    temporary.replace(path)


def results(drawn: list[Drawn], verdicts: dict[str, Any], seed: int) -> dict[str, Any]:
    """Tables by room and by file, and every survivor; those argued to be equivalent are counted apart."""
    argued = {(each["path"], each["text"]): each["why"] for each in tomllib.loads(EQUIVALENT.read_text())["mutant"]}
    rows = []
    for each in drawn:
        if verdict := verdicts.get(key(each)):
            why = argued.get((each.path, verdict["text"])) if verdict["verdict"] == "survived" else None
            rows.append({**each._asdict(), **verdict, **({"verdict": "equivalent", "why": why} if why else {})})
    return {
        "seed": seed,
        "commit": _commit(),
        "tried": len(rows),
        "drawn": len(drawn),
        "rooms": _table(rows, lambda row: row["path"].split("/")[0]),
        "kinds": _table(rows, lambda row: row["kind"]),
        "files": _table(rows, lambda row: row["path"]),
        "survivors": [_brief(row) for row in rows if row["verdict"] == "survived"],
        "equivalent": [_brief(row) for row in rows if row["verdict"] == "equivalent"],
    }


def _commit() -> str:
    """The sources that were tried."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("path", "line", "kind", "text", "why")}


def _table(rows: list[dict[str, Any]], name: Any) -> dict[str, dict[str, Any]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[name(row)][row["verdict"]] += 1
    table = {}
    for each, count in sorted(counts.items()):
        judged = count["killed"] + count["survived"]
        table[each] = {verdict: count[verdict] for verdict in ("killed", "survived", "equivalent")}
        table[each]["killed_share"] = round(count["killed"] / judged, 4) if judged else None
    return table


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    for table in ("rooms", "kinds", "files"):
        print(f"\n{table:44} killed survived equivalent  share")
        for name, row in found[table].items():
            share = "" if row["killed_share"] is None else f"{row['killed_share']:.0%}"
            print(f"{name:44} {row['killed']:6} {row['survived']:8} {row['equivalent']:10} {share:>6}")
    for row in found["survivors"]:
        print(f"survived: {row['path']}:{row['line']} {row['kind']}: {row['text']} ({row['why']})")
    total = {verdict: sum(row[verdict] for row in found["rooms"].values()) for verdict in ("killed", "survived")}
    judged = sum(total.values())
    print(f"\n{found['tried']} of {found['drawn']} tried, {total['killed'] / max(1, judged):.1%} of {judged} killed")


def main() -> None:
    """Try what is drawn and has no verdict yet; show the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--a-room", type=int, default=60)
    parser.add_argument("--rooms", nargs="*", default=ROOMS, help="only these")
    parser.add_argument("--again", action="store_true", help="try survivors again, after tests were written")
    parser.add_argument("--report", action="store_true", help="only show and write the tables")
    options = parser.parse_args()
    drawn = draw(options.seed, options.a_room)
    verdicts = read(VERDICTS)
    traces = None if options.report else Traces()
    if traces:
        import_others()
    for each in drawn:
        known = verdicts.get(key(each))
        if each.room not in options.rooms or traces is None:
            continue
        if known and not (options.again and known["verdict"] == "survived"):
            continue
        verdict = judge(each, traces)
        verdicts[key(each)] = verdict
        write(VERDICTS, verdicts)
        print(f"{verdict['verdict']:9} {each.path}:{verdict['line']} {verdict['text']} | {verdict['why']}", flush=True)
    found = results(drawn, verdicts, options.seed)
    write(RESULTS, found)
    show(found)


if __name__ == "__main__":
    main()
