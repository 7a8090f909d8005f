"""Types of options that are numbers: every one is finite and has a smallest and a largest value.

``click``'s own ranges let NaN pass, cut 2.5 to 2 where a file has it, and take ``true`` for 1.
"""

from __future__ import annotations

import math
from typing import Any

import click

from deseptr.contract.limits import Limits


class WholeNumber(click.IntRange):
    """A whole number within limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse and check a value."""
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        return super().convert(value, param, ctx)


class RealNumber(click.FloatRange):
    """A finite number within limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse and check a value."""
        if isinstance(value, bool):
            self.fail(f"{value!r} is not a number.", param, ctx)
        try:
            number = super().convert(value, param, ctx)
        except OverflowError:  # an integer of 400 digits
            number = math.inf
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def number(limits: Limits) -> WholeNumber | RealNumber:
    """The type of an option with these limits."""
    if limits.whole:
        return WholeNumber(int(limits.least), int(limits.most), limits.above, limits.below)
    return RealNumber(limits.least, limits.most, limits.above, limits.below)


def whole(least: int, most: int) -> WholeNumber | RealNumber:
    """The type of an option that is a whole number from ``least`` to ``most``."""
    return number(Limits(least, most, whole=True))


def real(least: float, most: float, *, above: bool = False, below: bool = False) -> WholeNumber | RealNumber:
    """The type of an option that is a number from ``least`` to ``most``, without the one or the other if so said."""
    return number(Limits(least, most, above, below))
