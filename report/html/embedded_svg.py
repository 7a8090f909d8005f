"""A figure within a page: in the page's colours, as wide as there is room, with its data to be saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from .blocks import Block, slug
from .csv_link import csv_link

# Colours of the figures, and the variables of the style sheet that take their places and follow the theme.
_THEME = {
    "#000000": "ink",
    "#1c2733": "ink",
    "#51606f": "grey",
    "#e6ebf0": "grid",
    "#ffffff": "paper",
    "#0b62a4": "accent",
    "#8a5a00": "second",
    "#8a96a3": "middle",
    "#b0b0b0": "middle",
    "#8fb8de": "pale",
    "#c9d1da": "faint",
    "#b6bec8": "faint",
    "#b3261e": "bad",
    "#2e7d4f": "good",
}
_COLOUR = re.compile("|".join(_THEME))
# What matplotlib writes beside the drawing: a description with addresses, and names of groups that nothing refers to.
_NEEDLESS = re.compile(r'<metadata>.*?</metadata>| id="[a-z0-9.]+_\d+"', re.DOTALL)
_POINTS_PER_INCH, _PIXELS_PER_INCH = 72, 96


def figure(svg: str, caption: str, data: tuple[Sequence[str], Sequence[Sequence[str]]] | None = None) -> Block:
    """A figure with its caption.

    Args:
        svg: the drawing; colours of its own follow the page's theme.
        caption: what it shows, as text.
        data: header and rows of a CSV file with what is drawn.
    """
    drawing = themed(_NEEDLESS.sub("", svg))
    drawing = drawing.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    link = f" {csv_link(slug(caption)[:60].strip('-'), *data)}" if data else ""
    return Block(
        f'<figure style="--natural: {_width_px(svg):.0f}px">'
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(caption)}">{drawing}</div>'
        f"<figcaption>{escape(caption)}{link}</figcaption></figure>"
    )


def themed(svg: str) -> str:
    """A drawing with the variables of the style sheet in place of the colours that depend on the theme.

    >>> themed('<path style="stroke: #1c2733"/>')
    '<path style="stroke: var(--ink)"/>'
    """
    return _COLOUR.sub(lambda found: f"var(--{_THEME[found[0]]})", svg)


def _width_px(svg: str) -> float:
    found = re.search(r'<svg[^>]*? width="([\d.]+)(pt)?"', svg)
    if found is None:
        raise ValueError("a figure needs a width")
    return float(found[1]) * (_PIXELS_PER_INCH / _POINTS_PER_INCH if found[2] else 1)
