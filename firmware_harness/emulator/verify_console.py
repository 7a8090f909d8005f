"""Parsing the reports on a verified machine's console, among the lines of its kernel and of systemd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deseptr.contract import parse_json

from .process import Finished
from .verify_guest import MARK

Facts = Mapping[str, Any]


@dataclass(slots=True)
class MachineReport:
    """The reports of the machine.

    Args:
        steps: exit code, output and errors of each step, by name.
        adapters: numbers of the adapters that were plugged in, by name.
        linux: the kernel's release.
        ended: reason for an early end; empty if the job was finished.
    """

    steps: dict[str, Facts] = field(default_factory=dict)
    adapters: dict[str, int] = field(default_factory=dict)
    linux: str = ""
    ended: str = "an incomplete console"


def parse_report(finished: Finished) -> MachineReport:
    """Parse the machine's console, which may be incomplete; unreadable lines are ignored."""
    report = MachineReport()
    if finished.timed_out:
        report.ended = "the machine was still running at the timeout"
    elif finished.errors.strip():
        report.ended = finished.first_error()
    for facts in marked_facts(finished.output, MARK):
        _accumulate(report, facts)
    return report


def _accumulate(report: MachineReport, facts: dict[str, Any]) -> None:
    match facts:
        case {"step": str(name)}:
            report.steps[name] = facts
        case {"adapter": str(name), "number": int(number)}:
            report.adapters[name] = number
        case {"linux": str(release)}:
            report.linux = release
        case {"error": error}:
            report.ended = str(error)
        case {"done": _}:
            report.ended = ""


def marked_facts(output: str, mark: str) -> Iterator[dict[str, Any]]:
    """The JSON objects on the lines of a console that a machine has marked as its reports; others are left out."""
    for line in output.splitlines():
        _, found, message = line.partition(mark)
        facts = _json(message) if found else None
        if isinstance(facts, dict):
            yield facts


def json_lines(facts: Facts) -> list[dict[str, Any]]:
    """The JSON objects in a step's output, one per line."""
    return [value for line in facts["out"].splitlines() if isinstance(value := _json(line), dict)]


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None
