"""The page of a comparison of runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import html
from .html.blocks import Block
from .runs_tables import EXPLANATION, classes_table, description, kinds, models_table, origins_table, title

_COSTS = {"parameters": "parameters", "macs": "multiply-accumulates of a window"}


def report_page(report: dict[str, Any], origin: html.Origin | None = None) -> str:
    """The comparison as one self-contained HTML file."""
    sections = [html.Section(title(section), list(_blocks(section))) for section in report["sections"]]
    if report["left_out"]:
        left_out = [html.paragraph(path) for path in report["left_out"]]
        sections.append(html.Section("Left out because incomplete", left_out))
    lead = "Models are ranked within a section, whose runs were tested on the same windows, and never across."
    answer = html.Answer(lead)
    return html.render_page("deseptr: runs compared", answer, sections, note=EXPLANATION, origin=origin)


def _blocks(section: dict[str, Any]) -> Iterator[Block]:
    ranked = "★ highest macro-F1 in float" if len(section["groups"]) > 1 else ""
    yield html.paragraph(description(section))
    yield html.table(*models_table(section), caption=ranked)
    yield from _scatters(section)
    yield html.heading("What made them")
    yield html.table(*origins_table(section))
    yield html.heading("F1 of each class")
    yield html.table(*classes_table(section), turn=True)
    yield html.heading("Macro-F1 of each test subject")
    for group in section["groups"]:
        yield html.figure(html.subjects_figure(group["float"]["per_subject_f1"]), f"{group['label']}; dashed: mean")
    yield html.heading("Confusion of all test windows, shade: share of the true class")
    for group, kind in _each_kind(section):
        svg = html.confusion_figure(section["labels"], group[kind]["confusion"], "")
        yield html.figure(svg, f"{group['label']}, {kind}")
    yield from _calibration(section)
    yield from _learning(section)


def _scatters(section: dict[str, Any]) -> Iterator[Block]:
    for cost, name in _COSTS.items():
        points = [_point(group, cost) for group in section["groups"] if group[cost]]
        if points:
            yield html.figure(html.scatter_figure(points, name), "Bars: 95 % interval over test subjects, where known.")


def _point(group: dict[str, Any], cost: str) -> html.Point:
    figures = group["float"]
    interval = figures["interval"] and (figures["interval"]["low"], figures["interval"]["high"])
    return html.Point(group["label"], group[cost], figures["macro_f1"]["mean"], interval, group["teacher"])


def _calibration(section: dict[str, Any]) -> Iterator[Block]:
    known = [(group, kind) for group, kind in _each_kind(section) if group[kind]["reliability"]]
    if known:
        yield html.heading("Reliability: accuracy against confidence, grey: share of the windows")
    for group, kind in known:
        svg = html.reliability_figure(group[kind]["reliability"])
        yield html.figure(svg, f"{group['label']}, {kind}: ECE {group[kind]['ece']:.3f}")


def _learning(section: dict[str, Any]) -> Iterator[Block]:
    runs = [(group, run) for group in section["groups"] for run in group["runs"] if any(run["histories"].values())]
    if runs:
        yield html.heading("Learning curves")
    for group, run in runs:
        histories = list(run["histories"].values())
        folds = f", {len(histories)} folds" if len(histories) > 1 else ""
        yield html.figure(html.learning_figure(histories), f"{group['label']}, seed {run['seed']}{folds}")


def _each_kind(section: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for group in section["groups"]:
        yield from ((group, kind) for kind in kinds(section) if kind in group)
