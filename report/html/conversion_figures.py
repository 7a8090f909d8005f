"""Figures of a conversion, drawn by matplotlib as SVG text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .figures import STUDENT_COLOUR, TEACHER_COLOUR, draw_svg, named_legend

_DARK, _GREY, _RED = "#1c2733", "#8a96a3", "#b3261e"
_MARK_TEXT: dict[str, Any] = {"ha": "center", "fontsize": 8, "color": _RED}
_ROW, _FRAME = 0.2, 0.6
_LABEL_SIZE = 7
# A layer that is better than the median by more than this factor only moves values, and would flatten the figure.
_TOP = 1.6


class Bar(NamedTuple):
    """A bar of :func:`bars_figure`: its name, its length, and the text after it."""

    name: str
    value: float
    text: str


def bars_figure(bars: Sequence[Bar], xlabel: str, width: float = 4.9) -> str:
    """Horizontal bars, the first on top, each with its name before it and its text after it."""

    def draw(axes: Any) -> None:
        places = range(len(bars))
        axes.barh(places, [bar.value for bar in bars], color=STUDENT_COLOUR, alpha=0.8, height=0.7)
        for place, bar in zip(places, bars, strict=True):
            axes.annotate(
                bar.text, (bar.value, place), (3, 0), textcoords="offset points", va="center", fontsize=_LABEL_SIZE
            )
        axes.set_yticks(places, [bar.name for bar in bars], fontsize=_LABEL_SIZE + 1)
        axes.set(xlabel=xlabel, ylim=(len(bars) - 0.4, -0.6))
        axes.set_xlim(0, 1.2 * max(bar.value for bar in bars) or 1)
        axes.tick_params(axis="y", length=0)

    return draw_svg(draw, (width, _FRAME + _ROW * len(bars)))


def pairs_figure(sides: Mapping[str, Mapping[str, float]], xlabel: str, ylabel: str) -> str:
    """Two bars for each key: scores within 0 and 1 of two things.

    Args:
        sides: the scores by key, for each of the two things by name.
        xlabel: meaning of the keys.
        ylabel: meaning of the scores.
    """
    # Subjects are usually numbers: 5 before 10.
    keys = sorted(next(iter(sides.values())), key=lambda key: (len(key), key))

    def draw(axes: Any) -> None:
        bars = {}
        for shift, colour, (name, scores) in zip((-0.2, 0.2), (_GREY, STUDENT_COLOUR), sides.items(), strict=True):
            places = [place + shift for place in range(len(keys))]
            bars[name] = axes.bar(places, [scores[key] for key in keys], color=colour, alpha=0.85, width=0.36)
        upright = len(keys) <= 24 and max(map(len, keys)) <= 3
        axes.set_xticks(range(len(keys)), keys, rotation=0 if upright else 90)
        axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1), xlim=(-0.6, len(keys) - 0.4))
        named_legend(axes, bars, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)

    return draw_svg(draw, (max(4.9, min(9.8, 0.35 * len(keys))), 2.6))


def cumulative_figure(measured: Sequence[float | None], own: Sequence[float | None], names: Mapping[int, str]) -> str:
    """Time up to each operation: as measured, and as the monotone steps whose heights are the operations' own times.

    Args:
        measured: cumulative times in µs; None if not measured.
        own: own time of each operation in µs; None if it is counted with a later one.
        names: labels for the steps of some operations, by their index.
    """
    places = range(1, len(measured) + 1)
    heights = np.cumsum([value or 0.0 for value in own])

    def draw(axes: Any) -> None:
        axes.bar(places, heights, color=STUDENT_COLOUR, alpha=0.12, width=1)
        axes.stairs([0, *heights], np.arange(-0.5, len(heights) + 1), color=STUDENT_COLOUR, baseline=None, lw=1.3)
        dots = [np.nan if value is None else value for value in measured]
        axes.plot(places, dots, "o", ms=2.5, color=_DARK, label="median of the graph up to it")
        for index, name in names.items():
            height = own[index] or 0.0
            axes.vlines(index + 0.5, heights[index] - height, heights[index], color=TEACHER_COLOUR, lw=2.5)
            middle = (index + 0.5, heights[index] - height / 2)
            axes.annotate(name, middle, (4, 0), textcoords="offset points", va="center", fontsize=_LABEL_SIZE)
        axes.set(xlabel="operation, in order of execution", ylabel="µs", ylim=(0, None), xlim=(0, len(heights) + 1))
        axes.legend(loc="upper left", frameon=False)

    return draw_svg(draw, (9.8, 3.2))


def sqnr_figure(accumulated: Sequence[float], own: Sequence[float | None], marked: Collection[int]) -> str:
    """SQNR of each layer in order of execution, accumulated and its own, in dB.

    Args:
        accumulated: SQNR with the errors of all earlier layers.
        own: SQNR of the layer alone; None if unknown.
        marked: indices of the layers to mark.
    """
    places = range(1, len(accumulated) + 1)
    alone = [np.nan if value is None else value for value in own]
    known = [value for value in (*accumulated, *alone) if np.isfinite(value)] or [60.0]
    usual = np.median([value for value in alone if np.isfinite(value)] or known)
    bounds = min(*known, 20.0) - 4, max(min(max(known), _TOP * float(usual)), 30.0) + 2

    def draw(axes: Any) -> None:
        axes.vlines(places, accumulated, alone, color=_GREY, lw=0.7, alpha=0.6)
        axes.plot(places, accumulated, "o-", ms=3, lw=1, color=STUDENT_COLOUR, label="accumulated")
        axes.plot(places, alone, "D", ms=3, color=TEACHER_COLOUR, label="its own")
        for index in marked:
            value = accumulated[index] if own[index] is None else own[index]
            axes.plot(index + 1, value, "o", ms=10, mfc="none", mec=_RED, mew=1.2)
            axes.annotate(f"{index + 1}", (index + 1, value), (0, 7), textcoords="offset points", **_MARK_TEXT)
        axes.set(xlabel="layer, in order of execution", ylabel="SQNR, dB", xlim=(0, len(accumulated) + 1))
        axes.set_ylim(*bounds)
        axes.grid(axis="y", alpha=0.25, lw=0.5)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)

    return draw_svg(draw, (9.8, 3.4))
