"""``deseptr device``: run and profile a model on the wearable, or on a simulated one."""

from __future__ import annotations

import click

from deseptr.cli.common.lazy import LazyGroup

COMMANDS = {
    "run": ("device.run", "Print a label for every window as it arrives."),
    "profile": ("device.profile", "Time a model by stage, from the sensor's FIFO to the label."),
    "evaluate": ("device.evaluate", "Measure a model on labelled recordings, directly and over a simulated bus."),
    "record": ("device.record", "Record labelled samples from the sensor, to train on."),
    "personalise": ("device.personalise", "Correct a model for a wearer: record each activity for some seconds."),
    "doctor": ("device.doctor", "Check board, bus, sensor, runtime and model, line by line."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, epilog="Example: deseptr device run --model mine.tflite --simulate")
def device() -> None:
    """Run a model on an I2C motion sensor, real or simulated, and time it."""
