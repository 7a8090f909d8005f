"""Timelines of truth, label and probabilities as SVG, and the script that zooms them.

Without the script a page shows every recording from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.evaluate.continuous.playing import Played
from deseptr.evaluate.continuous.track import NONE, Track, stretches

from .colours import NOTHING, class_colour, is_repeated
from .embedded_svg import themed

_ROWS = (("truth", 0, 16), ("label", 20, 16))
_TOP, _HEIGHT, _TOTAL = 40, 50, 90
# Below it a probability is not drawn.
_LEAST = 0.02


def legend(labels: Sequence[str]) -> str:
    """The colours of the classes, as HTML, and the hatches of those whose colour is that of an earlier one."""
    entries = [
        f'<span class="key"><i style="background:{_swatch(index)}"></i>{escape(label)}</span>'
        for index, label in enumerate(labels)
    ]
    entries.append(f'<span class="key"><i style="background:{themed(NOTHING)}"></i>unlabelled or unknown</span>')
    hatches = "".join(_hatch(index) for index in range(len(labels)) if is_repeated(index))
    defined = f'<svg width="0" height="0" aria-hidden="true"><defs>{hatches}</defs></svg>' if hatches else ""
    return f'{defined}<p class="legend">{"".join(entries)}</p>'


def _swatch(index: int) -> str:
    colour = class_colour(index)
    return f"repeating-linear-gradient({colour} 0 3px,var(--paper) 3px 4px)" if is_repeated(index) else colour


def _hatch(index: int) -> str:
    """Stripes along the time, which no zoom of the time distorts."""
    return (
        f'<pattern id="class-{index}" width="1" height="4" patternUnits="userSpaceOnUse">'
        f'<rect width="1" height="3" fill="{class_colour(index)}"/></pattern>'
    )


def _fill(index: int) -> str:
    return f"url(#class-{index})" if is_repeated(index) else themed(class_colour(index))


def timeline(played: Played, track: Track, labels: Sequence[str], title: str) -> str:
    """The timeline of a recording, one unit of width for each second.

    Args:
        played: its windows.
        track: its truth and label.
        labels: names of the classes.
        title: of the recording.
    """
    seconds = len(track) / track.rate_hz
    parts = []
    for (name, top, height), values in zip(_ROWS, (track.truth, track.shown), strict=True):
        parts += [_bar(each, track.rate_hz, top, height, name, labels) for each in stretches(values)]
    parts += [_line(played, index) for index in range(len(labels))]
    names = "".join(f"<span>{name}</span>" for name in ("truth", "label", "probability"))
    return (
        f'<div class="timeline"><div class="title">{escape(title)}</div><div class="names">{names}</div>'
        f'<svg viewBox="0 0 {seconds:.2f} {_TOTAL}" preserveAspectRatio="none" data-seconds="{seconds:.2f}" '
        f'role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
        f'<div class="range">0 to {seconds:.0f} s</div></div>'
    )


def script() -> str:
    """The script that zooms timelines by wheel, drag and keys."""
    return files(__package__).joinpath("timeline.js").read_text()


def _bar(each: Any, rate_hz: float, top: int, height: int, row: str, labels: Sequence[str]) -> str:
    start, width = each.start / rate_hz, (each.stop - each.start) / rate_hz
    name = "none" if each.value == NONE else labels[each.value]
    hint = f"<title>{row}: {escape(name)}, {start:.2f} s to {start + width:.2f} s</title>"
    place = f'x="{start:.2f}" y="{top}" width="{width:.2f}" height="{height}"'
    return f'<rect {place} fill="{_fill(each.value)}">{hint}</rect>'


def _line(played: Played, index: int) -> str:
    """The probability of a class, a step a window, where it is not next to nothing."""
    values = played.probabilities[:, index]
    moves = [_steps(played.t, values, played.hop_s, first, last) for first, last in _drawn(values)]
    dashes = ' stroke-dasharray="6 2"' if is_repeated(index) else ""
    return f'<path d="{"".join(moves)}" stroke="{class_colour(index)}"{dashes}/>' if moves else ""


def _drawn(values: NDArray[np.float32]) -> list[tuple[int, int]]:
    return [(each.start, each.stop) for each in stretches((values >= _LEAST).astype(int)) if each.value]


def _steps(t: NDArray[np.float64], values: NDArray[np.float32], hop_s: float, first: int, last: int) -> str:
    heights = _TOP + _HEIGHT * (1 - values[first:last])
    base = _TOP + _HEIGHT
    steps = "".join(f"V{height:.1f}H{end:.2f}" for height, end in zip(heights, t[first:last] + hop_s, strict=True))
    return f"M{t[first]:.2f} {base}{steps}V{base}"
