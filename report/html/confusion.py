"""A confusion matrix with counts and shares, whose cells lead to windows that were confused.

Without scripts, a cell is a link to a group of windows that is shown while it is the page's target. The script adds
arrow keys among the cells, and Escape back to the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from math import isnan

from deseptr.contract.channels import SENSORS, sensors_of
from deseptr.contract.counts import counted
from deseptr.evaluate.confused_windows import CROWDED, RULE, Confused, ConfusedPair, ConfusedWindow
from deseptr.evaluate.markdown import NONE

from .blocks import Block
from .window_picture import bands, limit_text, window_picture

# From so many classes on, the names above the columns are upright.
_MANY = 7


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix of a page.

    Args:
        key: name of its anchors, unique on the page, of letters, digits and hyphens.
        labels: class names.
        confusion: ``[true][given]`` counts of windows.
        confused: the windows behind the cells; None leaves the cells without links.
        caption: what it is of.
    """

    key: str
    labels: Sequence[str]
    confusion: Sequence[Sequence[int]]
    confused: Confused | None = None
    caption: str = ""


def matrix_block(matrix: Matrix) -> Block:
    """The matrix as a table, and under it the windows of the chosen cell."""
    groups = "\n".join(_group(matrix, pair) for pair in _shown_pairs(matrix))
    hint = f'<p class="hint">{escape(hint_text(matrix))}</p>\n' if matrix.confused else ""
    name = escape(matrix.caption or "confusion matrix")
    table = f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">\n{_table(matrix)}\n</div>'
    style, script = (files(__package__).joinpath(f"confusion.{kind}").read_text() for kind in ("css", "js"))
    kind = "confusion" if matrix.confused else "confusion beside"
    content = f'<div class="{kind}" id="{matrix.key}">\n{table}\n{hint}{groups}\n</div>'
    return Block(content, script if matrix.confused else "", style)


def share_text(count: int, total: int) -> str:
    """A share in percent, with a digit after the point below ten percent.

    >>> share_text(1, 30), share_text(29, 30), share_text(0, 0)
    ('3.3 %', '97 %', '–')
    """
    if not total:
        return NONE
    percent = 100 * count / total
    if count < total and percent > 99:
        return ">99 %"
    if 0 < percent < 0.1:
        return "<0.1 %"
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %"


def hint_text(matrix: Matrix) -> str:
    """How to read the matrix and reach the windows, in one or two sentences."""
    confused = matrix.confused or Confused(())
    wrong = sum(pair.windows for pair in confused.pairs)
    if not wrong:
        return "No window was taken for another class."
    shown = [len(pair.examples) for pair in _shown_pairs(matrix)]
    windows = counted(wrong, "window was", "windows were")
    cells = "an orange cell leads" if len(shown) == len(confused.pairs) else f"{len(shown)} of the orange cells lead"
    what = f"{windows} taken for another class; {cells} to examples, {sum(shown):,} in all. {RULE}"
    if confused.crowded:
        what = f"{what} {CROWDED}"
    if confused.channels:
        return f"{what} {_legend(confused.channels)}"
    hidden = "signals are" if confused.window_s else "signals and times are"
    return f"{what} Their {hidden} not shown, since the recordings were not at hand."


def _legend(channels: Sequence[str]) -> str:
    titles = " above ".join(SENSORS[name].title for name in sensors_of(channels))
    return f"A picture has {titles}: x is blue, y orange and z green, and the limits of its height stand below it."


def _shown_pairs(matrix: Matrix) -> list[ConfusedPair]:
    """The pairs with an example: on a page of many matrices, rare ones have none."""
    return [pair for pair in matrix.confused.pairs if pair.examples] if matrix.confused else []


def _table(matrix: Matrix) -> str:
    many = ' class="many"' if len(matrix.labels) >= _MANY else ""
    names = "".join(f'<th scope="col"><span>{escape(label)}</span></th>' for label in matrix.labels)
    known = {(pair.true, pair.given) for pair in _shown_pairs(matrix)}
    rows = "\n".join(_row(matrix, index, known) for index in range(len(matrix.labels)))
    caption = f"{matrix.caption}: windows" if matrix.caption else "Windows"
    return (
        f"<table{many}>\n<caption>{escape(caption)}, and their share of the true class</caption>\n"
        f'<thead><tr><th scope="col">true ↓ given →</th>{names}<th scope="col"><span>windows</span></th></tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _row(matrix: Matrix, true: int, known: set[tuple[int, int]]) -> str:
    counts = matrix.confusion[true]
    total = sum(counts)
    cells = "".join(_cell(matrix, (true, given), total, known) for given in range(len(counts)))
    return f'<tr><th scope="row">{escape(matrix.labels[true])}</th>{cells}<td class="total">{total:,}</td></tr>'


def _cell(matrix: Matrix, at: tuple[int, int], total: int, known: set[tuple[int, int]]) -> str:
    true, given = at
    count = matrix.confusion[true][given]
    if not count:
        return '<td class="zero">0</td>'
    text = f"<b>{count:,}</b> <small>{escape(share_text(count, total))}</small>"
    if at in known:
        name = escape(_title(matrix, at), quote=True)
        text = f'<a href="#{_anchor(matrix, at)}" aria-label="{name}">{text}</a>'
    kind = "right" if true == given else "wrong"
    return f'<td class="{kind}" style="--share:{count / total:.3f}">{text}</td>'


def _group(matrix: Matrix, pair: ConfusedPair) -> str:
    at = (pair.true, pair.given)
    title = escape(_title(matrix, at))
    windows = "".join(_window(matrix, pair, each) for each in pair.examples)
    return (
        f'<div class="confused" id="{_anchor(matrix, at)}" tabindex="-1" role="group" aria-label="{title}">\n'
        f"<p><strong>{title}</strong>. {escape(_shown(pair))} "
        f'<a href="#{matrix.key}">Back to the matrix</a></p>\n<ul>{windows}</ul>\n</div>'
    )


def _title(matrix: Matrix, at: tuple[int, int]) -> str:
    true, given = at
    count, total = matrix.confusion[true][given], sum(matrix.confusion[true])
    windows = f"{count:,} of {total:,} windows" if total > 1 else "the only window"
    return f"{windows} of {matrix.labels[true]} taken for {matrix.labels[given]}, {share_text(count, total)}"


def _shown(pair: ConfusedPair) -> str:
    them = "It is" if pair.windows == 1 else "All are" if pair.wearers == 1 else "They are"
    whose = f"wearer {pair.examples[0].subject}" if pair.wearers == 1 else f"{pair.wearers} wearers"
    shown = len(pair.examples)
    some = f"; {shown} {'is' if shown == 1 else 'are'} shown" if shown < pair.windows else ""
    return f"{them} of {whose}{some}."


def _window(matrix: Matrix, pair: ConfusedPair, window: ConfusedWindow) -> str:
    channels, window_s = (matrix.confused.channels, matrix.confused.window_s) if matrix.confused else ((), 0.0)
    lines = [f"wearer {window.subject}"]
    if window.trial is not None and window.start_s is not None:
        lines.append(f"trial {window.trial}, {window.start_s:.2f} to {window.start_s + window_s:.2f} s")
    given, true = matrix.labels[pair.given], matrix.labels[pair.true]
    lines.append(f"{given} {_probability(window.given)}, {true} {_probability(window.true)}")
    picture = ""
    if window.signals is not None:
        picture = window_picture(window.signals, channels)
        lines.append(", ".join(limit_text(band) for band in bands(window.signals, channels)))
    return f"<li>{picture}{''.join(f'<span>{escape(line)}</span>' for line in lines)}</li>"


def _probability(value: float) -> str:
    return NONE if isnan(value) else f"{value:.2f}"


def _anchor(matrix: Matrix, at: tuple[int, int]) -> str:
    return f"{matrix.key}-{at[0]}-{at[1]}"
