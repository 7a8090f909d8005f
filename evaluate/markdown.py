"""Markdown tables and the figures in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NONE = "–"


def markdown_table(header: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table.

    >>> markdown_table(["model", "macro-F1"], [["vit", "0.912"]])
    ['| model | macro-F1 |', '| --- | --- |', '| vit | 0.912 |']
    """
    return [_row(header), _row(["---"] * len(header)), *map(_row, body)]


def figure(value: float | None, form: str = ".3f") -> str:
    """A figure as the text of a cell; a dash for None."""
    return NONE if value is None else f"{value:{form}}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
