"""Tables that several commands print. What stands in brackets is text: names are never read as markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deseptr.contract.visible_text import visible

# Characters; wider than any table.
_UNBOUNDED = 10_000


def print_scores(scores: dict[str, dict[str, Any]], console: Console | None = None) -> None:
    """Print accuracy, macro-F1 and the F1 of each class, a column for each model.

    Args:
        scores: results of ``Scores.to_dict`` by the model's name.
        console: output; stdout by default.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in scores:
        table.add_column(Text(name), justify="right")
    for key, title in (("accuracy", "accuracy"), ("macro_f1", "macro-F1")):
        table.add_row(title, *(f"{model[key]:.3f}" for model in scores.values()), style="bold")
    for label in next(iter(scores.values()))["labels"]:
        values = (model["per_class_f1"][label] for model in scores.values())
        table.add_row(Text(visible(f"  F1 {label}")), *("–" if value is None else f"{value:.3f}" for value in values))
    if all("parameters" in model for model in scores.values()):
        table.add_row("parameters", *(f"{model['parameters']:,}" for model in scores.values()))
    print_table(table, console or Console())


def print_missed(figures: dict[str, Any]) -> None:
    """Print on stderr the classes that the model does not recognise at all, from the result of ``Scores.to_dict``."""
    from deseptr.report.missed_classes import missed_classes

    for line in missed_classes(figures):
        click.echo(f"note: {visible(line)}", err=True)


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table without the blanks after the last word of its lines.

    Args:
        table: with names as text that is safe to print.
        console: output; stdout by default.
    """
    console = console or Console(highlight=False)
    for segments in console.render_lines(table, pad=False):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_rows(
    header: Sequence[str],
    body: Sequence[Sequence[str]],
    *,
    left: int,
    bold: Callable[[Sequence[str]], bool] = lambda row: False,
    console: Console | None = None,
) -> None:
    """Print a table whose header breaks at spaces; columns stand closer where it is wider than the terminal.

    Args:
        header: titles of the columns.
        body: rows of cells.
        left: number of text columns, aligned left; the figures after them are aligned right.
        bold: whether a row is printed in bold.
        console: output; stdout by default.
    """
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(header):
        name = Text(column.replace(" ", "\n"))
        if index < left:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in body:
        table.add_row(*map(Text, row), style="bold" if bold(row) else None)
    console = console or Console()
    unbounded = console.options.update(width=_UNBOUNDED)
    table.collapse_padding = console.measure(table, options=unbounded).maximum > console.width
    print_table(table, console)


def print_confusion(labels: list[str], confusion: list[list[int]], console: Console | None = None) -> None:
    """Print a confusion matrix, a row for each true class; columns have numbers where their names are too long."""
    console = console or Console()
    table = _confusion_table(labels, labels, confusion)
    if console.measure(table, options=console.options.update(width=_UNBOUNDED)).maximum > console.width:
        numbers = [str(number) for number, _ in enumerate(labels, 1)]
        rows = [f"{number} {label}" for number, label in zip(numbers, labels, strict=True)]
        table = _confusion_table(rows, numbers, confusion)
    print_table(table, console)


def _confusion_table(rows: list[str], columns: list[str], confusion: list[list[int]]) -> Table:
    table = Table(box=None, pad_edge=False, title="true (rows) × predicted", title_justify="left")
    table.add_column("", overflow="fold")
    for name in columns:
        table.add_column(Text(visible(name)), justify="right", no_wrap=True)
    for index, (label, row) in enumerate(zip(rows, confusion, strict=True)):
        table.add_row(Text(visible(label)), *(Text(str(n), "bold" if i == index else "") for i, n in enumerate(row)))
    return table
