"""Units of recordings: conversion factors to SI, and how the names of columns state them."""

from __future__ import annotations

import math

from deseptr.contract import SENSORS, STANDARD_GRAVITY, DataError

DEGREE = math.pi / 180

_TO_SI = {
    "g": STANDARD_GRAVITY,
    "mg": STANDARD_GRAVITY / 1000,
    "m/s^2": 1.0,
    "rad/s": 1.0,
    "deg/s": DEGREE,
    "dps": DEGREE,
    "mdps": DEGREE / 1000,
    "uT": 1.0,
    "nT": 1e-3,
    "mT": 1e3,
    "gauss": 100.0,
    "mgauss": 0.1,
}

UNITS_OF_ACCELERATION = ("m/s^2", "g", "mg")
UNITS_OF_ROTATION = ("rad/s", "dps", "deg/s", "mdps")
UNITS_OF_FIELD = ("uT", "nT", "mT", "gauss", "mgauss")
UNITS_OF = {"acc": UNITS_OF_ACCELERATION, "gyro": UNITS_OF_ROTATION, "mag": UNITS_OF_FIELD}
"""Units that a recording may have, by sensor."""
ACC_SUFFIX = {"": "m/s^2", "_mps2": "m/s^2", "_ms2": "m/s^2", "_g": "g", "_mg": "mg"}
GYRO_SUFFIX = {"": "rad/s", "_rads": "rad/s", "_radps": "rad/s", "_dps": "dps", "_mdps": "mdps"}
MAG_SUFFIX = {"": "uT", "_ut": "uT", "_uT": "uT", "_nt": "nT", "_nT": "nT", "_gauss": "gauss", "_mgauss": "mgauss"}
SUFFIXES = {"acc": ACC_SUFFIX, "gyro": GYRO_SUFFIX, "mag": MAG_SUFFIX}
# By the name of a column that says its unit.
UNIT_OF_COLUMN = {"t_s": "s", "t_ms": "ms", "t_us": "us", "t_ns": "ns"} | {
    channel + suffix: unit
    for sensor, kind in SENSORS.items()
    for channel in kind.channels
    for suffix, unit in SUFFIXES[sensor].items()
    if suffix
}


def to_si(unit: str, source: object) -> float:
    """Factor that converts a value in ``unit`` to m/s^2, rad/s or uT.

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
