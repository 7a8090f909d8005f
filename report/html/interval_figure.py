"""Intervals below each other with a line at zero, as SVG text with the standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .colours import ACCENT
from .plain_figures import GREY, GRID, PHONE_WIDTH, lines_above, plain_line, plain_svg, plain_text, text_width

_LEFT = 4
_INTERVAL = 22
_HALF = 8


class Spread(NamedTuple):
    """A figure with its interval; None where there is no interval."""

    name: str
    value: float
    low: float | None
    high: float | None


def interval_figure(spreads: Sequence[Spread], xlabel: str) -> str:
    """A name for each figure, in as many lines as it needs, and below it a point and a line for its interval.

    All is as wide as a phone, where names beside the intervals would leave these no room.

    Args:
        spreads: at least one.
        xlabel: meaning of the values.
    """
    end = PHONE_WIDTH - 12 - max(text_width(_sign(each.value)) for each in spreads)
    bounds = [bound for each in spreads for bound in (each.value, each.low, each.high) if bound is not None]
    low, high = min(0.0, *bounds), max(0.0, *bounds)
    scale = (end - _LEFT) / ((high - low) or 1.0)

    def x_of(value: float) -> float:
        return _LEFT + (value - low) * scale

    parts: list[str] = []
    bottom, zero = 0.0, x_of(0)
    for each in spreads:
        lines, height = lines_above(each.name, bottom)
        parts += lines
        bottom += height
        y = bottom + _INTERVAL / 2
        parts.append(plain_line(_LEFT, y, end, y, GRID))
        parts.append(plain_line(zero, y - _HALF, zero, y + _HALF, GREY, dashed=True))
        if each.low is not None and each.high is not None:
            parts.append(plain_line(x_of(each.low), y, x_of(each.high), y, ACCENT))
        parts.append(f'<circle cx="{x_of(each.value):.1f}" cy="{y:.1f}" r="3.5" fill="{ACCENT}"/>')
        parts.append(plain_text(end + 8, y + 4, _sign(each.value)))
        bottom += _INTERVAL
    parts.append(plain_text(zero, bottom + 14, "0", "middle"))
    for bound, anchor in ((low, "start"), (high, "end")):
        # Beside the zero there is room for nothing else.
        if abs(x_of(bound) - zero) > 1.5 * text_width(_sign(bound)):
            parts.append(plain_text(x_of(bound), bottom + 14, _sign(bound), anchor))
    parts.append(plain_text(end, bottom + 30, xlabel, "end", GREY))
    return plain_svg(bottom + 38, parts, PHONE_WIDTH)


def _sign(value: float) -> str:
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")
