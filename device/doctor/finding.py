"""The result of a doctor's check, and its severity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """Severity of a result. The exit code of all checks is that of the worst one."""

    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"

    @property
    def exit_code(self) -> int:
        """0 without a problem, 1 for a warning, 2 for a failure."""
        return {Level.WARN: 1, Level.FAIL: 2}.get(self, 0)


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """The result of a named check.

    Args:
        check: the check's name.
        level: severity.
        found: the observation; for a skipped check, the reason.
        expected: the expected observation, if another was made.
        next_step: a remedy for the reader to try.
    """

    check: str
    level: Level
    found: str
    expected: str = ""
    next_step: str = ""

    def to_dict(self) -> dict[str, Any]:
        """An entry of ``device doctor --json``."""
        return {
            "check": self.check,
            "level": str(self.level),
            "found": self.found,
            "expected": self.expected,
            "next_step": self.next_step,
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check, without the check's name."""

    level: Level
    found: str
    expected: str = ""
    next_step: str = ""


def ok(found: str) -> CheckResult:
    """The check passed."""
    return CheckResult(Level.OK, found)


def skip(why: str) -> CheckResult:
    """The check does not apply."""
    return CheckResult(Level.SKIP, why)


def warn(found: str, expected: str, next_step: str) -> CheckResult:
    """A warning: it works, but not as well as it could."""
    return CheckResult(Level.WARN, found, expected, next_step)


def fail(found: str, expected: str, next_step: str) -> CheckResult:
    """A failure: it cannot work like this."""
    return CheckResult(Level.FAIL, found, expected, next_step)
