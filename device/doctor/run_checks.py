"""The round of checks: in order, one after another, and none can stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from deseptr.contract import DeseptrError

from .finding import Finding, Level, Verdict, fail, skip
from .subject import Patient


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name.

    Args:
        name: for people and for JSON.
        look: looks at one thing; a ``DeseptrError`` of it is a failure, in the error's words.
        needs: checks that must not have failed or been skipped for this one to make sense.
        slow: whether it takes as long as the sampling does.
    """

    name: str
    look: Callable[[Patient], Verdict]
    needs: tuple[str, ...] = ()
    slow: bool = False


def examine(
    patient: Patient, checks: Sequence[Check], announce: Callable[[Check], None] = lambda check: None
) -> Iterator[Finding]:
    """Make the checks, each finding as it is made.

    Args:
        patient: what to examine.
        checks: in an order in which each comes after those that it needs.
        announce: told of every check before it is made.
    """
    missing: set[str] = set()
    for check in checks:
        lacking = [need for need in check.needs if need in missing]
        if lacking:
            verdict = skip(f"needs {' and '.join(lacking)}")
        else:
            announce(check)
            verdict = _look(check, patient)
        if verdict.level in (Level.FAIL, Level.SKIP):
            missing.add(check.name)
        yield Finding(
            check.name, verdict.level, _line(verdict.found), _line(verdict.expected), _line(verdict.next_step)
        )


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level among findings; ``OK`` if there is none, or nothing but skipped ones."""
    return max((finding.level for finding in findings), key=lambda level: level.exit_code, default=Level.OK)


def _look(check: Check, patient: Patient) -> Verdict:
    try:
        return check.look(patient)
    except DeseptrError as error:
        return fail(f"{error.thing}: {error.found}", error.expected, error.next_step)
    except Exception as error:  # a check that breaks must not keep the others from being made
        return fail(
            f"the check itself broke: {type(error).__name__}: {error}",
            "a finding",
            "report this line, with the machine and the sensor",
        )


def _line(text: str) -> str:
    """One printable line, whatever a file held."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
