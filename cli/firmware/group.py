"""``deseptr firmware``: the wearable on the desk, and the way onto the real one."""

from __future__ import annotations

import click

from deseptr.cli.common.lazy import LazyGroup

COMMANDS = {
    "simulate": ("firmware.simulate", "Put a simulated sensor where programs look for a real one."),
    "scenarios": ("firmware.scenarios", "List the failures that a simulated sensor can be put through."),
    "arm-cost": ("firmware.arm_cost", "Count a model's instructions on an emulated board."),
    "verify-arm": ("firmware.verify_arm", "Install, run and check all this on an emulated board."),
    "flash": ("firmware.flash", "Put a model onto a board over ssh, and go back if it fails there."),
    "status": ("firmware.board", "Say what runs on a board."),
    "logs": ("firmware.board", "Print the service's last lines."),
    "rollback": ("firmware.board", "Make the release before run again."),
    "uninstall": ("firmware.board", "Remove all from a board."),
    "measure": ("firmware.measure", "Time and score a model on a board, beside this machine."),
    "bundle": ("firmware.bundle", "Make one file of all that a board needs."),
    "boot-files": ("firmware.boot_files", "Prepare a fresh SD card's boot partition."),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    epilog="Example: deseptr firmware arm-cost mine.tflite --cpu cortex-a53",
)
def firmware() -> None:
    """Try a model without a board, and put it onto one."""
