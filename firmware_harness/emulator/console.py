"""Reading the emulated machine's console, where the guest's lines stand among those of the kernel and the runtime."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .guest import MARK


@dataclass(slots=True)
class Console:
    """What the guest said.

    Args:
        software: versions, by name.
        counts: instructions of each counted invocation, by the model's index.
        clock_ratio: what the clock made of a loop, over the instructions in it.
        loading: index of the model that was being loaded last; None before and after that.
        error: the guest's exception, if it had one.
        done: whether it came to its end.
        garbled: how many of its lines could not be read.
        last: the last line of the console that is not the guest's.
    """

    software: dict[str, str] = field(default_factory=dict)
    counts: dict[int, list[int]] = field(default_factory=dict)
    clock_ratio: float | None = None
    loading: int | None = None
    error: str | None = None
    done: bool = False
    garbled: int = 0
    last: str = ""


def parse_console(text: str) -> Console:
    """Read a console, whole or cut off anywhere; a line that cannot be read is counted and left out."""
    console = Console()
    for line in text.splitlines():
        before, mark, message = line.partition(MARK)
        if not mark:
            console.last = before.strip() or console.last
            continue
        try:
            _hear(console, json.loads(message))
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            console.garbled += 1
    return console


def _hear(console: Console, facts: dict[str, Any]) -> None:
    if "software" in facts:
        console.software = {str(name): str(value) for name, value in facts["software"].items()}
    elif "clock" in facts:
        console.clock_ratio = facts["clock"]["counted"] / facts["clock"]["executed"]
    elif "loading" in facts:
        console.loading = int(facts["loading"])
    elif "counting" in facts:
        console.loading = None
    elif "model" in facts:
        console.counts[int(facts["model"])] = _instructions(facts["instructions"])
    elif "error" in facts:
        console.error = str(facts["error"])
    else:
        console.done = bool(facts["done"])


def _instructions(values: Any) -> list[int]:
    if not isinstance(values, list) or not values or not all(isinstance(value, int) and value > 0 for value in values):
        raise ValueError(values)
    return values
