"""``--mounting`` of a run and of recordings that are played: a turn that is named, or estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.mounting import MountingName

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import MountingWatch

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
