"""Parts of a section as HTML, except tables and figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files


@dataclass(frozen=True)
class Block:
    """A part of a section.

    Args:
        content: its HTML.
        script: JavaScript that it needs; a page has each script once.
        style: rules of its own, beside those of all pages; a page has each style once.
    """

    content: str
    script: str = ""
    style: str = ""


def paragraph(text: str) -> Block:
    """A paragraph of plain text."""
    return Block(f"<p>{escape(text)}</p>")


def markup(text: str, script: str = "") -> Block:
    """HTML as it is, and a script that it needs; whoever passes them has escaped what others wrote."""
    return Block(text, script)


def verdict(text: str, good: bool) -> Block:
    """A highlighted paragraph with the outcome."""
    return Block(f'<p class="verdict {"good" if good else "bad"}">{escape(text)}</p>')


def heading(text: str) -> Block:
    """A heading within a section."""
    return Block(f"<h3>{escape(text)}</h3>")


def unfolding(summary: str, content: str) -> Block:
    """HTML as it is behind a line that unfolds it; open on paper."""
    script = files(__package__).joinpath("unfold.js").read_text()
    return Block(f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>", script)


def slug(text: str) -> str:
    """A text as an anchor and as a file's name: small Latin letters, digits and hyphens.

    >>> slug("F1 of each class, ada’s µs")
    'f1-of-each-class-ada-s-s'
    """
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
