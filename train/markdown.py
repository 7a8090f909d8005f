"""Tables of Markdown pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [_row(header), _row(["---"] * len(header)), *map(_row, body)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
