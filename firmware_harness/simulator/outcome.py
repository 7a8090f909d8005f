"""The outcome of a run in numbers, and its comparison with the expected one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deseptr.contract import DeseptrError, SetupError
from deseptr.device import RUNGS, Event, GapEvent, RateEvent, RecoveryEvent, WindowEvent

from .faults.toml import check_keys, check_type

COUNTS = ("windows", "gaps", "lost_samples", "rates", "resampled")
KEYS = (*COUNTS, "rungs", "reasons", "exit_code", "error")


@dataclass(slots=True)
class Outcome:
    """The outcome of a run.

    Args:
        counts: ``windows``, ``gaps``, ``lost_samples``, ``rates`` (times that the rate was locked) and ``resampled``
            (number of these with resampling).
        rungs: number of times that each recovery step was taken.
        reasons: number of gaps by reason.
        exit_code: the command's exit code.
        error: the command's error message, if any.
    """

    counts: Counter[str] = field(default_factory=Counter)
    rungs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    exit_code: int = 0
    error: str = ""

    def note(self, event: Event) -> None:
        """Count an event."""
        match event:
            case WindowEvent():
                self.counts["windows"] += 1
            case GapEvent():
                self.counts["gaps"] += 1
                self.counts["lost_samples"] += event.lost_samples
                self.reasons[event.reason] += 1
            case RecoveryEvent():
                self.rungs[event.rung] += 1
            case RateEvent():
                self.counts["rates"] += 1
                self.counts["resampled"] += event.resampled

    def fail(self, error: DeseptrError) -> None:
        """Record the error that ended the run."""
        self.exit_code, self.error = error.exit_code, str(error)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest allowed value of a number."""

    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.least:g}"
        return f"at least {self.least:g}" if self.most == math.inf else f"{self.least:g} to {self.most:g}"


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected outcome of a run; figures that are left out may have any value, except for the exit code.

    Args:
        counts: bounds of the counts of an :class:`Outcome`.
        rungs: bounds by recovery step; if any is given, the others must not be taken. None for no bounds.
        reasons: the allowed reasons of gaps; None for any.
        exit_code: the command's exit code.
        error: text that the command's error message must contain.
    """

    counts: Mapping[str, Bounds] = field(default_factory=dict)
    rungs: Mapping[str, Bounds] | None = None
    reasons: tuple[str, ...] | None = None
    exit_code: int = 0
    error: str = ""

    def differences(self, outcome: Outcome) -> list[str]:
        """One line for each difference from ``outcome``."""
        found = [(key, outcome.counts[key], bounds) for key, bounds in self.counts.items()]
        if self.rungs is not None:
            nothing = Bounds(0, 0)
            found += [(rung, outcome.rungs[rung], self.rungs.get(rung, nothing)) for rung in RUNGS]
        found.append(("exit_code", outcome.exit_code, Bounds(self.exit_code, self.exit_code)))
        lines = [f"{key}: found {n}, expected {b}" for key, n, b in found if not b.least <= n <= b.most]
        if self.reasons is not None and not set(outcome.reasons) <= set(self.reasons):
            lines.append(f"reasons: found {', '.join(outcome.reasons)}, expected {', '.join(self.reasons) or 'none'}")
        if self.error not in outcome.error:
            lines.append(f"error: found {outcome.error or 'none'}, expected one with {self.error!r}")
        return lines


def expected_from(table: Mapping[str, Any], where: str) -> Expected:
    """The expected outcome in an ``[expected]`` table: for each figure a number, or bounds such as ``[1, 3]``.

    Raises:
        SetupError: if a key is unknown or a value is invalid.
    """
    where = f"{where}, expected"
    check_keys(table, KEYS, where, "it")
    return Expected(
        counts={key: _bounds(table[key], f"{where}, {key}") for key in COUNTS if key in table},
        rungs=_rungs(table["rungs"], where) if "rungs" in table else None,
        reasons=_reasons(table["reasons"], where) if "reasons" in table else None,
        exit_code=check_type(table.get("exit_code", 0), (int,), where, "exit_code"),
        error=check_type(table.get("error", ""), (str,), where, "error"),
    )


def _rungs(value: Any, where: str) -> dict[str, Bounds]:
    table = check_type(value, (dict,), where, "rungs")
    check_keys(table, RUNGS, f"{where}, rungs", "the ladder")
    return {rung: _bounds(bounds, f"{where}, {rung}") for rung, bounds in table.items()}


def _reasons(value: Any, where: str) -> tuple[str, ...]:
    reasons = check_type(value, (list,), where, "reasons")
    return tuple(check_type(reason, (str,), where, "reasons") for reason in reasons)


def _bounds(value: Any, where: str) -> Bounds:
    both = value if isinstance(value, list) else [value, value]
    numbers = all(isinstance(number, int | float) and not isinstance(number, bool) for number in both)
    if len(both) != 2 or not numbers or not both[0] <= both[1]:
        raise SetupError(where, found=value, expected="a number, or [least, most]", next_step="write one of these")
    return Bounds(both[0], both[1])
