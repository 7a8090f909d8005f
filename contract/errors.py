"""The errors a person may see: each says the thing, what was found, what was expected and what to do next.

The command line catches :class:`DeseptrError` once, prints its one line and exits with code 2. Anything else that
escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class DeseptrError(Exception):
    """Base of all expected failures.

    Args:
        thing: what the message is about, a path or a named part.
        found: what was seen there.
        expected: what should have been there.
        next_step: what the reader can do about it.
    """

    exit_code = 2

    def __init__(self, thing: object, *, found: object, expected: object, next_step: str) -> None:
        self.thing = str(thing)
        self.found = str(found)
        self.expected = str(expected)
        self.next_step = next_step
        super().__init__(self.thing, self.found, self.expected, self.next_step)

    def __str__(self) -> str:
        line = f"{self.thing}: found {self.found}, expected {self.expected}; {self.next_step}"
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(line.split()))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.thing, self.found, self.expected, self.next_step))


def _rebuild(cls: type[DeseptrError], thing: str, found: str, expected: str, next_step: str) -> DeseptrError:
    return cls(thing, found=found, expected=expected, next_step=next_step)


class DataError(DeseptrError):
    """A recording, a file of recordings or a choice of subjects cannot be used."""


class ModelError(DeseptrError):
    """A checkpoint, a ``.tflite`` file or its contract cannot be used."""


class ConversionError(DeseptrError):
    """A converted graph does not keep what the converter promises."""


class SensorError(DeseptrError):
    """The bus or the chip on it does not do what the datasheet says."""


class SetupError(DeseptrError):
    """This installation or these settings lack something the command needs."""


class CancelledError(DeseptrError):
    """A progress callback asked for an end; what was finished before is kept."""
