"""Names and units of channels: three axes of each sensor, in the order of :data:`SENSORS`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from .errors import DataError


class SensorKind(NamedTuple):
    """A sensor of three axes.

    Args:
        channels: names of its axes.
        unit: unit of all three, SI; a magnetic field is in microtesla, ``uT``.
        title: what it measures, for messages.
    """

    channels: tuple[str, str, str]
    unit: str
    title: str


SENSORS = {
    "acc": SensorKind(("acc_x", "acc_y", "acc_z"), "m/s^2", "acceleration"),
    "gyro": SensorKind(("gyro_x", "gyro_y", "gyro_z"), "rad/s", "angular rate"),
    "mag": SensorKind(("mag_x", "mag_y", "mag_z"), "uT", "magnetic field"),
}
"""Sensors that recordings may have, by the names that ``--channels`` takes, in the order of their channels."""

ALL_CHANNELS = tuple(channel for kind in SENSORS.values() for channel in kind.channels)
"""The channels of every sensor."""
CHANNELS = ALL_CHANNELS[:6]
"""Those of an inertial sensor, accelerometer and gyroscope: what is meant where nobody says which."""
_UNIT_OF = {channel: kind.unit for kind in SENSORS.values() for channel in kind.channels}
UNITS = tuple(_UNIT_OF[channel] for channel in CHANNELS)


def channels_of(sensors: Collection[str]) -> tuple[str, ...]:
    """Channels of sensors, in the order of :data:`SENSORS`.

    >>> channels_of(["acc"])
    ('acc_x', 'acc_y', 'acc_z')
    """
    return tuple(channel for name, kind in SENSORS.items() if name in sensors for channel in kind.channels)


def sensors_of(channels: Collection[str]) -> tuple[str, ...]:
    """Sensors of which all three channels are there, in the order of :data:`SENSORS`."""
    return tuple(name for name, kind in SENSORS.items() if set(kind.channels) <= set(channels))


def unit_of(channel: str) -> str:
    """Unit of one of :data:`ALL_CHANNELS`."""
    return _UNIT_OF[channel]


def units_of(channels: Sequence[str]) -> tuple[str, ...]:
    """Unit of each of some of :data:`ALL_CHANNELS`."""
    return tuple(map(unit_of, channels))


def parse_sensors(text: str, source: str = "--channels") -> tuple[str, ...]:
    """Sensors out of a list such as ``acc`` or ``acc,gyro``, each once, in the order of :data:`SENSORS`.

    Raises:
        DataError: if there is none, or one is unknown.

    >>> parse_sensors("gyro,acc")
    ('acc', 'gyro')
    """
    named = [part.strip() for part in text.split(",")]
    if not set(named) <= SENSORS.keys():
        raise DataError(
            source, found=repr(text), expected=f"some of {', '.join(SENSORS)}, as acc,gyro", next_step="correct it"
        )
    return tuple(name for name in SENSORS if name in named)


def columns_of(
    wanted: Sequence[str], present: Sequence[str], source: str, next_step: str = "choose from these with --channels"
) -> list[int]:
    """Positions of the wanted channels among those present.

    Raises:
        DataError: with both lists if one is not there.

    >>> columns_of(["gyro_x", "acc_x"], CHANNELS, "recordings")
    [3, 0]
    """
    if not set(wanted) <= set(present):
        raise DataError(
            source, found=f"the channels {', '.join(present)}", expected=", ".join(wanted), next_step=next_step
        )
    return [present.index(channel) for channel in wanted]
