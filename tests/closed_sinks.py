"""Sinks that a test closes itself, or leaves to its fixture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def close(sink: Any) -> None:
    """Close a sink, and remember it."""
    sink.close()
    sink.closed_by_test = True


def close_rest(sinks: Iterable[Any]) -> None:
    """Close the sinks that no test has closed."""
    for sink in sinks:
        if not getattr(sink, "closed_by_test", False):
            sink.close()
