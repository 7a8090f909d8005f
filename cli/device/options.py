"""Options that the commands of ``deseptr device`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.numbers import number, whole
from deseptr.contract.limits import ENGINE_THREADS


class I2cAddress(click.ParamType[int]):
    """A 7-bit address on an I2C bus, as ``0x40`` or ``64``.

    Args:
        low: lowest address accepted.
        high: highest address accepted.
    """

    name = "ADDRESS"

    def __init__(self, low: int = 0x08, high: int = 0x77) -> None:
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the address."""
        try:
            address = value if isinstance(value, int) else int(value, 0)
        except (ValueError, TypeError):
            self.fail(f"{value!r} is not an address, such as 0x{self._low:02x}", param, ctx)
        if not self._low <= address <= self._high:
            self.fail(f"{value} is not between 0x{self._low:02x} and 0x{self._high:02x}", param, ctx)
        return address


MODEL = click.Path(path_type=Path)

model_option = click.option(
    "--model", type=MODEL, envvar="DESEPTR_MODEL", show_envvar=True, help="A .tflite file. [default: the packaged one]"
)
engine_option = click.option(
    "--engine",
    "kind",
    type=click.Choice(["auto", "litert", "tflite", "edgetpu"]),
    default="auto",
    show_default=True,
    help="TFLite runtime.",
)
threads_option = click.option(
    "--threads", type=number(ENGINE_THREADS), default=1, show_default=True, help="Threads of the engine."
)
bus_option = click.option(
    "--bus",
    type=whole(0, 65_535),
    default=1,
    show_default=True,
    envvar="DESEPTR_I2C_BUS",
    show_envvar=True,
    help="I2C bus number.",
)
sensor_option = click.option("--sensor", default="auto", show_default=True, help="Chip on the bus.")
address_option = click.option(
    "--address",
    type=I2cAddress(),
    help="I2C address of the chip, as 0x69. [default: its usual one, or the first that answers]",
)
