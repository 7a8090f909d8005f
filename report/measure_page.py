"""Measurements on a board beside those of this machine: a text table and a page.

The form of the figures is defined by the commands that measure; all numbers in it are shown, by their path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deseptr.contract.visible_text import visible

from .html.page import Answer, Origin, Section, render_page
from .html.tables import table

_HEAD = ("", "board", "this machine")
_BOTH = (("board", "on the board"), ("workstation", "on this machine"))


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


def measure_answer(result: dict[str, Any]) -> Answer:
    """Speed and score on the board beside those of this machine, as far as both have them."""
    times = _sides(result, "profile", "stages", "end_to_end", "p50_us")
    scores = _sides(result, "evaluate", "macro_f1")
    told = []
    if times:
        told.append(f"from the read to the label, a window takes {_joined(times, ',.0f', ' µs')} at the median")
    if scores:
        told.append(f"macro-F1 is {_joined(scores, '.3f')}")
    text = "; ".join(told) or "the figures of the board and of this machine are below"
    against = ["Times of this machine do not apply to the board; scores should agree."]
    if len(scores) == 2 and (apart := abs(scores["board"] - scores["workstation"])) >= 0.0005:
        against.append(f"The scores differ by {apart:.3f}: the two did not compute the same.")
    return Answer(f"{text[0].upper()}{text[1:]}.", against)


def measure_page(result: dict[str, Any], origin: Origin | None = None) -> str:
    """The table as a self-contained HTML file."""
    sections = [Section("Figures", [table(_HEAD, measure_rows(result), fold=False)])]
    title = visible(f"{result['model']} on {result['destination']}")
    return render_page(title, measure_answer(result), sections, note=_title(result), origin=origin)


def _sides(result: dict[str, Any], *path: str) -> dict[str, float]:
    """A number of both sides by its path; of one side, or none, where the other has it not."""
    found = {}
    for side, _ in _BOTH:
        value: Any = result[side]
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[side] = value
    return found


def _joined(sides: dict[str, float], form: str, unit: str = "") -> str:
    return " and ".join(f"{sides[side]:{form}}{unit} {where}" for side, where in _BOTH if side in sides)


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
