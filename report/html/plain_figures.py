"""Figures as SVG text with the standard library only, for pages made on the device, which has no matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import log
from textwrap import wrap

from .colours import ACCENT, class_colour

DARK, GREY, GRID = "#1c2733", "#51606f", "#e6ebf0"
WIDTH = 640
PHONE_WIDTH = 360
# Maximal width of a letter, for capitals: without a font, text cannot be measured.
_CHAR = 7.4
_ROW = 24
_LEGEND = 22
_LINE = 14
# Bars have room beside the names of any length.
_WIDEST_NAMES = 0.6 * WIDTH
# Letters of the longest name that stands beside its bar; longer ones stand above.
_LONGEST_BESIDE = 16
# A bar that is this many times lower than the tallest can hardly be seen: heights are logarithmic then.
_UNSEEN = 50


def plain_histogram(edges: Sequence[float], counts: Sequence[int], marks: Mapping[str, float], xlabel: str) -> str:
    """A histogram with vertical lines at some values.

    The axis of the values is logarithmic if the bins grow, that of the counts if the lowest could not be seen.

    Args:
        edges: edges of the bins, ascending, with equal differences or equal ratios; one more than counts.
        counts: count of each bin.
        marks: values to mark, by name; values beyond the edges are marked at the edge, with an arrow.
        xlabel: meaning of the values, with unit.
    """
    left, top, height = 40, 30, 150
    low, high, grows = edges[0], edges[-1], _grow(edges)

    def x_of(value: float) -> float:
        inside = min(max(value, low), high)
        share = log(inside / low) / log(high / low) if grows else (inside - low) / (high - low)
        return left + share * (WIDTH - left - 20)

    tallest = max(counts) or 1
    steep = tallest >= _UNSEEN * min((count for count in counts if count), default=1)
    parts = []
    for start, end, count in zip(edges, edges[1:], counts, strict=False):
        tall = height * _height(count, tallest, steep)
        parts.append(_rect(x_of(start), top + height - tall, max(x_of(end) - x_of(start) - 1, 0.5), tall))
    for number, (name, value) in enumerate(marks.items()):
        x = x_of(value)
        label = f"{name} {_number(value)}" + (" →" if value > high else "")
        anchor = "end" if x > WIDTH * 0.8 else "start"
        y = top - 16 + 11 * (number % 2)
        parts.append(plain_line(x, y + 3, x, top + height, DARK, dashed=True))
        parts.append(plain_text(x + (-4 if anchor == "end" else 4), y, label, anchor))
    parts.append(plain_line(left, top + height, WIDTH - 20, top + height))
    for count in (1, tallest) if steep else (tallest,):
        parts.append(plain_text(left - 4, top + 8 + height * (1 - _height(count, tallest, steep)), f"{count:,}", "end"))
    middle = (low * high) ** 0.5 if grows else (low + high) / 2
    for value, anchor in ((low, "start"), (middle, "middle"), (high, "end")):
        parts.append(plain_text(x_of(value), top + height + 16, _number(value), anchor))
    of_axes = " and ".join(name for name, is_so in (("values", grows), ("counts", steep)) if is_so)
    told = f"{xlabel}; logarithmic {of_axes}" if of_axes else xlabel
    parts.append(plain_text((left + WIDTH) / 2, top + height + 34, told, "middle", GREY))
    return plain_svg(top + height + 42, parts)


def _grow(edges: Sequence[float]) -> bool:
    return edges[0] > 0 and edges[-1] - edges[-2] > 2 * (edges[1] - edges[0])


def _height(count: int, tallest: int, steep: bool) -> float:
    """Share of the tallest bar's height; a logarithmic axis begins at a half."""
    if not steep:
        return count / tallest
    return log(2 * count) / log(2 * tallest) if count else 0.0


def plain_stack(rows: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Stacked horizontal bars, one per row, with a legend.

    Args:
        rows: the parts by name, for each row by name; all rows have the same parts.
        unit: unit of the parts.
    """
    names = list(next(iter(rows.values())))
    left = _room_of(rows)
    whole = max(sum(parts.values()) for parts in rows.values()) or 1.0
    scale = (WIDTH - left - 90) / whole
    drawn, legend = _legend(names, left)
    for number, (row, parts) in enumerate(rows.items()):
        y, x = legend + _ROW * number, left
        drawn.append(_name(row, left, y + 14))
        for colour, value in zip(_colours(len(names)), parts.values(), strict=True):
            drawn.append(_rect(x, y + 3, value * scale, _ROW - 8, colour))
            x += value * scale
        drawn.append(plain_text(x + 5, y + 14, f"{_number(sum(parts.values()))} {unit}"))
    return plain_svg(legend + _ROW * len(rows) + 4, drawn)


def _legend(names: Sequence[str], left: float) -> tuple[list[str], int]:
    """Names beside their colours, in as many rows as they need, and the height of these."""
    drawn: list[str] = []
    x, y = left, 0
    for colour, name in zip(_colours(len(names)), names, strict=True):
        if x > left and x + 14 + _CHAR * len(name) > WIDTH:
            x, y = left, y + _LEGEND
        drawn += [_rect(x, y + 4, 10, 10, colour), plain_text(x + 14, y + 13, name)]
        x += 30 + _CHAR * len(name)
    return drawn, y + _LEGEND


def plain_bars(bars: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars from zero, the first on top: name, length, and the text after it.

    They are as wide as a phone; names that are too long to stand beside them go above, in as many lines as they need.
    """
    longest = max(len(name) for name, _, _ in bars)
    beside = longest <= _LONGEST_BESIDE
    left = 12 + _CHAR * longest if beside else 0.0
    right = 12 + _CHAR * max(len(text) for _, _, text in bars)
    largest = max(value for _, value, _ in bars) or 1.0
    drawn, y = [], 0
    for name, value, text in bars:
        if beside:
            drawn.append(plain_text(left - 6, y + 15, name, "end"))
        else:
            lines, height = lines_above(name, y)
            drawn += lines
            y += height
        length = (PHONE_WIDTH - left - right) * value / largest
        drawn += [_rect(left, y + 4, length, _ROW - 8), plain_text(left + length + 5, y + 15, text)]
        y += _ROW
    return plain_svg(y + 4, drawn, PHONE_WIDTH)


def _room_of(names: Iterable[str]) -> float:
    return min(12 + _CHAR * max(map(len, names)), _WIDEST_NAMES)


def _name(name: str, left: float, y: float) -> str:
    """The name of a bar that begins at ``left``; of one that is too long the beginning, and all of it as its title."""
    letters = int((left - 12) / _CHAR + 0.5)
    if len(name) <= letters:
        return plain_text(left - 6, y, name, "end")
    return f"<g><title>{escape(name)}</title>{plain_text(left - 6, y, f'{name[: letters - 1]}…', 'end')}</g>"


def _colours(count: int) -> list[str]:
    return [class_colour(number) for number in range(count)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def text_width(text: str) -> float:
    """Width that a text may have at most."""
    return _CHAR * len(text)


def lines_above(name: str, y: float) -> tuple[list[str], int]:
    """A name as lines of :data:`PHONE_WIDTH` from ``y`` down, and their height."""
    lines = wrap(name, int(PHONE_WIDTH / _CHAR), break_on_hyphens=False)
    return [plain_text(0, y + _LINE * (number + 1) - 2, line) for number, line in enumerate(lines)], _LINE * len(lines)


def plain_svg(height: float, parts: Sequence[str], width: int = WIDTH) -> str:
    """The parts of a figure as SVG."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}" font-family="system-ui, sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, colour: str = ACCENT) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def plain_line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID, *, dashed: bool = False) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'


def plain_text(x: float, y: float, text: str, anchor: str = "start", colour: str = DARK) -> str:
    """A text at its baseline; ``anchor`` tells which part of it is at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
