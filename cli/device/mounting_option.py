"""``--mounting``: how the sensor is turned against the training of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from deseptr.contract.errors import SetupError
from deseptr.contract.mounting import Mounting

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import MountingWatch

# Repeated from `MountingWatch`, which imports numpy; a test compares the two.
AUTO = "auto"


class MountingName(click.ParamType[Mounting | str]):
    """A turn by right angles, as ``x90`` or ``x90+z180``, or ``auto``."""

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


mounting_option = click.option(
    "--mounting",
    type=MountingName(),
    help="Turn of the sensor since the training, as x90 (by 90° about x), x90+z180 or none; samples are turned back. "
    "With `auto` the turn is estimated. [default: estimated and said, if the model can]",
)

recorded_mounting_option = click.option(
    "--mounting",
    type=MountingName(),
    help="Turn of the sensor of DATA since the training, as x90 (by 90° about x), x90+z180 or none; samples are turned "
    "back. With `auto` the turn is estimated in each recording over the bus, and corrected from then on.",
)


def make_mounting(chosen: Mapping[str, Any], contract: ModelContract) -> MountingWatch | None:
    """The watch over the mounting that the options ask for."""
    from deseptr.device import MountingWatch

    return MountingWatch.of(contract, chosen["mounting"])
