"""Option types for the factors of the lab: lists of levels, checked while the command line is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Level = TypeVar("_Level")
_MOST_WEARERS = 1_000_000
# Nobody trains more often, and a range of a billion would fill the memory.
LARGEST_SEED = 10_000


class Levels(click.ParamType[tuple[str, ...]]):
    """A list of known names, such as ``soft,hard``."""

    name = "LEVELS"

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        chosen = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        unknown = [level for level in chosen if level not in self.known]
        if unknown:
            self.fail(f"found {unknown[0]!r}, expected some of {','.join(self.known)}", param, ctx)
        return chosen


class Temperatures(click.ParamType[tuple[float, ...]]):
    """A list of temperatures, such as ``1,2,4``."""

    name = "TEMPERATURES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        return _parsed(self, value, _temperatures, "numbers above 0, as 1,2,4", param, ctx)


class Counts(click.ParamType[tuple[int, ...]]):
    """A list of numbers of labelled wearers in rising order, such as ``3,6,all``; all is 0 and comes last."""

    name = "COUNTS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        return _parsed(self, value, _counts, "numbers of wearers or all, as 3,6,12,all", param, ctx)


class Seeds(click.ParamType[tuple[int, ...]]):
    """A number of seeds, counted from 0, or a list of them such as ``0,2,5-7``."""

    name = "SEEDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parse the number or list."""
        if isinstance(value, tuple):
            return value
        return _parsed(self, str(value), _seeds, "a number, as 3, or a list, as 0,2,5-7", param, ctx)


def _parsed(
    kind: click.ParamType[tuple[_Level, ...]],
    text: str,
    parse: Callable[[str], tuple[_Level, ...]],
    expected: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> tuple[_Level, ...]:
    try:
        levels = tuple(dict.fromkeys(parse(text)))
    except ValueError:
        levels = ()
    return levels or kind.fail(f"found {text!r}, expected {expected}", param, ctx)


def _temperatures(text: str) -> tuple[float, ...]:
    values = tuple(float(part) for part in text.split(","))
    if not all(0 < value < float("inf") for value in values):
        raise ValueError(text)
    return values


def _counts(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    counts = sorted(int(part) for part in parts if part != "all")
    if counts and not 0 < counts[0] <= counts[-1] <= _MOST_WEARERS:
        raise ValueError(text)
    return (*counts, 0) if "all" in parts else tuple(counts)


def _seeds(text: str) -> tuple[int, ...]:
    if text.strip().isdecimal():
        return tuple(range(_bounded(text)))
    seeds: list[int] = []
    for part in text.split(","):
        bounds = re.fullmatch(r"(\d+)-(\d+)", part.strip())
        first, last = map(_bounded, bounds.groups() if bounds else (part, part))
        if not 0 <= first <= last:
            raise ValueError(text)
        seeds.extend(range(first, last + 1))
    return tuple(seeds)


def _bounded(text: str) -> int:
    """A number of seeds, or the number of one."""
    value = int(text)
    if value > LARGEST_SEED:
        raise ValueError(text)
    return value
