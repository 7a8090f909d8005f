"""Effects of each factor of the lab: paired differences of macro-F1 between variants that differ only in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from deseptr.contract import macro_f1, seeds_interval

from .grid import Cell
from .variants import Variant, over_seeds

_Place = tuple[Cell, str]


@dataclass(frozen=True)
class Contrast:
    """Difference between two variants.

    Args:
        factor: factor in which they differ, ``"stem"``, ``"distillation"`` or ``"head"``.
        name: name of the difference, as ``soft − none``.
        at: what they have in common.
        first: cell and head of the first variant.
        second: cell and head of the variant that is subtracted.
    """

    factor: str
    name: str
    at: str
    first: _Place
    second: _Place


def effects(variants: Sequence[Variant], head: str) -> list[dict[str, Any]]:
    """The effects of stem, distillation and head, each at every level of the others.

    A difference is computed for each seed and averaged; its interval resamples seeds and subjects, the same for both
    variants.

    Args:
        variants: variants of the grid; int8 variants and the teacher are ignored.
        head: head at which stems and distillations are compared.

    Returns:
        Plain JSON values, one entry for each contrast whose variants have a seed in common.
    """
    found = {(variant.cell, variant.head): variant for variant in variants if variant.cell and variant.kind == "float"}
    cells = list(dict.fromkeys(variant.cell for variant in variants if variant.cell))
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


def _effect(contrast: Contrast, first: Variant, second: Variant) -> Iterator[dict[str, Any]]:
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
