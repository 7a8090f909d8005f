"""Answers of people to alarms, from whatever thread an input has: a button, a broker, a program."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import NamedTuple


class Answer(NamedTuple):
    """An answer.

    Args:
        by: who or what answered, as ``button`` or ``mqtt``.
        label: the event's class; None for all.
    """

    by: str
    label: str | None = None


class Answers:
    """A queue of answers that any thread may fill."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Answer] = SimpleQueue()

    def post(self, by: str, label: str | None = None) -> None:
        """Leave an answer."""
        self._waiting.put(Answer(by, label))

    def take(self) -> list[Answer]:
        """The answers since the last call, in order."""
        taken: list[Answer] = []
        while True:
            try:
                taken.append(self._waiting.get_nowait())
            except Empty:
                return taken
