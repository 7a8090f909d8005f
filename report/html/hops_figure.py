"""The figure of what a hop does to the label's delay and to its false changes, drawn by matplotlib as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .figures import STUDENT_COLOUR, TEACHER_COLOUR, draw_svg, named_legend

_COLOURS = (STUDENT_COLOUR, TEACHER_COLOUR, "#2e7d4f", "#8a96a3")


def hops_figure(rows: Sequence[Mapping[str, Any]], decisions: Mapping[str, str]) -> str:
    """Spurious changes an hour against the median delay, a line through the hops for each decision.

    Args:
        rows: of one model, as ``benchmarks/continuous.py`` writes them.
        decisions: up to four decisions of the rows, with their names in the legend.
    """

    def draw(axes: Any) -> None:
        lines = {}
        for colour, (decision, name) in zip(_COLOURS, decisions.items(), strict=False):
            own = sorted((row for row in rows if row["decision"] == decision), key=lambda row: -row["hop_s"])
            delays, changes = ([row[figure] for row in own] for figure in ("delay_s", "spurious_changes_per_hour"))
            places = [(delay["p50"]["value"], change["value"]) for delay, change in zip(delays, changes, strict=True)]
            (lines[name],) = axes.plot(*zip(*places, strict=True), "o-", ms=4, lw=1.2, color=colour)
            for row, (delay_s, spurious), delay, change in zip(own, places, delays, changes, strict=True):
                axes.hlines(spurious, delay["p50"]["low"], delay["p50"]["high"], color=colour, lw=1, alpha=0.4)
                axes.vlines(delay_s, change["low"], change["high"], color=colour, lw=1, alpha=0.4)
                axes.annotate(
                    f"{row['hop_s']:g} s", (delay_s, spurious), (4, 4), textcoords="offset points", size=7, color=colour
                )
        axes.set(xlabel="median delay of the label, s", ylabel="spurious changes an hour", ylim=(0, None))
        axes.grid(alpha=0.25, lw=0.5)
        named_legend(axes, lines, loc="upper left", bbox_to_anchor=(1, 1))

    return draw_svg(draw, (8.2, 4.0))
