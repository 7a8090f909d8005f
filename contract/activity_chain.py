"""How long activities last and which follow which, as learned from recordings: a Markov chain of their stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import SetupError

MOST_STAGES = 16
# A chain of longer or shorter ones is none of people, and its rates leave the numbers that can be held.
SHORTEST_S, LONGEST_S = 1e-3, 1e7
_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ActivityChain:
    """A hidden Markov model of activities in continuous time.

    An activity passes through ``stages`` of equal mean duration, one after the other, so that its duration has an
    Erlang distribution and very short ones are unlikely (Rabiner, A tutorial on hidden Markov models, Proc. IEEE 77,
    1989, section IV.D on explicit durations). What a window says counts with ``weight`` a second, since the windows of
    successive hops share most of their samples.

    Args:
        durations_s: mean duration of each class, s.
        following: for each class, the probabilities of the classes that follow it; 0 for itself.
        stages: of an activity.
        weight: exponent of a window's probabilities, for each second of hop.
        floor: added to every probability of a window, so that no single window rules a class out.

    Raises:
        SetupError: if a number is out of its range, or the sizes do not fit.

    >>> ActivityChain((20.0, 3.0), ((0.0, 1.0), (1.0, 0.0))).classes
    2
    """

    durations_s: tuple[float, ...]
    following: tuple[tuple[float, ...], ...]
    stages: int = 4
    weight: float = 0.3
    floor: float = 0.01

    def __post_init__(self) -> None:
        count = len(self.durations_s)
        right = all(SHORTEST_S <= each <= LONGEST_S for each in self.durations_s)
        _check("durations_s", self.durations_s, right, f"{SHORTEST_S:g} to {LONGEST_S:g} s")
        square = len(self.following) == count and all(len(row) == count for row in self.following)
        _check("following", f"{len(self.following)} rows", square, f"{count} rows of {count}")
        for index, row in enumerate(self.following):
            right = all(0 <= each <= 1 for each in row) and abs(sum(row) - 1) < _SUM_TOLERANCE and not row[index]
            _check("following", row, right, "probabilities of the other classes, whose sum is 1")
        _check("stages", self.stages, 1 <= self.stages <= MOST_STAGES, f"1 to {MOST_STAGES}")
        _check("weight", self.weight, 0 < self.weight <= 100, "above 0, 100 at most")
        _check("floor", self.floor, 0 < self.floor <= 1, "above 0, 1 at most")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.durations_s)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "durations_s": list(self.durations_s),
            "following": [list(row) for row in self.following],
            "stages": self.stages,
            "weight": self.weight,
            "floor": self.floor,
        }

    @classmethod
    def from_dict(cls, content: Any) -> ActivityChain:
        """What :meth:`to_dict` gave.

        Raises:
            ValueError: if a key is missing, unknown, or of another type.
            SetupError: if a number is out of its range.
        """
        names = {"durations_s", "following", "stages", "weight", "floor"}
        if not isinstance(content, dict) or content.keys() != names:
            raise ValueError(f"chain has not the fields {', '.join(sorted(names))}")
        stages = content["stages"]
        if isinstance(stages, bool) or not isinstance(stages, int):
            raise ValueError("chain: stages is no whole number")
        return cls(
            _numbers(content["durations_s"]),
            tuple(_numbers(row) for row in _list(content["following"])),
            stages,
            *_numbers([content["weight"], content["floor"]]),
        )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("chain: not a list")
    return value


def _numbers(values: Any) -> tuple[float, ...]:
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in _list(values)):
        raise ValueError("chain: not a list of numbers")
    return tuple(float(each) for each in values)


def _check(setting: str, found: object, right: bool, expected: str) -> None:
    if not right:
        raise SetupError(f"chain: {setting}", found=found, expected=expected, next_step="tune the model again")
