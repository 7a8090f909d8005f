"""Several boards beside each other: one row each, as text and as a page.

What a board says is shown, never obeyed: every cell may contain text that the board wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deseptr.contract.counts import counted
from deseptr.contract.visible_text import visible

from .html.page import Answer, Origin, Section, render_page
from .html.tables import facts, table

HEAD = ("board", "service", "says", "release", "on trial", "temperature", "power and heat", "machine")
_NOTHING, _NOW = "–", "throttled now"
Board = dict[str, Any]


def fleet_answer(boards: Sequence[Board]) -> Answer:
    """How many boards run, and what is wrong with the others.

    Args:
        boards: ``destination`` and either ``status``, the answer of `firmware status`, or ``error``, why there is none.
    """
    silent = [each["destination"] for each in boards if "error" in each]
    answers = {each["destination"]: each["status"] for each in boards if "status" in each}
    idle = [name for name, status in answers.items() if status["service"] != "active"]
    hampered = [name for name, status in answers.items() if _throttled(status.get("state") or {}) == _NOW]
    troubles = {"no answer from": silent, "not active on": idle, "throttled now:": hampered}
    against = [visible(f"{trouble} {', '.join(names)}") for trouble, names in troubles.items() if names]
    return Answer(f"{len(answers) - len(idle)} of {counted(len(boards), 'board runs', 'boards run')}", against)


def fleet_rows(boards: Sequence[Board]) -> list[tuple[str, ...]]:
    """A row of :data:`HEAD` for each board; one without an answer has the reason in place of the rest."""
    return [tuple(visible(cell) for cell in _row(each)) for each in boards]


def fleet_text(boards: Sequence[Board]) -> str:
    """The table as lines of text, and the answer."""
    rows = [HEAD, *fleet_rows(boards)]
    # The reason of a board without an answer may be long; it is the last cell of its row.
    widths = [max(len(row[column]) for row in rows if len(row) == len(HEAD)) for column in range(len(HEAD))]
    widths[0] = max(len(row[0]) for row in rows)
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    answer = fleet_answer(boards)
    return "\n".join([*lines, "", f"{'; '.join([answer.text, *answer.against])}."])


def fleet_page(boards: Sequence[Board], when: str, origin: Origin | None = None) -> str:
    """The table as a self-contained HTML file.

    Args:
        boards: as in :func:`fleet_answer`.
        when: time of the answers.
        origin: what made the page.
    """
    rows = fleet_rows(boards)
    silent = [row for row in rows if len(row) < len(HEAD)]
    # A reason is a sentence, for which a column is too narrow.
    shown_rows = [row if row not in silent else (row[0], "no answer", *[_NOTHING] * (len(HEAD) - 2)) for row in rows]
    sections = [Section("Boards", [table(HEAD, shown_rows)])]
    if silent:
        sections.append(Section("No answer", [facts(silent)]))
    answer = fleet_answer(boards)
    shown = Answer(f"{answer.text}.", [f"{each[0].upper()}{each[1:]}." for each in answer.against])
    return render_page("deseptr: boards", shown, sections, note=f"Asked {when}.", origin=origin)


def _row(board: Board) -> tuple[str, ...]:
    if "error" in board:
        return (board["destination"], board["error"])
    status = board["status"]
    machine, state = status["board"], status.get("state") or {}
    kind = f" ({status['service_kind']})" if status["service_kind"] else ""
    heat = state.get("temperature_c")
    return (
        board["destination"],
        f"{status['service']}{kind}",
        status.get("says") or _NOTHING,
        status["current"] or _NOTHING,
        status["trial"] or _NOTHING,
        _NOTHING if heat is None else f"{heat:.0f} °C",
        _throttled(state),
        f"{machine['board'] or machine['machine']}, {machine['os'] or 'unknown system'}",
    )


def _throttled(state: dict[str, Any]) -> str:
    flags = state.get("throttled")
    if flags is None:
        return _NOTHING
    now, since = flags & 0xF, flags >> 16 & 0xF
    return _NOW if now else "was throttled since its start" if since else "well"
