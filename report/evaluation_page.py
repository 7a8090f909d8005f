"""The page of an evaluation on labelled windows: the answer, what speaks against it, and the confused windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deseptr.evaluate.confused_windows import Confused

from . import html
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block
from .html.plain_figures import plain_bars
from .score_sentences import against, answer
from .score_tables import classes_table, wearers_table


@dataclass(frozen=True)
class Evaluated:
    """What was measured in one way.

    Args:
        figures: content of ``Scores.to_dict``, with ``macro_f1_interval``.
        confused: the windows that were confused; None if they were not kept.
    """

    figures: Mapping[str, Any]
    confused: Confused | None = None


def evaluation_page(
    parts: Mapping[str, Evaluated], title: str, facts: list[list[str]], origin: html.Origin | None = None
) -> str:
    """The figures as a page that needs no network.

    Args:
        parts: what was measured, by the name of its way; the first gives the answer.
        title: of the page.
        facts: names and values that say what was measured.
        origin: what made the page.
    """
    first = next(iter(parts.values())).figures
    sections = []
    for number, (name, part) in enumerate(parts.items()):
        more = f", {name}" if len(parts) > 1 else ""
        own = [html.paragraph(answer(part.figures, part.figures["macro_f1_interval"]))] if number else []
        sections += [
            html.Section(f"Confusion{more}", [*own, _matrix(part, f"confusion-{number}")]),
            html.Section(f"Classes and wearers{more}", list(_details(part.figures))),
        ]
    sections.append(html.Section("How it was measured", [html.facts(facts)]))
    told = html.Answer(answer(first, first["macro_f1_interval"]), against(first))
    return html.render_page(title, told, sections, origin=origin)


def _matrix(part: Evaluated, key: str) -> Block:
    return matrix_block(Matrix(key, part.figures["labels"], part.figures["confusion"], part.confused))


def _details(figures: Mapping[str, Any]) -> Iterator[Block]:
    yield html.table(*classes_table(figures))
    head, rows = wearers_table(figures)
    bars = [(subject, float(f1), f1) for subject, f1 in rows]
    yield html.figure(plain_bars(bars), "Macro-F1 of each wearer, the lowest first.", (head, rows))
