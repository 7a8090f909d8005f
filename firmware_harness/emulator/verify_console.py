"""Reading what a machine that is verified said on its console, among the lines of its kernel and of systemd."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .process import Finished
from .verify_guest import MARK

Facts = Mapping[str, Any]


@dataclass(slots=True)
class Said:
    """What the machine said.

    Args:
        steps: exit code, output and errors of each step, by name.
        adapters: numbers of the adapters that were plugged in, by name.
        linux: the kernel's release.
        ended: why it ended; empty if its job was done.
    """

    steps: dict[str, Facts] = field(default_factory=dict)
    adapters: dict[str, int] = field(default_factory=dict)
    linux: str = ""
    ended: str = "its console broke off"


def parse_said(finished: Finished) -> Said:
    """Read the machine's console, whole or cut off anywhere; lines that cannot be read are left out."""
    said = Said()
    if finished.timed_out:
        said.ended = "it was still running when its time was over"
    elif finished.errors.strip():
        said.ended = finished.first_error()
    for line in finished.output.splitlines():
        _, mark, message = line.partition(MARK)
        facts = _json(message) if mark else None
        if isinstance(facts, dict):
            _hear(said, facts)
    return said


def _hear(said: Said, facts: dict[str, Any]) -> None:
    if "step" in facts:
        said.steps[facts["step"]] = facts
    elif "adapter" in facts:
        said.adapters[facts["adapter"]] = facts["number"]
    elif "linux" in facts:
        said.linux = facts["linux"]
    elif "error" in facts:
        said.ended = facts["error"]
    elif "done" in facts:
        said.ended = ""


def json_lines(facts: Facts) -> list[dict[str, Any]]:
    """The JSON objects in a step's output, one a line."""
    return [value for line in facts["out"].splitlines() if isinstance(value := _json(line), dict)]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
