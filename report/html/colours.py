"""Colours of the figures: those of the live page and of the labelling page, which can be told apart by everybody."""

from __future__ import annotations

from deseptr.data.label_page.colours import LABELS
from deseptr.data.plot import AXIS_COLOURS

ACCENT, SECOND = "#0b62a4", "#8a5a00"
"""Of one thing, and of what it is compared with."""
AXES = AXIS_COLOURS
NOTHING = "#c9d1da"
"""Of a stretch without a class."""
# Yellow is for areas: a thin line of it cannot be seen on white.
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#51606F")


def class_colour(index: int) -> str:
    """Colour of a class by its index; grey for a negative one, which is none."""
    return NOTHING if index < 0 else LABELS[index % len(LABELS)]


def is_repeated(index: int) -> bool:
    """Whether the colour of a class is that of an earlier one, so that it needs a hatch or a dash."""
    return index >= len(LABELS)


def line_colour(index: int) -> str:
    """Colour of one of several lines."""
    return _LINES[index % len(_LINES)]
