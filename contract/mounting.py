"""How a sensor is mounted, compared with the recordings of a model's training: one of 24 turns by right angles.

A name says by which turns the sensor came from its mounting in training to its own: ``x90`` is a turn by 90° about x,
``x90+z180`` that and then one by 180° about z. The axes are those of the training and stay where they are; angles
follow the right hand. :data:`AS_TRAINED`, which has the name ``none``, is no turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from .errors import SetupError

_AXES = "xyz"
_STEP = re.compile(r"([xyz])(90|180|270)")


@dataclass(frozen=True, slots=True)
class Mounting:
    """A turn of the sensor, as the correction of its samples: axes that change places, and signs.

    What a turned sensor measures on its axis ``columns[i]``, times ``signs[i]``, is what it would have measured on its
    axis ``i`` without the turn. Every number stays the same but for its sign, so that nothing is rounded.

    Args:
        columns: a permutation of 0, 1 and 2.
        signs: 1 or -1 for each corrected axis.

    Raises:
        SetupError: if it is no turn, such as a mirror image.

    >>> Mounting.named("x90")
    Mounting(columns=(0, 2, 1), signs=(1, -1, 1))
    >>> Mounting.named("x90").then(Mounting.named("x270")) == AS_TRAINED
    True
    """

    columns: tuple[int, int, int]
    signs: tuple[int, int, int]

    def __post_init__(self) -> None:
        right = sorted(self.columns) == [0, 1, 2] and set(self.signs) <= {1, -1} and len(self.signs) == 3
        # A turn keeps handedness: the sign of the permutation and those of the axes cancel.
        if not right or _parity(self.columns) * self.signs[0] * self.signs[1] * self.signs[2] != 1:
            raise SetupError(
                "mounting",
                found=f"columns {self.columns} with signs {self.signs}",
                expected="a turn by right angles",
                next_step="exchange two axes, or change a sign",
            )

    @classmethod
    def named(cls, name: str, source: str = "mounting") -> Mounting:
        """The turn of a name, such as ``none``, ``z180`` or ``x90+z180``; several names may mean the same turn.

        Args:
            name: turns by 90, 180 or 270 degrees, one after another.
            source: where the name comes from, for the error message.

        Raises:
            SetupError: if it is no such name.
        """
        steps = [] if name == "none" else name.split("+")
        if len(steps) > 8 or not all(_STEP.fullmatch(step) for step in steps):
            raise SetupError(
                source,
                found=repr(name[:60]),
                expected="turns such as x90, z180 or x90+z180, or none",
                next_step="name the axis and the degrees (90, 180 or 270) by which the sensor is turned",
            )
        turned = AS_TRAINED
        for step in steps:
            axis = _AXES.index(step[0])
            for _ in range(int(step[1:]) // 90):
                turned = turned.then(_quarter_turn(axis))
        return turned

    @property
    def name(self) -> str:
        """The shortest name; equal turns have equal names."""
        return _NAMES[self]

    @property
    def degrees(self) -> int:
        """The angle of the one turn that is the same: 0, 90, 120 or 180."""
        trace = sum(self.signs[axis] for axis in range(3) if self.columns[axis] == axis)
        return {3: 0, 1: 90, 0: 120, -1: 180}[trace]

    def then(self, later: Mounting) -> Mounting:
        """This turn, and then another one."""
        return Mounting(
            _three(self.columns[column] for column in later.columns),
            _three(later.signs[axis] * self.signs[later.columns[axis]] for axis in range(3)),
        )

    def inverse(self) -> Mounting:
        """The turn back."""
        places = [self.columns.index(axis) for axis in range(3)]
        return Mounting(_three(places), _three(self.signs[place] for place in places))

    def __str__(self) -> str:
        """As a part of a sentence: ``turned by 90° about x``."""
        if self == AS_TRAINED:
            return "as in training"
        return "turned by " + ", then by ".join(f"{step[1:]}° about {step[0]}" for step in self.name.split("+"))


def _parity(columns: tuple[int, ...]) -> int:
    return 1 if columns in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else -1


def _quarter_turn(axis: int) -> Mounting:
    first, second = (axis + 1) % 3, (axis + 2) % 3
    columns, signs = [0, 1, 2], [1, 1, 1]
    columns[first], columns[second], signs[first] = second, first, -1
    return Mounting(_three(columns), _three(signs))


def _three(values: Iterable[int]) -> tuple[int, int, int]:
    first, second, third = values
    return first, second, third


def _shortest_names() -> dict[Mounting, str]:
    steps = [f"{axis}{degrees}" for axis in _AXES for degrees in (90, 180, 270)]
    names = ["none", *steps, *("+".join(pair) for pair in product(steps, steps))]
    found: dict[Mounting, str] = {}
    for name in names:
        found.setdefault(Mounting.named(name), name)
    return found


AS_TRAINED = Mounting((0, 1, 2), (1, 1, 1))
"""No turn."""
_NAMES = _shortest_names()
MOUNTINGS = tuple(_NAMES)
"""All 24 turns, those with shorter names first."""
