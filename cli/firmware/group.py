"""``deseptr firmware``: simulate a wearable, and deploy to a real one."""

from __future__ import annotations

import click

from deseptr.cli.common.lazy import LazyGroup

COMMANDS = {
    "simulate": ("firmware.simulate", "Simulate a sensor for programs that read a real one."),
    "scenarios": ("firmware.scenarios", "List and check the failures of a simulated sensor."),
    "arm-cost": ("firmware.arm_cost", "Count a model's instructions on an emulated board."),
    "verify-arm": ("firmware.verify_arm", "Install, run and check deseptr on an emulated board."),
    "flash": ("firmware.flash", "Install a model on a board over ssh, and roll back if it fails there."),
    "status": ("firmware.board", "Show what runs on a board."),
    "logs": ("firmware.board", "Print the service's last lines of output."),
    "rollback": ("firmware.board", "Return to the previous good release."),
    "uninstall": ("firmware.board", "Remove the service and its files from a board."),
    "measure": ("firmware.measure", "Time and score a model on a board and on this machine."),
    "bundle": ("firmware.bundle", "Pack everything a board needs into one file."),
    "boot-files": ("firmware.boot_files", "Prepare a fresh SD card's boot partition."),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    epilog="Example: deseptr firmware arm-cost mine.tflite --cpu cortex-a53",
)
def firmware() -> None:
    """Try a model without a board, and deploy it to one."""
