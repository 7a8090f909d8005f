"""The error of the board's side, with the four parts of a one-line message, which are sent to the workstation."""

from __future__ import annotations

_LONGEST = 400


def quoted(text: str) -> str:
    """A stranger's text as a refusal quotes it: of bounded length, and with nothing that a terminal obeys."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:_LONGEST])


class RefusedError(Exception):
    """An operation was refused, and the previous state is unchanged.

    Args:
        thing: the subject of the message.
        found: the observed value.
        expected: the expected value.
        next_step: a remedy for the reader to try.
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
        """The four parts, as plain JSON values."""
        return {"thing": self.thing, "found": self.found, "expected": self.expected, "next_step": self.next_step}
