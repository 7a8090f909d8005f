"""Run random mutants of the packages against the fast tests that run their lines.

    python tests/mutants/run.py --a-room 58      # goes on where it was interrupted
    python tests/mutants/run.py --again          # tries survivors again, after tests were written
    python tests/mutants/run.py --report         # only the tables

What is drawn follows from the seed and the sources. A room's tests are traced first. A mutant is killed if a test fails
that passes without it, or takes far more processor time than it should. Verdicts are kept by the source's digest, so
that an edited file is tried anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import forked
import mutate
from draw import ROOMS, ROOT, Drawn, digest, draw
from results import results, show
from trace_tests import trace_missing, traced

VERDICTS = forked.WORK / "verdicts.json"
CONTROLS = forked.WORK / "controls.json"
RESULTS = Path(__file__).with_name("results.json")
# Processor time of a mutant's tests, fastest first; what the import of a test file adds.
MOST_TESTS_S, IMPORT_S = 12.0, 0.5
MOST_TESTS = 300


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
        known = _read(CONTROLS)
        self.passed: dict[str, bool] = known.get("passed", {}) if known.get("state") == self.state else {}

    def pass_unmutated(self, tests: list[str], seconds: float) -> bool:
        """Whether tests, or those of a file, pass without a mutant."""
        name = "\n".join(tests)
        if name not in self.passed:
            self.passed[name] = forked.run(tests, max(seconds, 10.0), options=("-m", "not slow")).code == 0
            _write(CONTROLS, {"state": self.state, "passed": self.passed})
        return self.passed[name]


def judge(drawn: Drawn, traces: Traces, controls: Controls, most_s: float) -> dict[str, Any]:
    """Run a mutant's tests; its verdict."""
    made = mutate.mutant((ROOT / drawn.path).read_text("utf-8"), drawn.kind, drawn.number)
    tests = traces.tests_of(drawn.path, made.line, most_s)
    found: dict[str, Any] = {"line": made.line, "text": made.text, "tests": len(tests), "seconds": 0.0}
    left = tests
    while left:
        names, expected = [name for name, _ in left], sum(seconds for _, seconds in left)
        outcome = forked.run(names, expected, mutant=drawn, options=("-x",))
        found["seconds"] = round(found["seconds"] + outcome.seconds, 2)
        if outcome.code == 0:
            return {**found, "verdict": "survived", "why": "all passed"}
        killer = outcome.first_failure(names)
        if killer is None:
            ended = f"exit code {outcome.code}" if outcome.code is not None else f"over {expected:.1f} s several times"
            if controls.pass_unmutated(names, expected):
                return {**found, "verdict": "killed", "why": ended}
            break
        if controls.pass_unmutated([killer], dict(tests).get(killer, 10.0)):
            return {**found, "verdict": "killed", "why": killer}
        left = _after(left, killer)
    why = "no test passes that runs it" if tests else "no fast test runs it"
    return {**found, "verdict": "survived", "why": why}


def _after(tests: list[tuple[str, float]], failed: str) -> list[tuple[str, float]]:
    """The tests that come after one, or are of another file than one, that fails in any case."""
    names = [name for name, _ in tests]
    if failed in names:
        return tests[names.index(failed) + 1 :]
    return [test for test in tests if not test[0].startswith(f"{failed}::")]


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


def _judge_room(room: str, drawn: list[Drawn], verdicts: dict[str, Any], options: argparse.Namespace) -> None:
    """Verdicts of a room's mutants that have none, by the tests of its own folder and those of ``--also``."""
    missing = [each for each in drawn if _is_missing(verdicts.get(each.key), options.again)]
    if not missing:
        return
    for under in (f"tests/{room}", *options.also):
        for name, found in trace_missing(under):
            left_out = ", ".join(found["not_passed"]) or "none"
            print(f"traced {name}: {found['processor_s']} s; not passed: {left_out}", flush=True)
    folders = ("tests",) if options.again else (f"tests/{room}", *options.also)
    traces, controls, commit = Traces([each for under in folders for each in traced(under)]), Controls(), _commit()
    for each in missing:
        verdict = {**judge(each, traces, controls, options.most), "commit": commit}
        verdicts[each.key] = verdict
        _write(VERDICTS, verdicts)
        seconds = f"{verdict['seconds']:.1f} s"
        print(
            f"{verdict['verdict']:9} {each.path}:{verdict['line']} {verdict['text']} | {verdict['why']} | {seconds}",
            flush=True,
        )


def _is_missing(known: dict[str, Any] | None, again: bool) -> bool:
    return known is None or (again and known["verdict"] == "survived")


def main() -> None:
    """Try what is drawn and has no verdict yet; show the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--a-room", type=int, default=58)
    parser.add_argument("--rooms", nargs="*", default=ROOMS, help="only these, in this order")
    parser.add_argument("--also", nargs="*", default=(), help="folders of tests beside the room's own")
    parser.add_argument("--most", type=float, default=MOST_TESTS_S, help="seconds of tests for a mutant")
    parser.add_argument("--again", action="store_true", help="try survivors again, with all rooms' tests")
    parser.add_argument("--report", action="store_true", help="only show and write the tables")
    options = parser.parse_args()
    drawn = draw(options.seed, options.a_room)
    verdicts = _read(VERDICTS)
    if not options.report:
        forked.import_others()
        for room in options.rooms:
            _judge_room(room, [each for each in drawn if each.room == room], verdicts, options)
    found = results(drawn, verdicts, options.seed)
    _write(RESULTS, found)
    show(found)


if __name__ == "__main__":
    main()
