"""What each factor of the lab is worth: paired differences of macro-F1 between arms that differ in it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from deseptr.contract import macro_f1, seeds_interval

from .arms import Arm, over_seeds
from .grid import Cell

_Place = tuple[Cell, str]


@dataclass(frozen=True)
class Contrast:
    """One arm less another.

    Args:
        factor: in which they differ, ``"stem"``, ``"distillation"`` or ``"head"``.
        name: of the difference, as ``soft − none``.
        at: what they have in common.
        first: cell and head of the one.
        second: those of the other.
    """

    factor: str
    name: str
    at: str
    first: _Place
    second: _Place


def effects(arms: Sequence[Arm], head: str) -> list[dict[str, Any]]:
    """The effect of the stem, of the distillation and of the head, each at every level of the others.

    A difference is taken at each seed and averaged; its interval resamples seeds and subjects, the same for both arms.

    Args:
        arms: of the grid; those in int8 and the teacher take no part.
        head: at which stems and distillations are compared.

    Returns:
        Plain JSON values, an entry for each contrast of which both arms share a seed.
    """
    found = {(arm.cell, arm.head): arm for arm in arms if arm.cell and arm.kind == "float"}
    cells = list(dict.fromkeys(arm.cell for arm in arms if arm.cell))
    entries: list[dict[str, Any]] = []
    for contrast in _contrasts(cells, head):
        if contrast.first in found and contrast.second in found:
            entries += _effect(contrast, found[contrast.first], found[contrast.second])
    return entries


def _contrasts(cells: Sequence[Cell], head: str) -> Iterator[Contrast]:
    for cell in cells:
        own = Cell(cell.distillation, "own", cell.temperature)
        if cell != own:
            yield Contrast("stem", f"{cell.stem} − own", cell.method, (cell, head), (own, head))
    for stem in dict.fromkeys(cell.stem for cell in cells):
        for second, first in combinations([cell for cell in cells if cell.stem == stem], 2):
            name = f"{first.method} − {second.method}"
            yield Contrast("distillation", name, stem, (first, head), (second, head))
    for cell in cells:
        for other in ("distillation", "mean"):
            yield Contrast("head", f"{other} − class", f"{cell.method}, {cell.stem}", (cell, other), (cell, "class"))


def _effect(contrast: Contrast, first: Arm, second: Arm) -> Iterator[dict[str, Any]]:
    seeds = sorted(first.confusions.keys() & second.confusions.keys())
    if not seeds:
        return
    one, other = first.at(seeds), second.at(seeds)
    interval = seeds_interval(one, other)
    yield {
        "factor": contrast.factor,
        "contrast": contrast.name,
        "at": contrast.at,
        "seeds": seeds,
        "difference": {
            **over_seeds(macro_f1(one.sum(axis=1)) - macro_f1(other.sum(axis=1))),
            "interval": interval._asdict() if interval else None,
        },
    }
