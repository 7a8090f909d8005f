"""Parsing the emulated machine's console, in which the guest's lines are among those of the kernel and the runtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deseptr.contract import parse_json
from deseptr.contract.limits import Limits

from .guest import MARK

_COUNT = Limits(1, 1 << 62, whole=True)


@dataclass(slots=True)
class Console:
    """The reports of the guest.

    Args:
        software: versions, by name.
        counts: instructions of each counted invocation, by the model's index.
        clock_ratio: time of a loop by the machine's clock, ns, over the number of its instructions.
        loading: index of the model that is being loaded; None before and after loading.
        error: the guest's exception, if it raised one.
        done: whether it finished its job.
        garbled: number of its lines that could not be read.
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
    """Parse a console, which may be incomplete; unreadable lines are counted and ignored."""
    console = Console()
    for line in text.splitlines():
        before, mark, message = line.partition(MARK)
        if not mark:
            console.last = before.strip() or console.last
            continue
        try:
            _accumulate(console, parse_json(message))
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            console.garbled += 1
    return console


def _accumulate(console: Console, facts: dict[str, Any]) -> None:
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
    if not isinstance(values, list) or not values or not all(map(_COUNT.allow, values)):
        raise ValueError(values)
    return values
