"""The page of a comparison of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deseptr.evaluate.confused_windows import Confused

from . import html
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block
from .runs_confusion import Place, matrix_places
from .runs_sentences import section_against, section_answer
from .runs_tables import EXPLANATION, classes_table, description, kinds, models_table, origins_table, title

_LONGEST_LABEL = 24
_COSTS = {"parameters": "parameters", "macs": "multiply-accumulates of a window"}


def report_page(
    report: dict[str, Any],
    confused: Mapping[Place, Confused] | None = None,
    origin: html.Origin | None = None,
    name: str = "deseptr: runs compared",
) -> str:
    """The comparison as one self-contained HTML file.

    Args:
        report: the comparison.
        confused: the windows behind its confusion matrices, as far as they are known.
        origin: what made the page.
        name: of the page.
    """
    known = confused or {}
    matrices: dict[int, list[Block]] = {}
    for place in matrix_places(report):
        matrices.setdefault(place.section, []).append(_matrix(report, place, known.get(place)))
    several = len(report["sections"]) > 1
    sections = [
        html.Section(title(section), [*_sentences(section, several), *_blocks(section, matrices[number])])
        for number, section in enumerate(report["sections"])
    ]
    if report["left_out"]:
        left_out = [html.paragraph(path) for path in report["left_out"]]
        sections.append(html.Section("Left out because incomplete", left_out))
    return html.render_page(name, _answer(report), sections, note=EXPLANATION, origin=origin)


def _answer(report: dict[str, Any]) -> html.Answer:
    """That of the only section; of several, that each has its own."""
    sections = report["sections"]
    if len(sections) == 1:
        return html.Answer(section_answer(sections[0]), section_against(sections[0]))
    return html.Answer(
        f"{len(sections)} settings: models are ranked within each, whose runs were tested on the same windows.",
        ["Figures of different settings cannot be compared."],
    )


def _sentences(section: dict[str, Any], several: bool) -> Iterator[Block]:
    if several:
        yield html.paragraph(section_answer(section))
        yield html.paragraph(" ".join(section_against(section)))
    yield html.paragraph(description(section))


def _blocks(section: dict[str, Any], matrices: Sequence[Block]) -> Iterator[Block]:
    ranked = "★ highest macro-F1 in float" if len(section["groups"]) > 1 else ""
    yield html.table(*models_table(section), caption=ranked)
    yield from _scatters(section)
    yield html.heading("Confusion")
    yield from matrices
    yield html.heading("F1 of each class")
    yield html.table(*classes_table(section), turn=True)
    yield html.heading("Macro-F1 of each test subject, the lowest first")
    yield from _wearers(section)
    yield from _calibration(section)
    yield from _learning(section)
    yield html.heading("What made them")
    yield html.table(*origins_table(section))


def _wearers(section: dict[str, Any]) -> Iterator[Block]:
    for group in section["groups"]:
        scores = {name: f1 for name, f1 in group["float"]["per_subject_f1"].items() if f1 is not None}
        ranked = dict(sorted(scores.items(), key=lambda pair: pair[1]))
        data = (["wearer", "macro-F1"], [[name, f"{f1:.4f}"] for name, f1 in ranked.items()])
        worst = next(iter(ranked), None)
        lowest = "" if worst is None else f"; lowest: wearer {worst}, {ranked[worst]:.3f}"
        yield html.figure(html.subjects_figure(ranked), f"{group['label']}; dashed: mean{lowest}", data)


def _scatters(section: dict[str, Any]) -> Iterator[Block]:
    for cost, name in _COSTS.items():
        points = [_point(group, cost) for group in section["groups"] if group[cost]]
        if len(points) > 1:
            # Long labels would leave the figure, and no room for the axes.
            keys = "" if max(len(point.label) for point in points) <= _LONGEST_LABEL else _keys(points)
            numbered = [point._replace(label=str(number)) for number, point in enumerate(points, 1)]
            svg = html.scatter_figure(numbered if keys else points, name)
            yield html.figure(svg, f"{keys}Bars: 95 % interval over test subjects, where known.")


def _keys(points: Sequence[html.Point]) -> str:
    return "".join(f"{number}: {point.label}. " for number, point in enumerate(points, 1))


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


def _matrix(report: dict[str, Any], place: Place, confused: Confused | None) -> Block:
    section = report["sections"][place.section]
    group = section["groups"][place.group]
    seeds = len(group["seeds"])
    caption = f"{group['label']}, {place.kind}" + (f", {seeds} seeds pooled" if seeds > 1 else "")
    key = f"confusion-{place.section}-{place.group}-{place.kind}"
    return matrix_block(Matrix(key, section["labels"], group[place.kind]["confusion"], confused, caption))


def _each_kind(section: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for group in section["groups"]:
        yield from ((group, kind) for kind in kinds(section) if kind in group)
