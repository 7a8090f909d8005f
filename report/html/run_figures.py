"""Figures of a comparison of models, drawn by matplotlib as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .figures import STUDENT_COLOUR, TEACHER_COLOUR, draw_svg

_GREY = "#8a96a3"
_LABEL_SIZE = 8
_ROOM = 0.02
# Possible places of a label beside its point, the best first: offset in points, and alignment of the text.
_PLACES = [
    (7 * side, rise, "left" if side > 0 else "right")
    for rise in (0, 9, -9, 18, -18, 27, -27, 36, -36, 45, -45)
    for side in (1, -1)
]


class Point(NamedTuple):
    """A model in :func:`scatter_figure`: cost, macro-F1 and, if known, its interval."""

    label: str
    cost: float
    macro_f1: float
    interval: tuple[float, float] | None
    teacher: bool = False


def scatter_figure(points: Sequence[Point], xlabel: str) -> str:
    """Macro-F1 with its interval against a cost on a logarithmic axis; each point has a label."""
    from matplotlib.ticker import EngFormatter, NullFormatter

    def draw(axes: Any) -> None:
        for point in points:
            colour = TEACHER_COLOUR if point.teacher else STUDENT_COLOUR
            axes.vlines(point.cost, *_bounds(point), color=colour, lw=1, alpha=0.6)
            axes.plot(point.cost, point.macro_f1, "o", ms=5, color=colour)
        axes.set(xscale="log", xlabel=xlabel, ylabel="macro-F1")
        axes.set_xlim(min(point.cost for point in points) / 6, max(point.cost for point in points) * 6)
        axes.xaxis.set_major_formatter(EngFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        lows, highs = zip(*(_bounds(point) for point in points), strict=True)
        axes.set_ylim(max(0, min(lows) - _ROOM), max(highs) + _ROOM)
        axes.grid(alpha=0.25, lw=0.5)
        _place_labels(axes, points)

    return draw_svg(draw, (4.9, 3.6))


def subjects_figure(scores: Mapping[str, float | None]) -> str:
    """A bar for the macro-F1 of each subject, and a line for their mean."""
    known = {name: score for name, score in scores.items() if score is not None}

    def draw(axes: Any) -> None:
        mean = sum(known.values()) / len(known)
        axes.bar(range(len(known)), list(known.values()), color=STUDENT_COLOUR, alpha=0.8, width=0.7)
        axes.axhline(mean, color="#1c2733", lw=1, ls="--")
        size = 8 if len(known) <= 24 else 6
        axes.set_xticks(range(len(known)), list(known), fontsize=size, rotation=90 if max(map(len, known)) > 3 else 0)
        axes.set(xlabel="subject", ylabel="macro-F1", ylim=(0, 1), xlim=(-0.6, len(known) - 0.4))

    return draw_svg(draw, (4.9, 2.2))


def reliability_figure(bins: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy against confidence, and the share of windows in each bin as bars."""
    filled = [(i, each) for i, each in enumerate(bins) if each["windows"]]
    windows = sum(each["windows"] for _, each in filled)

    def draw(axes: Any) -> None:
        shares = [each["windows"] / windows for _, each in filled]
        axes.bar([(i + 0.5) / len(bins) for i, _ in filled], shares, width=0.9 / len(bins), color=_GREY, alpha=0.35)
        axes.plot([0, 1], [0, 1], color=_GREY, lw=1, ls="--")
        confidence, accuracy = ([each[name] for _, each in filled] for name in ("confidence", "accuracy"))
        axes.plot(confidence, accuracy, "o-", ms=4, color=STUDENT_COLOUR)
        axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))

    return draw_svg(draw, (3.1, 2.8))


def learning_figure(histories: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """Validation macro-F1, if there were validation subjects, and training loss over the epochs.

    There is one line per fold and stage.

    Args:
        histories: history of each fold.
    """
    taught = any(row["stage"] == "teacher" for history in histories for row in history)
    stages = {"student": (STUDENT_COLOUR, "student" if taught else "model")}
    if taught:
        stages = {"teacher": (TEACHER_COLOUR, "teacher"), **stages}

    titles = {"val_macro_f1": "validation macro-F1", "loss": "loss"}
    rows_of_all = [row for history in histories for row in history]
    shown = [name for name in titles if any(name in row for row in rows_of_all)]

    def draw(drawn: Any) -> None:
        every = np.atleast_1d(drawn)
        for axes, name in zip(every, shown, strict=True):
            for fold, history in enumerate(histories):
                for stage, (colour, label) in stages.items():
                    rows = [row for row in history if row["stage"] == stage and name in row]
                    first = None if fold else label
                    alpha = 1 if len(histories) == 1 else 0.5
                    axes.plot(
                        [r["epoch"] for r in rows], [r[name] for r in rows], color=colour, label=first, alpha=alpha
                    )
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set(xlabel="epoch", ylabel=titles[name])
            axes.set_ylim(0, 1 if name == "val_macro_f1" else None)
        place = "lower right" if shown[0] == "val_macro_f1" else "upper right"
        every[0].legend(loc=place, frameon=False)

    return draw_svg(draw, (2.45 * len(shown), 2.3), columns=len(shown))


def _place_labels(axes: Any, points: Sequence[Point]) -> None:
    """Place each label where it hides no point, interval or label, as far as possible."""
    axes.figure.draw_without_rendering()
    taken = [_extent(axes, point) for point in points]
    for point in sorted(points, key=lambda each: -each.macro_f1):
        text = axes.annotate(
            point.label, _at(point), (0, 0), textcoords="offset points", va="center", fontsize=_LABEL_SIZE
        )
        x, y, _ = place = min(_PLACES, key=lambda each: _crowding(text, each, taken, axes))
        _move(text, place)
        taken.append(text.get_window_extent())
        if y:
            line = {"arrowstyle": "-", "lw": 0.5, "color": _GREY, "shrinkA": 0, "shrinkB": 2}
            axes.annotate("", _at(point), (x, y), textcoords="offset points", arrowprops=line)


def _crowding(text: Any, place: tuple[float, float, str], taken: Sequence[Any], axes: Any) -> int:
    """Number of things that a label would hide at a place; outside the axes counts as hiding all."""
    _move(text, place)
    box, frame = text.get_window_extent(), axes.get_window_extent()
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    return int(box.count_overlaps(taken)) + (0 if inside else len(taken))


def _move(text: Any, place: tuple[float, float, str]) -> None:
    x, y, side = place
    text.set(position=(x, y), ha=side)


def _at(point: Point) -> tuple[float, float]:
    return point.cost, point.macro_f1


def _bounds(point: Point) -> tuple[float, float]:
    """The interval, extended to include the point; the point alone if there is none."""
    low, high = point.interval or (point.macro_f1, point.macro_f1)
    return min(low, point.macro_f1), max(high, point.macro_f1)


def _extent(axes: Any, point: Point) -> Any:
    """Bounding box of a point and its interval on the canvas."""
    from matplotlib.transforms import Bbox

    corners = axes.transData.transform([(point.cost, bound) for bound in _bounds(point)])
    return Bbox(corners).padded(4)
