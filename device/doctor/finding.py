"""What a check of the doctor says, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How a check ended. The exit code of a whole examination is that of its worst finding."""

    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"

    @property
    def exit_code(self) -> int:
        """0 where nothing is wrong, 1 for a warning, 2 for a failure."""
        return {Level.WARN: 1, Level.FAIL: 2}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Args:
        check: the check's name.
        level: how it ended.
        found: what was seen; of a check that was skipped, why.
        expected: what should have been seen, where it was not.
        next_step: what the reader can do about it.
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
class Verdict:
    """A finding before it has its check's name."""

    level: Level
    found: str
    expected: str = ""
    next_step: str = ""


def ok(found: str) -> Verdict:
    """All is well."""
    return Verdict(Level.OK, found)


def skip(why: str) -> Verdict:
    """There is nothing to check."""
    return Verdict(Level.SKIP, why)


def warn(found: str, expected: str, next_step: str) -> Verdict:
    """It works, but not as well as it could."""
    return Verdict(Level.WARN, found, expected, next_step)


def fail(found: str, expected: str, next_step: str) -> Verdict:
    """It cannot work like this."""
    return Verdict(Level.FAIL, found, expected, next_step)
