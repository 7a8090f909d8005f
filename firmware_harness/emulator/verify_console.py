"""Parsing the reports on a verified machine's console, among the lines of its kernel and of systemd."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    for line in finished.output.splitlines():
        _, mark, message = line.partition(MARK)
        facts = _json(message) if mark else None
        if isinstance(facts, dict):
            _accumulate(report, facts)
    return report


def _accumulate(report: MachineReport, facts: dict[str, Any]) -> None:
    if "step" in facts:
        report.steps[facts["step"]] = facts
    elif "adapter" in facts:
        report.adapters[facts["adapter"]] = facts["number"]
    elif "linux" in facts:
        report.linux = facts["linux"]
    elif "error" in facts:
        report.ended = facts["error"]
    elif "done" in facts:
        report.ended = ""


def json_lines(facts: Facts) -> list[dict[str, Any]]:
    """The JSON objects in a step's output, one per line."""
    return [value for line in facts["out"].splitlines() if isinstance(value := _json(line), dict)]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
