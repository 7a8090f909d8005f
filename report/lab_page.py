"""The page of the distillation lab: cells, effects, and the windows that the best cell confused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deseptr.contract.counts import counted
from deseptr.evaluate.lab.confused_cells import CellConfusion, best_row
from deseptr.evaluate.lab.page import cell_table, effect_table, headline, reading, reading_effects

from . import html
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block
from .html.interval_figure import Spread, interval_figure
from .score_sentences import bounds
from .study import study_against, study_facts


def lab_page(summary: Mapping[str, Any], cells: Sequence[CellConfusion], origin: html.Origin | None = None) -> str:
    """The summary as a page that needs no network.

    Args:
        summary: content of ``lab.json``.
        cells: confusion of some cells.
        origin: what made the page.
    """
    content = dict(summary)
    sections = [
        html.Section("Cells", [html.table(*cell_table(content)), html.paragraph(reading(content))]),
        *([html.Section("Effects", list(_effects(content)))] if summary["effects"] else []),
        *([html.Section("Confusion", list(_matrices(summary, cells)))] if cells else []),
        html.Section("How it was made", [html.facts(_facts(summary))]),
    ]
    title = f"Distillation lab: {summary['model']} on {summary['dataset']}"
    told = html.Answer(lab_answer(summary), lab_against(summary))
    return html.render_page(title, told, sections, note=f"{headline(content)}.", origin=origin)


def lab_answer(summary: Mapping[str, Any]) -> str:
    """The best cell at the head that is read, and its teacher."""
    best = best_row(summary)
    seeds = len(best["seeds"])
    over = f"over {counted(seeds, 'seed')}"
    teachers = [row for row in summary["rows"] if row["distillation"] is None]
    taught = f"; the teacher has {teachers[0]['macro_f1']['mean']:.3f}" if teachers else ""
    temperature = f" at T={best['temperature']:g}" if best["temperature"] != 1 else ""
    name = f"distillation {best['distillation']}{temperature} with the stem {best['stem']}"
    alike = sum(_shown(row) == _shown(best) for row in _rows(summary))
    has = f"{name} has" if alike == 1 else f"{alike} have"
    among = "" if alike == 1 else f", {name} among them"
    where = f"at the {best['head']} head{among}"
    return f"Of {counted(len(_rows(summary)), 'cell')}, {has} the highest macro-F1 {where}, {_f1(best)} {over}{taught}."


def lab_against(summary: Mapping[str, Any]) -> list[str]:
    """What the answer leaves out: chance among many, effects without a sign, few wearers, cells that are missing."""
    chosen = "The best is chosen by the test wearers themselves: the highest of several is partly chance."
    intervals = [each["difference"]["interval"] for each in summary["effects"]]
    return study_against(summary, chosen if len(_rows(summary)) > 1 else "", intervals, "effects")


def _rows(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = [row for row in summary["rows"] if row["distillation"] and row["kind"] == "float"]
    return [row for row in rows if row["head"] == summary["head"]]


def _shown(row: Mapping[str, Any]) -> str:
    return f"{row['macro_f1']['mean']:.3f}"


def _f1(row: Mapping[str, Any]) -> str:
    return f"{_shown(row)}{bounds(row['macro_f1']['interval'])}"


def _effects(summary: dict[str, Any]) -> Iterator[Block]:
    for factor in dict.fromkeys(each["factor"] for each in summary["effects"]):
        own = [each for each in summary["effects"] if each["factor"] == factor]
        yield html.figure(
            interval_figure([_spread(each) for each in own], "difference in macro-F1"),
            f"{factor}: paired differences with their 95 % intervals; left of the dashed line, the first is worse",
        )
    yield html.table(*effect_table(summary))
    yield html.paragraph(reading_effects(summary))


def _spread(effect: Mapping[str, Any]) -> Spread:
    difference = effect["difference"]
    interval = difference["interval"] or {"low": None, "high": None}
    return Spread(f"{effect['contrast']} at {effect['at']}", difference["mean"], interval["low"], interval["high"])


def _matrices(summary: Mapping[str, Any], cells: Sequence[CellConfusion]) -> Iterator[Block]:
    seeds = len(best_row(summary)["seeds"])
    pooled = f", {seeds} seeds pooled" if seeds > 1 else ""
    for number, cell in enumerate(cells):
        labels = summary["protocol"]["labels"]
        yield matrix_block(Matrix(f"confusion-{number}", labels, cell.counts, cell.confused, f"{cell.name}{pooled}"))


def _facts(summary: Mapping[str, Any]) -> list[list[str]]:
    (fold,) = summary["protocol"]["folds"]
    return [
        ["recordings", summary["dataset"]],
        ["protocol", f"{summary['protocol']['name']}, fold {fold['name']}"],
        ["test subjects", ", ".join(fold["test_subjects"])],
        ["settings", ", ".join(f"{name} {value}" for name, value in summary["config"].items())],
        *study_facts(summary),
    ]
