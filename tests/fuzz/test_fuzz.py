"""The fuzzer notices what it looks for, reaches every command, and finds nothing with the first seed."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mutators
import run_inputs
from run_inputs import Outcome, run_inputs as outcomes_of
from targets import commands, targets

from deseptr.cli.main import deseptr
from deseptr.contract import DataError

TARGETS = targets()


def refuse() -> None:
    raise DataError("file", found="nothing", expected="something", next_step="write it")


class OwnError(Exception):
    """Of a target, with a text as it comes."""


def own_error(text: str) -> None:
    raise OwnError(text)


def usage_error(text: str) -> None:
    raise click.UsageError(text)


BEHAVIOUR: dict[bytes, Callable[[], object]] = {
    b"fine": lambda: None,
    b"refuse": refuse,
    b"traceback": lambda: {}["a bug"],
    b"memory": lambda: bytearray(4 * 2**30),
    b"die": os.abort,
    b"sleep": lambda: time.sleep(60),
    b"usage": lambda: usage_error("a" * 5000 + "\x1b[2J"),
    b"long": lambda: own_error("a" * 5000),
    b"lines": lambda: own_error("one\ntwo"),
    b"control": lambda: own_error("\x1b[2J"),
}


def misbehave(content: bytes) -> object:
    """As the input says."""
    return BEHAVIOUR[content]()


def test_each_kind_of_outcome_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_inputs, "SECONDS", 0.3)
    inputs = b"fine refuse traceback memory die usage sleep long lines control fine".split()
    found = list(outcomes_of(misbehave, inputs, (OwnError,)))
    assert [outcome.number for outcome in found] == list(range(len(inputs)))
    assert [outcome.kind for outcome in found] == [
        *("ok", "refused", "traceback", "memory", "died", "refused"),
        *("timeout", "long line", "several lines", "control characters", "ok"),
    ]
    assert "a bug" in found[2].text
    assert [outcome.is_finding for outcome in found[:4]] == [False, False, True, True]


def test_an_error_of_a_targets_own_is_a_refusal():
    (outcome,) = outcomes_of(misbehave, [b"traceback"], (KeyError,))
    assert outcome == Outcome(0, "refused", "'a bug'", outcome.seconds)


def test_inputs_follow_from_the_seed():
    for target in TARGETS:
        first, second = (target.inputs(random.Random(7), 30) for _ in range(2))
        assert first == second
        assert first[0] == target.seeds[0]
        assert len(set(first)) > 15


def test_every_command_is_a_target():
    names = {target.name for target in TARGETS}
    expected = {f"options of {path}" for path, command in commands(deseptr) if command.params}
    assert len(expected) > 25
    assert expected <= names


def test_members_of_an_archive_stay_readable_mostly():
    target = next(target for target in TARGETS if target.name == "recording.npz")
    kept = 0
    for seed in range(60):
        try:
            kept += bool(mutators._members(target.mutate(random.Random(seed), target.seeds[0])))
        except Exception:  # an archive that was changed as bytes
            continue
    assert kept > 30


def test_valid_inputs_are_taken():
    for target in TARGETS:
        if not target.name.startswith("options of") and not target.preload:
            assert next(outcome.kind for outcome in outcomes_of(target.call, target.seeds, ())) == "ok", target.name


def test_nothing_is_found():
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fuzz.py")), "--inputs", "3000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "inputs, seed 1: 0 findings" in done.stdout
