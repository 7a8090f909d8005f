"""The page of a curve of few labels: the curve, the paired differences, and all figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deseptr.evaluate.curve.page import (
    READING,
    READING_DIFFERENCES,
    curve_table,
    difference_table,
    headline,
    point_table,
)

from . import html
from .html.curve_figure import curve_figure
from .html.interval_figure import Spread, interval_figure
from .score_sentences import bounds
from .study import study_against, study_facts


def curve_page(summary: dict[str, Any], origin: html.Origin | None = None) -> str:
    """The summary as a page that needs no network.

    Args:
        summary: content of ``curve.json``.
        origin: what made the page.
    """
    drawn = "Macro-F1 against the number of labelled wearers, with its 95 % interval."
    blocks = [html.figure(curve_figure(summary), drawn, point_table(summary)), html.table(*curve_table(summary))]
    sections = [html.Section("Curve", [*blocks, html.paragraph(READING)])]
    if summary["differences"]:
        differences = interval_figure([_spread(summary, each) for each in summary["differences"]], "macro-F1")
        told = (
            "Paired differences by the number of labelled wearers, with their 95 % intervals; left of the dashed line, "
            "the first is worse."
        )
        table = html.table(*difference_table(summary))
        sections.append(
            html.Section("Differences", [html.figure(differences, told), table, html.paragraph(READING_DIFFERENCES)])
        )
    sections += [
        html.Section("All figures", [html.table(*point_table(summary))]),
        html.Section("How it was made", [html.facts(_facts(summary))]),
    ]
    title = f"Few labels: {summary['config']['model']} on {summary['dataset']}"
    answer = html.Answer(curve_answer(summary), curve_against(summary))
    return html.render_page(title, answer, sections, note=f"{headline(summary)}.", origin=origin)


def curve_answer(summary: Mapping[str, Any]) -> str:
    """The arm of the highest macro-F1 with the fewest labelled wearers, and with the most."""
    counts = list(dict.fromkeys(point["labelled"] for point in summary["points"]))
    fewest = min(counts, key=_order)
    text = _best(summary, fewest)
    told = text if len(counts) == 1 else f"{text}; {_best(summary, max(counts, key=_order))}"
    return f"{told[0].upper()}{told[1:]}."


def curve_against(summary: Mapping[str, Any]) -> list[str]:
    """What the answer leaves out: trainings that are missing, single seeds, few wearers, differences without a sign."""
    single = "Every point is of one seed: another choice of labelled wearers may rank the arms differently."
    chance = single if all(len(point["seeds"]) == 1 for point in summary["points"]) else ""
    intervals = [each["macro_f1"]["interval"] for each in summary["differences"]]
    return study_against(summary, chance, intervals, "differences")


def _order(labelled: int | str) -> float:
    return float("inf") if labelled == "all" else float(labelled)


def _best(summary: Mapping[str, Any], labelled: int | str) -> str:
    points = [point for point in summary["points"] if point["labelled"] == labelled]
    best = max(points, key=lambda point: float(point["macro_f1"]["mean"]))
    f1 = best["macro_f1"]
    whose = "all labels" if labelled == "all" else f"the labels of {labelled} wearer{'s' * (labelled != 1)}"
    of = f"{summary['arms'][best['arm']]} has the highest macro-F1, " if len(points) > 1 else "macro-F1 is "
    return f"with {whose}, {of}{f1['mean']:.3f}{bounds(f1['interval'])}"


def _spread(summary: Mapping[str, Any], difference: Mapping[str, Any]) -> Spread:
    first, second = (summary["arms"][difference[side]] for side in ("first", "second"))
    interval = difference["macro_f1"]["interval"] or {"low": None, "high": None}
    name = f"{first} − {second}, {difference['labelled']}"
    return Spread(name, difference["macro_f1"]["mean"], interval["low"], interval["high"])


def _facts(summary: Mapping[str, Any]) -> list[list[str]]:
    return [
        ["recordings", summary["dataset"]],
        ["protocol", summary["protocol"]["name"]],
        ["settings of the student", ", ".join(f"{name} {value}" for name, value in summary["config"].items())],
        *study_facts(summary),
    ]
