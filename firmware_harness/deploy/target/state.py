"""The state of the releases on a board: one file, which changes by one atomic rename."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class State:
    """Content of `state.json`.

    Args:
        good: releases that passed their trial, the latest last.
        trial: the release on trial, if any.
        bad: why releases failed or were left, by name.
    """

    good: list[str] = field(default_factory=list)
    trial: str | None = None
    bad: dict[str, str] = field(default_factory=dict)


def read_state(path: Path) -> State:
    """Content of `state.json`; an empty state if the file is missing or damaged.

    What a later version adds to it is left out: its releases can be returned from.
    """
    try:
        content = json.loads(path.read_text())
        good, trial, bad = (content[name] for name in ("good", "trial", "bad"))
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return State()
    if not isinstance(good, list) or not isinstance(trial, (str, type(None))) or not isinstance(bad, dict):
        return State()
    return State(list(map(str, good)), trial, {str(name): str(why) for name, why in bad.items()})
