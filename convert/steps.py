"""What a job in the converter's process is doing, so that the message about a process that died can name it."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def begin(step: str) -> None:
    """Tell whoever listens what is done next; without effect in other processes than the converter's."""
    for listener in _listeners:
        listener(step)


def listen(listener: Callable[[str], None]) -> None:
    """Have a function called with each step that begins from now on."""
    _listeners.append(listener)
