"""The page of a continuous evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import continuous_tables as tables, html
from .html.page import Block

if TYPE_CHECKING:
    from deseptr.evaluate.continuous.measure import Continuous


def continuous_page(measured: Continuous, content: dict[str, Any], title: str) -> str:
    """The figures as a page that needs no network.

    Args:
        measured: the evaluation.
        content: its figures as JSON content.
        title: of the page.
    """
    sections = [
        html.Section("Figures", list(_figures(content))),
        html.Section("Classes and wearers", [html.table(*tables.classes_table(content)), _wearers(content)]),
        html.Section("Kinds of errors", [html.table(*tables.errors_table(content))]),
    ]
    return html.render_page(title, tables.decision_line(content), sections)


def _figures(content: dict[str, Any]) -> Iterator[Block]:
    yield html.table(*tables.figures_table({content["runtime"]: content}))
    yield html.paragraph(tables.delay_note(content))


def _wearers(content: dict[str, Any]) -> Block:
    return html.table(*tables.wearers_table(content))
