"""Errors for users: each message names the subject, what was found, what was expected and what to do next.

The command line catches :class:`DeseptrError` in one place, prints the message in one line and exits with code 2. Any
other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from .visible_text import visible

# Of each of an error's four parts: a path or a list of names fits, the content of a broken file does not.
LONGEST = 500


class DeseptrError(Exception):
    """Base class of all expected failures.

    Args:
        thing: subject of the message, a path or a named part.
        found: what was found there.
        expected: what was expected there.
        next_step: what the user can do about it.

    >>> print(DeseptrError("run.csv", found="no column t", expected="a time column", next_step="add the column"))
    run.csv: found no column t, expected a time column; add the column
    """

    exit_code = 2

    def __init__(self, thing: object, *, found: object, expected: object, next_step: str) -> None:
        self.thing = brief(thing)
        self.found = brief(found)
        self.expected = brief(expected)
        self.next_step = brief(next_step)
        super().__init__(self.thing, self.found, self.expected, self.next_step)

    def __str__(self) -> str:
        line = f"{self.thing}: found {self.found}, expected {self.expected}; {self.next_step}"
        return visible(" ".join(line.split()))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.thing, self.found, self.expected, self.next_step))


def _rebuild(cls: type[DeseptrError], thing: str, found: str, expected: str, next_step: str) -> DeseptrError:
    return cls(thing, found=found, expected=expected, next_step=next_step)


def brief(value: object, longest: int = LONGEST) -> str:
    """A value as text of bounded length; what is left out of a longer one is replaced by an ellipsis.

    >>> brief("walking" * 3, longest=12)
    'walkin…lking'
    """
    try:
        text = str(value)
    except (RecursionError, ValueError):  # ValueError: an integer of more digits than Python prints
        text = f"a {type(value).__name__} that cannot be printed"
    kept = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[: longest - 1 - kept]}…{text[-kept:]}"


class DataError(DeseptrError):
    """A recording, a file of recordings or a choice of subjects cannot be used."""


class ModelError(DeseptrError):
    """A checkpoint, a ``.tflite`` file or its contract cannot be used."""


class ConversionError(DeseptrError):
    """A converted graph violates a rule of its mode or target, or is not the same model."""


class SensorError(DeseptrError):
    """The bus or the chip on it violates its datasheet."""


class SetupError(DeseptrError):
    """The installation or the settings lack something that the command needs."""


class CancelledError(DeseptrError):
    """A progress callback asked for an end; what was finished before is kept."""
