"""A page of sections, which begins with its answer and with what speaks against it.

It uses only the standard library, since a Raspberry Pi in use makes pages, too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from .blocks import Block, slug

_FEW_SECTIONS = 2


@dataclass(frozen=True)
class Answer:
    """What a page says first.

    Args:
        text: the result in one sentence.
        against: what speaks against it, a sentence each.
    """

    text: str
    against: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A heading and the blocks under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Origin:
    """What made a page, for its footer.

    Args:
        command: the command line.
        version: of deseptr.
        when: the time, with its zone.
    """

    command: str
    version: str
    when: str


def render_page(
    title: str, answer: Answer, sections: Sequence[Section], *, note: str = "", origin: Origin | None = None
) -> str:
    """The page as HTML, which needs no other file.

    Args:
        title: name of the page.
        answer: what it says first.
        sections: its contents.
        note: how to read the page.
        origin: what made it.
    """
    anchors = list(_anchors(sections))
    blocks = [block for section in sections for block in section.blocks]
    scripts = _each_once(block.script for block in blocks)
    return _PAGE.format(
        title=escape(title),
        policy=_policy(scripts),
        style="".join([files(__package__).joinpath("style.css").read_text(), *_each_once(b.style for b in blocks)]),
        header=_header(answer, note),
        contents=_contents(sections, anchors) if len(sections) > _FEW_SECTIONS else "",
        sections="\n".join(map(_section, sections, anchors)),
        footer=_footer(origin) if origin else "",
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{header}
</header>
{contents}
<main>
{sections}
</main>
{footer}
{scripts}
</body>
</html>
"""

# First bytes of every page, which identify a page of this package.
PAGE_START = _PAGE.partition("{title}")[0].encode()


def _each_once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def _policy(scripts: Sequence[str]) -> str:
    """Nothing may be fetched, and no script runs but those of the page."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    of_scripts = "".join(f" 'sha256-{each}'" for each in hashes)
    allowed = f"; script-src{of_scripts}" if of_scripts else ""
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:{allowed}"


def _header(answer: Answer, note: str) -> str:
    parts = [f'<p class="answer">{escape(answer.text)}</p>']
    if answer.against:
        reasons = "".join(f"<li>{escape(each)}</li>" for each in answer.against)
        parts.append(f'<div class="against"><b>What speaks against it</b><ul>{reasons}</ul></div>')
    if note:
        parts.append(f'<p class="note">{escape(note)}</p>')
    return "\n".join(parts)


def _anchors(sections: Sequence[Section]) -> Iterator[str]:
    taken: set[str] = set()
    for section in sections:
        name = own = slug(section.title)
        number = 1
        while name in taken:
            number += 1
            name = f"{own}-{number}"
        taken.add(name)
        yield name


def _contents(sections: Sequence[Section], anchors: Sequence[str]) -> str:
    entries = "".join(
        f'<li><a href="#{anchor}">{escape(section.title)}</a></li>'
        for section, anchor in zip(sections, anchors, strict=True)
    )
    return f'<nav aria-label="Contents"><ul>{entries}</ul></nav>'


def _section(section: Section, anchor: str) -> str:
    blocks = "\n".join(block.content for block in section.blocks)
    title = escape(section.title)
    link = f'<a href="#{anchor}" aria-label="Link to {title}">#</a>'
    return (
        f'<section id="{anchor}">\n<div class="head"><h2>{title}</h2>{link}</div>\n'
        f'<div class="row">\n{blocks}\n</div>\n</section>'
    )


def _footer(origin: Origin) -> str:
    told = f"<code>{escape(origin.command)}</code>, deseptr {escape(origin.version)}, {escape(origin.when)}"
    return f"<footer>Made by {told}. This file needs no network.</footer>"
