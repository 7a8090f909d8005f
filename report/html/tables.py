"""Tables of a page: text left, numbers right, folded if they are long, turned if they are wide, and to be saved."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .blocks import Block, slug, unfolding
from .csv_link import csv_link
from .number_columns import paddings

FOLDED_ROWS = 24
"""Tables with more rows are folded."""
TURNED_COLUMNS = 9
"""A table that may be turned is turned if it has more columns, and fewer rows than columns."""
_DENSE_COLUMNS = 10


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", *, turn: bool = False, fold: bool = True
) -> Block:
    """A table of plain text, whose first column names the rows.

    Args:
        head: names of the columns.
        rows: cells.
        caption: what the table shows.
        turn: whether the columns are alike, such as one for each class, so that many of them may become rows.
        fold: whether many rows may be folded.
    """
    shown = _turned(head, rows) if turn and len(head) > TURNED_COLUMNS and len(rows) < len(head) - 1 else (head, rows)
    name = caption or ", ".join(each for each in head[:3] if each)
    drawn = _table(*shown, caption)
    dense = " dense" if len(shown[0]) > _DENSE_COLUMNS else ""
    link = csv_link(slug(name)[:60].strip("-"), head, rows)
    scrolled = f'<div class="scroll{dense}" role="region" tabindex="0" aria-label="{escape(name)}">\n{drawn}\n</div>'
    if fold and len(shown[1]) > FOLDED_ROWS:
        return unfolding(f"{name}: {len(shown[1])} rows", f"{scrolled}\n{link}")
    return Block(f'<div class="table">\n{scrolled}\n{link}\n</div>')


def facts(rows: Sequence[Sequence[str]]) -> Block:
    """Names and their values, without a header."""
    body = "\n".join(_row(row, [None] * len(row)) for row in rows)
    return Block(f'<div class="table facts">\n<table>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>')


def _turned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    first, *columns = zip(*(head, *rows), strict=True)
    return list(first), [list(column) for column in columns]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    columns = [paddings(column) for column in zip(*rows, strict=True)] or [None] * len(head)
    names = "".join(_name(cell, pads is not None) for cell, pads in zip(head, columns, strict=True))
    body = "\n".join(
        _row(row, [None if pads is None else pads[number] for pads in columns]) for number, row in enumerate(rows)
    )
    told = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    return f"<table>\n{told}<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _name(cell: str, number: bool) -> str:
    # An empty header would name nothing to a screen reader.
    kind = ' class="n"' if number else ""
    return f'<th scope="col"{kind}>{escape(cell)}</th>' if cell else f"<td{kind}></td>"


def _row(row: Sequence[str], pads: Sequence[str | None]) -> str:
    first, *others = zip(row, pads, strict=True)
    return f"<tr>{_cell(*first, 'th')}{''.join(_cell(*each, 'td') for each in others)}</tr>"


def _cell(text: str, pad: str | None, tag: str) -> str:
    number = "" if pad is None else ' class="n"'
    room = f' data-pad="{escape(pad)}"' if pad else ""
    scope = ' scope="row"' if tag == "th" else ""
    return f"<{tag}{scope}{number}{room}>{escape(text)}</{tag}>"
