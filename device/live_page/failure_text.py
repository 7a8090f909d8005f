"""What the page says of a failure."""

from __future__ import annotations

from deseptr.contract import DeseptrError


def failure_text(error: Exception) -> str:
    """A failure in a line; of one that nobody has foreseen its kind, too."""
    return str(error) if isinstance(error, DeseptrError | OSError) else f"{type(error).__name__}: {error}".rstrip(": ")
