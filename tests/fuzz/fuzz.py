"""Fuzz all readers of files, parsers of texts and options: each input succeeds or is refused in one line.

    python tests/fuzz/fuzz.py --inputs 20000 --seed 1

Inputs follow from the seed. Each finding is kept under ``--out`` as the input and what it led to. Exit code 1 if there
is any.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from run_inputs import Outcome, run_inputs
from target import Target
from targets import targets

KEPT_A_TARGET = 20
VALID_REFUSED = "valid and refused"
_CHOSEN: list[Target] = []


def fuzz(target: Target, seed: int, count: int, out: Path | None) -> dict[str, Any]:
    """Try a target; the number of each kind of outcome, and its findings."""
    target.prepare()
    inputs = target.inputs(random.Random(f"{seed} {target.name}"), count)
    outcomes = list(run_inputs(target.call, inputs, target.refusals))
    if target.valid and outcomes[0].kind == "refused":
        outcomes[0] = outcomes[0]._replace(kind=VALID_REFUSED)
    findings = [outcome for outcome in outcomes if outcome.is_finding]
    for outcome in _distinct(findings)[:KEPT_A_TARGET] if out else ():
        assert out is not None
        _keep(out / target.name.replace("/", " "), inputs[outcome.number], outcome)
    return {
        "inputs": len(inputs),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 1),
        "slowest_s": max(outcome.seconds for outcome in outcomes),
        "outcomes": dict(Counter(outcome.kind for outcome in outcomes)),
        "findings": [
            {"input": each.number, "kind": each.kind, "text": each.text[-600:]} for each in _distinct(findings)
        ],
    }


def _distinct(findings: list[Outcome]) -> list[Outcome]:
    """One finding of each place in the code."""
    return list({f"{each.kind} {each.text.strip().splitlines()[-3:-1]}": each for each in reversed(findings)}.values())


def _keep(folder: Path, content: bytes, outcome: Outcome) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{outcome.number}.input").write_bytes(content)
    (folder / f"{outcome.number}.txt").write_text(f"{outcome.kind}\n{outcome.text}\n", "utf-8", "replace")


def _fuzz_one(seed: int, count: int, out: Path | None, number: int) -> dict[str, Any]:
    """Try one of the targets, by its number: they cannot be sent to another process, which inherits them."""
    return fuzz(_CHOSEN[number], seed, count, out)


def _show(target: Target, found: dict[str, Any]) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found["outcomes"].items()))
    print(f"{target.name:40} {kinds}; {found['seconds']} s, the slowest {found['slowest_s']} s", flush=True)
    for finding in found["findings"]:
        last = (finding["text"].strip().splitlines() or [""])[-1]
        print(f"  {finding['kind']}: {last[:300]}")


def _commit() -> str | None:
    """That of the sources, if they are in a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def main() -> int:
    """Try all targets; print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", help="only those whose name begins so")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once")
    parser.add_argument("--out", type=Path, default=None, help="a folder for what led to findings")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    chosen = [each for each in targets() if not options.target or each.name.startswith(tuple(options.target))]
    _CHOSEN[:] = chosen
    results = {}
    share = partial(_fuzz_one, options.seed, -(-options.inputs // len(chosen)), options.out)
    with ProcessPoolExecutor(options.jobs, get_context("fork")) as pool:
        every = pool.map(share, range(len(chosen))) if options.jobs > 1 else map(share, range(len(chosen)))
        for target, found in zip(chosen, every, strict=True):
            results[target.name] = found
            _show(target, found)
    total = sum(found["inputs"] for found in results.values())
    bad = sum(len(found["findings"]) for found in results.values())
    print(f"{total} inputs, seed {options.seed}: {bad} findings")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(
            json.dumps({"seed": options.seed, "commit": _commit(), "inputs": total, "targets": results}, indent=1)
            + "\n"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
