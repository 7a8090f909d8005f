"""Runs checks in order; none can stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from deseptr.contract import DeseptrError
from deseptr.contract.visible_text import visible

from .finding import CheckResult, DoctorFinding, Level, fail, skip
from .subject import Subject


@dataclass(frozen=True, slots=True)
class Check:
    """A named check.

    Args:
        name: its name, also in JSON.
        look: makes the check; a ``DeseptrError`` that it raises becomes a failure with the error's text.
        needs: checks without which this one is skipped, if they failed or were skipped.
        slow: whether it takes as long as the sampling does.
    """

    name: str
    look: Callable[[Subject], CheckResult]
    needs: tuple[str, ...] = ()
    slow: bool = False


def run_checks(
    subject: Subject, checks: Sequence[Check], announce: Callable[[Check], None] = lambda check: None
) -> Iterator[DoctorFinding]:
    """Make the checks and yield each result as soon as there is one.

    Args:
        subject: the system under test.
        checks: the checks, each after those that it needs.
        announce: called with every check before it is made.
    """
    missing: set[str] = set()
    for check in checks:
        lacking = [need for need in check.needs if need in missing]
        if lacking:
            result = skip(f"needs {' and '.join(lacking)}")
        else:
            announce(check)
            result = _look(check, subject)
        if result.level in (Level.FAIL, Level.SKIP):
            missing.add(check.name)
        yield DoctorFinding(
            check.name, result.level, _line(result.found), _line(result.expected), _line(result.next_step)
        )


def worst(findings: Iterable[DoctorFinding]) -> Level:
    """The worst level of the results; ``OK`` for none, or for skipped ones only."""
    return max((finding.level for finding in findings), key=lambda level: level.exit_code, default=Level.OK)


def _look(check: Check, subject: Subject) -> CheckResult:
    try:
        return check.look(subject)
    except DeseptrError as error:
        return fail(f"{error.thing}: {error.found}", error.expected, error.next_step)
    except Exception as error:  # a check that fails must not keep the others from being made
        return fail(
            f"the check itself failed: {type(error).__name__}: {error}",
            "a result",
            "report this line, with the machine and the sensor",
        )


def _line(text: str) -> str:
    """One printable line, whatever a file held."""
    return visible(" ".join(text.split()))
