"""Option types that the commands of ``deseptr device`` share."""

from __future__ import annotations

from pathlib import Path

import click


class Address(click.ParamType[int]):
    """A 7-bit I2C address, decimal or as ``0x68``."""

    name = "ADDRESS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse it; addresses below 0x08 and above 0x77 are reserved (UM10204, section 3.1.12)."""
        try:
            address = int(str(value), 0)
        except ValueError:
            address = -1
        if not 0x08 <= address <= 0x77:
            self.fail(f"{value!r} is no 7-bit address from 0x08 to 0x77", param, ctx)
        return address


ADDRESS = Address()
ENGINES = click.Choice(["auto", "litert", "tflite", "edgetpu"])
MODEL = click.Path(path_type=Path)
