"""Conversion factors from the units of recordings to SI."""

from __future__ import annotations

import math

from deseptr.contract import STANDARD_GRAVITY, DataError

DEGREE = math.pi / 180

_TO_SI = {
    "g": STANDARD_GRAVITY,
    "mg": STANDARD_GRAVITY / 1000,
    "m/s^2": 1.0,
    "rad/s": 1.0,
    "deg/s": DEGREE,
    "dps": DEGREE,
    "mdps": DEGREE / 1000,
}


def to_si(unit: str, source: object) -> float:
    """Factor that converts a value in ``unit`` to m/s^2 or rad/s.

    Raises:
        DataError: if the unit is unknown.
    """
    if unit not in _TO_SI:
        raise DataError(
            f"{source}: units",
            found=repr(unit),
            expected=f"one of {', '.join(_TO_SI)}",
            next_step="convert the values and name their unit",
        )
    return _TO_SI[unit]
