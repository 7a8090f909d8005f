"""Markdown tables and the figures in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NONE = "–"
ENOUGH_PEOPLE = 5
_FEW = "†"
FEW_PEOPLE = f"{_FEW} An interval over fewer than five people says next to nothing: others may be unlike all of them."


def markdown_table(header: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table.

    >>> markdown_table(["model", "macro-F1"], [["vit", "0.912"]])
    ['| model | macro-F1 |', '| --- | --- |', '| vit | 0.912 |']
    """
    return [_row(header), _row(["---"] * len(header)), *map(_row, body)]


def figure(value: float | None, form: str = ".3f") -> str:
    """A figure as the text of a cell; a dash for None."""
    return NONE if value is None else f"{value:{form}}"


def interval_of_people(text: str, people: int) -> str:
    """An interval over people as the text of a cell, marked if they are too few for it to say much.

    >>> interval_of_people("0.9 to 1.0", people=4)
    '0.9 to 1.0 †'
    """
    return text if text == NONE or people >= ENOUGH_PEOPLE else f"{text} {_FEW}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
