"""Intervals below each other with a line at zero, as SVG text with the standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .colours import ACCENT
from .plain_figures import GREY, GRID, WIDTH, plain_line, plain_svg, plain_text, text_width

_ROW = 22
_TOP = 8


class Spread(NamedTuple):
    """A figure with its interval; None where there is no interval."""

    name: str
    value: float
    low: float | None
    high: float | None


def interval_figure(spreads: Sequence[Spread], xlabel: str) -> str:
    """A point for each figure and a line for its interval, in one column of names, with a line at zero.

    Args:
        spreads: at least one.
        xlabel: meaning of the values.
    """
    left = 16 + max(text_width(each.name) for each in spreads)
    right = 20 + max(text_width(_sign(each.value)) for each in spreads)
    bounds = [bound for each in spreads for bound in (each.value, each.low, each.high) if bound is not None]
    low, high = min(0.0, *bounds), max(0.0, *bounds)
    scale = (WIDTH - left - right) / ((high - low) or 1.0)
    bottom = _TOP + _ROW * len(spreads)
    zero = left + (0 - low) * scale
    parts = [plain_line(zero, _TOP, zero, bottom, GREY, dashed=True)]
    for number, each in enumerate(spreads):
        y = _TOP + _ROW * number + _ROW / 2
        x = left + (each.value - low) * scale
        parts += [plain_text(left - 8, y + 4, each.name, "end"), plain_line(left, y, WIDTH - right, y, GRID)]
        if each.low is not None and each.high is not None:
            ends = [left + (bound - low) * scale for bound in (each.low, each.high)]
            parts.append(plain_line(ends[0], y, ends[1], y, ACCENT))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{ACCENT}"/>')
        parts.append(plain_text(WIDTH - right + 8, y + 4, _sign(each.value)))
    parts.append(plain_text(zero, bottom + 14, "0", "middle"))
    for bound, anchor in ((low, "start"), (high, "end")):
        x = left + (bound - low) * scale
        # Beside the zero there is room for nothing else.
        if abs(x - zero) > 1.5 * text_width(_sign(bound)):
            parts.append(plain_text(x, bottom + 14, _sign(bound), anchor))
    parts.append(plain_text(WIDTH - right, bottom + 30, xlabel, "end", GREY))
    return plain_svg(bottom + 38, parts)


def _sign(value: float) -> str:
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")
