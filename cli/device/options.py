"""Option types that the commands of ``deseptr device`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class Address(click.ParamType[int]):
    """A 7-bit address on an I2C bus, as ``0x40`` or ``64``.

    Args:
        low: the lowest that will do.
        high: the highest.
    """

    name = "ADDRESS"

    def __init__(self, low: int = 0x08, high: int = 0x77) -> None:
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the address."""
        try:
            address = value if isinstance(value, int) else int(value, 0)
        except ValueError:
            self.fail(f"{value!r} is no address, such as 0x{self._low:02x}", param, ctx)
        if not self._low <= address <= self._high:
            self.fail(f"{value} is not within 0x{self._low:02x} and 0x{self._high:02x}", param, ctx)
        return address


ADDRESS = Address()
ENGINES = click.Choice(["auto", "litert", "tflite", "edgetpu"])
MODEL = click.Path(path_type=Path)
