"""A page of sections, each made of paragraphs, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from deseptr.contract import SetupError


@dataclass(frozen=True)
class Block:
    """A piece of a section: ``kind`` chooses how the template shows ``content``."""

    kind: str
    content: Any
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


def paragraph(text: str) -> Block:
    """A paragraph of plain text."""
    return Block("paragraph", text)


def verdict(text: str, good: bool) -> Block:
    """A paragraph that says how it went, which stands out."""
    return Block("verdict good" if good else "verdict bad", text)


def heading(text: str) -> Block:
    """A heading within a section."""
    return Block("heading", text)


def wide_table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Block:
    """A table as :func:`table`'s with a line to itself, in smaller type, which scrolls where it does not fit."""
    return Block("wide table", (list(head), [list(row) for row in rows]), caption)


def facts(rows: Sequence[Sequence[str]]) -> Block:
    """A table of names and what they stand for, without a header."""
    return Block("facts", ([], [list(row) for row in rows]))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Block:
    """A table of plain text; the first column names the rows."""
    return Block("table", (list(head), [list(row) for row in rows]), caption)


def figure(svg: str, caption: str) -> Block:
    """An SVG picture of ours with its caption."""
    return Block("figure", svg, caption)


def render_page(title: str, lead: str, sections: Sequence[Section], width_rem: int = 62) -> str:
    """The page as HTML.

    Args:
        title: heading of the page.
        lead: what it is, in a sentence.
        sections: its contents.
        width_rem: width at most, in the root font's size.

    Raises:
        SetupError: if jinja2 is not installed.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise SetupError(
            "the HTML report", found="no jinja2", expected="it installed", next_step="pip install 'deseptr[train]'"
        ) from error
    source = files(__package__).joinpath("page.html.j2").read_text()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(source).render(title=title, lead=lead, sections=sections, width_rem=width_rem)
