"""A page of sections, each made of paragraphs, tables and figures.

It uses only the standard library, since a Raspberry Pi in use makes pages, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Block:
    """A part of a section: ``kind`` selects how :func:`render_page` shows ``content``."""

    kind: str
    content: Any
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and the blocks under it."""

    title: str
    blocks: Sequence[Block]


def paragraph(text: str) -> Block:
    """A paragraph of plain text."""
    return Block("paragraph", text)


def markup(text: str) -> Block:
    """HTML as it is; whoever passes it has escaped what others wrote."""
    return Block("markup", text)


def verdict(text: str, good: bool) -> Block:
    """A highlighted paragraph with the outcome."""
    return Block("verdict good" if good else "verdict bad", text)


def heading(text: str) -> Block:
    """A heading within a section."""
    return Block("heading", text)


def wide_table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Block:
    """A table as :func:`table`'s, on its own line, in smaller type, which scrolls if it does not fit."""
    return Block("wide table", (list(head), [list(row) for row in rows]), caption)


def facts(rows: Sequence[Sequence[str]]) -> Block:
    """A table of names and values, without a header."""
    return Block("facts", ([], [list(row) for row in rows]))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Block:
    """A table of plain text; the first column names the rows."""
    return Block("table", (list(head), [list(row) for row in rows]), caption)


def figure(svg: str, caption: str) -> Block:
    """An SVG figure with its caption."""
    return Block("figure", svg, caption)


def render_page(title: str, lead: str, sections: Sequence[Section], width_rem: int = 62) -> str:
    """The page as HTML.

    Args:
        title: heading of the page.
        lead: summary in one sentence.
        sections: its contents.
        width_rem: maximal width, in the root font's size.
    """
    style = files(__package__).joinpath("style.css").read_text()
    return _PAGE.format(
        title=escape(title),
        lead=escape(lead),
        style=style.replace("var(--width)", f"{width_rem}rem"),
        sections="\n".join(map(_section, sections)),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<h1>{title}</h1>
<p class="lead">{lead}</p>
{sections}
</body>
</html>
"""

# First bytes of every page, which identify a page of this package.
PAGE_START = _PAGE.partition("{title}")[0].encode()


def _section(section: Section) -> str:
    blocks = "\n".join(map(_block, section.blocks))
    return f'<section>\n<h2>{escape(section.title)}</h2>\n<div class="row">\n{blocks}\n</div>\n</section>'


def _block(block: Block) -> str:
    if block.kind == "markup":
        return str(block.content)
    if block.kind == "paragraph":
        return f"<p>{escape(block.content)}</p>"
    if block.kind.startswith("verdict"):
        return f'<p class="{block.kind}">{escape(block.content)}</p>'
    if block.kind == "figure":
        return f"<figure>{block.content}<figcaption>{escape(block.caption)}</figcaption></figure>"
    if block.kind == "heading":
        return f"<h3>{escape(block.content)}</h3>"
    return _table(block)


def _table(block: Block) -> str:
    head, rows = block.content
    caption = f"<caption>{escape(block.caption)}</caption>\n" if block.caption else ""
    header = f"<thead>{_row(head, 'th')}</thead>\n" if head else ""
    body = "\n".join(_row(row, "td") for row in rows)
    return f'<div class="{block.kind}">\n<table>\n{caption}{header}<tbody>\n{body}\n</tbody>\n</table>\n</div>'


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
