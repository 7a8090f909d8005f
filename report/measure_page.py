"""Measurements on a board beside those of this machine: a text table and a page.

The form of the figures is defined by the commands that measure; all numbers in it are shown, by their path.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from deseptr.contract.visible_text import visible

_HEAD = ("", "board", "this machine")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}"
)


def measure_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, the board's figure and this machine's figure, for every number that either has."""
    board, here = (dict(_numbers(result[side])) for side in ("board", "workstation"))
    names = [*board, *(name for name in here if name not in board)]
    return [(name, _figure(board.get(name)), _figure(here.get(name))) for name in names]


def measure_text(result: dict[str, Any]) -> str:
    """The table as lines of text."""
    rows = [_HEAD, *measure_rows(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows]
    return "\n".join([_title(result), *lines])


def measure_page(result: dict[str, Any]) -> str:
    """The table as a self-contained HTML file; it needs no template package."""
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in measure_rows(result))
    head = "".join(f"<th>{cell}</th>" for cell in _HEAD)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>deseptr: measured on a board</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{escape(result['model'])} on {escape(result['destination'])}</h1>\n"
        f"<p>{escape(_title(result))}</p>\n"
        "<p>Times of this machine do not apply to the board; scores should agree.</p>\n"
        f"<table>\n<tr>{head}</tr>\n{rows}</table>\n</html>\n"
    )


def _title(result: dict[str, Any]) -> str:
    facts = result["board_facts"]
    board = facts["board"] or facts["machine"]
    return visible(
        f"{result['model']} on {result['data']}; board: {board}, {facts['os'] or 'unknown system'}, {result['release']}"
    )


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _numbers(part, f"{path} {name}".strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield visible(path), value


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
