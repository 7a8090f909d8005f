"""``deseptr firmware``: what a board would cost, without the board."""

from __future__ import annotations

import click

from deseptr.firmware_harness.arm.command import arm_cost


@click.group(epilog="Example: deseptr firmware arm-cost mine.tflite --cpu cortex-a53")
def firmware() -> None:
    """Try a model on an emulated board."""


firmware.add_command(arm_cost)
