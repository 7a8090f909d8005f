"""``deseptr firmware``: the wearable on the desk, and the way onto the real one."""

from __future__ import annotations

import click

from .lazy import LazyGroup

COMMANDS = {
    "simulate": ("firmware_simulate", "Put a simulated sensor where programs look for a real one."),
    "arm-cost": ("firmware_arm_cost", "Count a model's instructions on an emulated board."),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    epilog="Example: deseptr firmware arm-cost mine.tflite --cpu cortex-a53",
)
def firmware() -> None:
    """Try a model without a board, and put it onto one."""
