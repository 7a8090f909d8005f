"""Run random mutants of the packages against fast tests.

    python tests/mutants/run.py --a-room 58      # goes on where it was interrupted
    python tests/mutants/run.py --again          # tries survivors again, by traced tests
    python tests/mutants/run.py --again --by tests/report/test_words.py   # … by these test files
    python tests/mutants/run.py --report         # only the tables
    python tests/mutants/run.py --seed 2 --a-room 6 --tables fresh.json   # mutants for which no test was written

What is drawn follows from the seed and the sources. A mutant is first tried by the test files that are named after its
module or import it; only what survives them is worth a trace of the room's tests, those that run its line. A mutant is
killed if a test fails that passes without it, or takes far more processor time than it should. Verdicts are kept by the
digest of the function that is changed, so that an edited one is tried anew. Several may run beside each other, for
different rooms.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import forked
import mutate
from draw import ROOMS, ROOT, Drawn, digest, draw
from fixtures import make_fixtures
from results import results, show
from trace_tests import trace_missing, traced

VERDICTS = forked.WORK / "verdicts.json"
CONTROLS = forked.WORK / "controls.json"
RESULTS = Path(__file__).with_name("results.json")
# Processor time of a mutant's tests, fastest first; what the import of a test file adds.
MOST_TESTS_S, IMPORT_S = 12.0, 0.5
MOST_TESTS = 300
# The reference of the commands has every option with its default and limits.
BESIDE = {"cli": ("tests/docs/test_generated_pages.py",)}
# Rooms whose own tests need no TensorFlow.
LIGHT = frozenset({"contract", "data", "tflite", "device", "firmware_harness", "report"})
# Test files that are tried without a trace, and guesses at the processor time of each, and of one that is named.
MOST_FILES, GUESSED_S, NAMED_S = 4, 3.0, 30.0


def likely_tests(path: str) -> list[tuple[str, float]]:
    """Test files of a module, or else of the modules that import it, with a guess at their seconds."""
    found, modules = list(_tests_of(path)), [path]
    for _ in range(3):
        modules = [each for module in modules for each in _importers(module)]
        if not found:
            found += [each for module in modules for each in _tests_of(module)]
    # Of a module that tests see through its package's face only.
    found = found or list(_that_name(path, _dotted(str(Path(path).parent))))
    beside = BESIDE.get(path.split("/", maxsplit=1)[0], ())
    return [(name, GUESSED_S) for name in [*list(dict.fromkeys(found))[:MOST_FILES], *beside]]


@cache
def _tests_of(path: str) -> tuple[str, ...]:
    """Test files that are named after a module, then those that import it, the room's own and the smallest first."""
    return _that_name(path, _dotted(path))


def _that_name(path: str, module: str) -> tuple[str, ...]:
    package, _, name = module.rpartition(".")
    named = re.compile(rf"\b{re.escape(module)}\b|^from {re.escape(package)} import [^(\n]*\b{name}\b", re.M)
    room = f"tests/{path.split('/', maxsplit=1)[0]}/"
    found = []
    for test_file in sorted((ROOT / "tests").rglob("test_*.py")):
        name = str(test_file.relative_to(ROOT))
        mirrors = name.startswith(room) and _mirrors(name, path)
        if mirrors or named.search(test_file.read_text("utf-8")):
            found.append((not mirrors, not name.startswith(room), test_file.stat().st_size, name))
    return tuple(name for *_, name in sorted(found))


def _dotted(path: str) -> str:
    """The importable name of a module or package."""
    return ".".join(("deseptr", *Path(path).with_suffix("").parts)).replace("deseptr.deseptr", "deseptr")


def _importers(path: str) -> list[str]:
    """Modules of the same folder that import one."""
    imports = re.compile(rf"^\s*from \.{Path(path).stem} import |^\s*from \. import .*\b{Path(path).stem}\b", re.M)
    beside = sorted((ROOT / path).parent.glob("*.py"))
    return [str(each.relative_to(ROOT)) for each in beside if imports.search(each.read_text("utf-8"))]


class Traces:
    """Tests of each line, from what has been traced."""

    def __init__(self, files: list[dict[str, Any]]) -> None:
        self.files = files

    def tests_of(self, path: str, line: int, most_s: float) -> list[tuple[str, float]]:
        """Tests that run a line, those of the module's own test file first, then fastest first, with their seconds.

        Of a line that only imports run, or of a file that has changed since: all tests that run a line of the file.
        """
        found = dict(self._tests(path, line)) or dict(self._tests(path, None)) or dict(self._of_namesake(path))
        ordered = sorted(found.items(), key=lambda test: (not _mirrors(test[0], path), test[1]))
        taken: list[tuple[str, float]] = []
        total, files = 0.0, set[str]()
        for name, each in ordered:
            file = name.split("::")[0]
            total += each + (0 if file in files else IMPORT_S)
            if taken and total > most_s:
                continue
            files.add(file)
            taken.append((name, each))
        return taken[:MOST_TESTS]

    def _tests(self, path: str, line: int | None) -> Iterator[tuple[str, float]]:
        for file in self.files:
            lines = file["lines"].get(path, {})
            if lines and line and file["sources"][path] == digest(ROOT / path):
                numbers: Iterable[int] = lines.get(str(line), ())
            else:
                numbers = {number for some in lines.values() for number in some} if not line else ()
            for number in numbers:
                yield file["tests"][number], file["seconds"][number]

    def _of_namesake(self, path: str) -> Iterator[tuple[str, float]]:
        """All tests of the module's own test file, which may run it in a process that is not traced."""
        for file in self.files:
            if file["tests"] and _mirrors(file["tests"][0], path):
                yield from zip(file["tests"], file["seconds"], strict=True)


def _mirrors(test: str, path: str) -> bool:
    return Path(test.split("::")[0]).name == f"test_{Path(path).name}"


class Controls:
    """Tests that were seen to pass by themselves, unmutated, at a state of the sources and tests."""

    def __init__(self) -> None:
        self.state = _state()
        self.passed = self._known()

    def _known(self) -> dict[str, bool]:
        known = _read(CONTROLS)
        return dict(known["passed"]) if known.get("state") == self.state else {}

    def pass_unmutated(self, tests: list[str], seconds: float) -> bool:
        """Whether tests, or those of a file, pass without a mutant."""
        name = "\n".join(tests)
        if name not in self.passed:
            self.passed[name] = forked.run(tests, max(seconds, 10.0), options=("-m", "not slow")).code == 0
            with _locked():
                self.passed = {**self._known(), **self.passed}
                _write(CONTROLS, {"state": self.state, "passed": self.passed})
        return self.passed[name]


def judge(drawn: Drawn, mutant: mutate.Mutant, tests: list[tuple[str, float]], controls: Controls) -> dict[str, Any]:
    """Run a mutant's tests, in their order, until one fails; its verdict."""
    names, expected = [name for name, _ in tests], sum(seconds for _, seconds in tests)
    found: dict[str, Any] = {"line": mutant.line, "text": mutant.text, "tests": len(tests), "seconds": 0.0}
    if not tests:
        return {**found, "verdict": "survived", "why": "no fast test runs it"}
    failing: list[str] = []
    while True:
        options = ("-x", "-m", "not slow", *(f"--deselect={each}" for each in failing))
        outcome = forked.run(names, expected, mutant=drawn, options=options)
        found["seconds"] = round(found["seconds"] + outcome.seconds, 2)
        # 5: all are deselected.
        if outcome.code in (0, 5):
            return {
                **found,
                "verdict": "survived",
                "why": "all passed" if outcome.code == 0 else "no fast test runs it",
            }
        killer = outcome.first_failure(names)
        if killer is None:
            ended = f"exit code {outcome.code}" if outcome.code is not None else f"no end after {outcome.wall_s:.0f} s"
            control = forked.run(names, expected, options=("-m", "not slow"))
            # Where other work keeps the machine from finishing them unmutated either, nothing is known.
            passes = control.code == 0 and (outcome.code is not None or 4 * control.wall_s < outcome.wall_s)
            return {**found, "verdict": "killed" if passes else "survived", "why": ended if passes else "no control"}
        if controls.pass_unmutated([killer], dict(tests).get(killer, 10.0)):
            return {**found, "verdict": "killed", "why": killer}
        if killer in failing:
            return {**found, "verdict": "survived", "why": f"{killer} fails unmutated, too"}
        failing.append(killer)


def _state() -> str:
    """Of all sources and tests."""
    command = ["git", "ls-files", "-s", *ROOMS, "tests"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    changed = subprocess.run(["git", "diff"], cwd=ROOT, capture_output=True, check=True).stdout
    return hashlib.sha256(listed + changed).hexdigest()[:12]


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _write(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    temporary.replace(path)


def _judge_room(drawn: list[Drawn], options: argparse.Namespace) -> None:
    """Verdicts of a room's mutants that have none, or survived."""
    known = _read(VERDICTS)
    missing = [each for each in drawn if _is_missing(known.get(each.key), options.again)]
    if not missing:
        return
    tests_of, controls, commit = _choice(missing[0].room, options), Controls(), _commit()
    for each in missing:
        mutant = mutate.mutant((ROOT / each.path).read_text("utf-8"), each.kind, each.number)
        verdict = {**judge(each, mutant, tests_of(each.path, mutant.line), controls), "commit": commit}
        with _locked():
            _write(VERDICTS, {**_read(VERDICTS), each.key: verdict})
        told = f"{verdict['verdict']:9} {each.path}:{verdict['line']} {verdict['text']}"
        print(f"{told} | {verdict['why']} | {verdict['seconds']:.1f} s", flush=True)


def _choice(room: str, options: argparse.Namespace) -> Callable[[str, int], list[tuple[str, float]]]:
    """The tests of a file's line: those that are named, those that were traced, or the likely ones."""
    if options.by:
        return lambda _path, _line: [(name, NAMED_S) for name in options.by]
    if options.again:
        traces = _trace((f"tests/{room}", *options.also))
        return lambda path, line: traces.tests_of(path, line, options.most)
    return lambda path, _line: likely_tests(path)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Alone among the campaigns that run beside each other."""
    with (forked.WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _trace(folders: Iterable[str]) -> Traces:
    for under in folders:
        for name, found in trace_missing(under):
            left_out = ", ".join(found["not_passed"]) or "none"
            print(f"traced {name}: {found['processor_s']} s; not passed: {left_out}", flush=True)
    return Traces(traced("tests"))


def _is_missing(known: dict[str, Any] | None, again: bool) -> bool:
    return known is None or (again and known["verdict"] == "survived")


def main() -> None:
    """Try what is drawn and has no verdict yet; show the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--a-room", type=int, default=58)
    parser.add_argument("--rooms", nargs="*", default=ROOMS, help="only these, in this order")
    parser.add_argument("--also", nargs="*", default=(), help="folders of tests to trace beside the room's own")
    parser.add_argument("--most", type=float, default=MOST_TESTS_S, help="seconds of tests for a mutant")
    parser.add_argument("--again", action="store_true", help="try survivors again, by traced tests")
    parser.add_argument("--by", nargs="*", default=(), help="try them by these test files instead")
    parser.add_argument("--tables", type=Path, default=RESULTS, help="file for the tables")
    parser.add_argument("--report", action="store_true", help="only show and write the tables")
    options = parser.parse_args()
    drawn = draw(options.seed, options.a_room)
    if not options.report:
        forked.import_others(heavy=not LIGHT.issuperset(options.rooms))
        make_fixtures()
        for room in options.rooms:
            _judge_room([each for each in drawn if each.room == room], options)
    found = results(drawn, _read(VERDICTS), options.seed)
    _write(options.tables, found)
    show(found)


if __name__ == "__main__":
    main()
