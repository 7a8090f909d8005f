"""Ranges of numbers that people write: finite, bounded at both ends, checked by the same rule everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of a setting.

    Args:
        least: smallest value.
        most: largest value.
        above: whether ``least`` itself is not allowed.
        below: whether ``most`` itself is not allowed.
        whole: whether only whole numbers are allowed.

    >>> share = Limits(0, 1, below=True)
    >>> share.allow(0.5), share.allow(1), share.allow(float("nan")), share.allow(True), share.allow("0.5")
    (True, False, False, False, False)
    >>> print(share)
    at least 0 and below 1
    """

    least: float
    most: float
    above: bool = False
    below: bool = False
    whole: bool = False

    def allow(self, value: object) -> bool:
        """Whether a value is such a number; True and False are none."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number: Any = value
        high_enough = number > self.least if self.above else number >= self.least
        return bool(high_enough and (number < self.most if self.below else number <= self.most))

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {_plain(self.least)}"
        return f"{low} and {'below' if self.below else 'at most'} {_plain(self.most)}"


# More would only wait for each other, and some runtimes start as many as they are told.
ENGINE_THREADS = Limits(1, 256, whole=True)


def _plain(number: float) -> str:
    return f"{number:.15g}"
