"""The one error of this side, as it travels back to the workstation: the four parts of a one-line message."""

from __future__ import annotations


class RefusedError(Exception):
    """Something is not done, and what was there before still stands.

    Args:
        thing: what the message is about.
        found: what was seen there.
        expected: what should have been there.
        next_step: what the reader can do about it.
    """

    def __init__(self, thing: object, *, found: object, expected: object, next_step: str) -> None:
        self.thing = str(thing)
        self.found = str(found)
        self.expected = str(expected)
        self.next_step = next_step
        super().__init__(self.thing, self.found, self.expected, self.next_step)

    def __str__(self) -> str:
        return f"{self.thing}: found {self.found}, expected {self.expected}; {self.next_step}"

    def to_dict(self) -> dict[str, str]:
        """The parts, for JSON."""
        return {"thing": self.thing, "found": self.found, "expected": self.expected, "next_step": self.next_step}
