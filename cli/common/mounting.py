"""``--mounting TURN``: how a sensor is turned against the training of the model."""

from __future__ import annotations

from typing import Any

import click

from deseptr.contract.errors import SetupError
from deseptr.contract.mounting import Mounting

# Repeated from `MountingWatch`, which imports numpy; a test compares the two.
AUTO = "auto"


class MountingName(click.ParamType[Mounting | str]):
    """A turn by right angles, as ``x90`` or ``x90+z180``, or ``auto`` to have it estimated."""

    name = "TURN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mounting | str:
        """Parse the name."""
        if isinstance(value, Mounting):
            return value
        if value == AUTO:
            return AUTO
        try:
            return Mounting.named(str(value))
        except SetupError as error:
            self.fail(f"{error.found} is none of {error.expected}", param, ctx)


worn_mounting_option = click.option(
    "--mounting",
    type=MountingName(),
    help="Turn of the sensor since the training, as x90 (by 90° about x), x90+z180 or none; samples are turned back. "
    "With `auto` the turn is estimated from the recordings of several activities. [default: none, and said if the "
    "sensor seems turned]",
)
