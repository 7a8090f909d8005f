"""The figure of a curve of few labels, drawn by matplotlib as SVG text."""

from __future__ import annotations

from typing import Any

from .figures import STUDENT_COLOUR, TEACHER_COLOUR, draw_svg, named_legend

_COLOURS = {
    "cnn-har": TEACHER_COLOUR,
    "random-forest": "#8a96a3",
    "alone": "#8fb8de",
    "taught": STUDENT_COLOUR,
    "self-trained": "#2e7d4f",
}
_APART = 0.06


def curve_figure(summary: dict[str, Any]) -> str:
    """Macro-F1 with its interval against the number of labelled wearers, a line for each arm.

    Args:
        summary: content of ``curve.json``.
    """
    labelled = list(dict.fromkeys(point["labelled"] for point in summary["points"]))
    arms = [arm for arm in summary["arms"] if any(point["arm"] == arm for point in summary["points"])]

    def draw(axes: Any) -> None:
        lines = {}
        for number, arm in enumerate(arms):
            points = [point for point in summary["points"] if point["arm"] == arm]
            beside = (number - (len(arms) - 1) / 2) * _APART
            places = [labelled.index(point["labelled"]) + beside for point in points]
            means = [point["macro_f1"]["mean"] for point in points]
            (lines[summary["arms"][arm]],) = axes.plot(places, means, "o-", ms=4, lw=1.5, color=_COLOURS[arm])
            for place, point in zip(places, points, strict=True):
                if interval := point["macro_f1"]["interval"]:
                    axes.vlines(place, interval["low"], interval["high"], color=_COLOURS[arm], lw=1, alpha=0.6)
        wearers = {point["labelled"]: point["wearers"] for point in summary["points"]}
        names = [f"all ({wearers[count]:g})" if count == "all" else str(count) for count in labelled]
        axes.set_xticks(range(len(labelled)), names)
        axes.set(xlabel="labelled wearers", ylabel="macro-F1 on other wearers")
        axes.grid(axis="y", alpha=0.25, lw=0.5)
        named_legend(axes, lines, loc="upper left", bbox_to_anchor=(1, 1))

    return draw_svg(draw, (8.2, 4.0))
