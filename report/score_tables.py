"""Tables of the scores of one evaluation, the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deseptr.evaluate.markdown import NONE, figure, markdown_table

from .html.confusion import share_text
from .score_sentences import against, answer

Table = tuple[list[str], list[list[str]]]


def classes_table(figures: Mapping[str, Any]) -> Table:
    """A row for each class: its windows, F1, recall, precision, and the class that it is most often taken for."""
    labels, confusion = figures["labels"], figures["confusion"]
    rows = []
    for index, label in enumerate(labels):
        row, column = confusion[index], [each[index] for each in confusion]
        hits = row[index]
        others = [count if other != index else 0 for other, count in enumerate(row)]
        most = max(range(len(others)), key=others.__getitem__)
        taken = f"{labels[most]} ({share_text(others[most], sum(row))})" if others[most] else NONE
        f1 = figure(figures["per_class_f1"][label])
        recall, precision = (figure(hits / total if total else None) for total in (sum(row), sum(column)))
        rows.append([label, f"{sum(row):,}", f1, recall, precision, taken])
    return ["class", "windows", "F1", "recall", "precision", "most often taken for"], rows


def wearers_table(figures: Mapping[str, Any]) -> Table:
    """A row for each wearer, the worst first."""
    ranked = sorted(figures["per_subject_f1"].items(), key=lambda pair: pair[1])
    return ["wearer", "macro-F1"], [[subject, figure(f1)] for subject, f1 in ranked]


def counts_table(figures: Mapping[str, Any]) -> Table:
    """The confusion matrix, true classes down."""
    labels = figures["labels"]
    rows = [[label, *map(str, row)] for label, row in zip(labels, figures["confusion"], strict=True)]
    return ["true \\ predicted", *labels], rows


def evaluation_markdown(parts: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Evaluations as a Markdown page.

    Args:
        parts: content of ``Scores.to_dict``, with ``macro_f1_interval``, by the name of the way that was measured.
        title: of the page.
    """
    lines = [f"# {title}", ""]
    for name, figures in parts.items():
        lines += [f"## {name}", "", answer(figures, figures["macro_f1_interval"]), ""]
        lines += [*(f"- {line}" for line in against(figures)), ""]
        for table in (classes_table(figures), wearers_table(figures), counts_table(figures)):
            lines += [*markdown_table(*table), ""]
    return "\n".join(lines)
