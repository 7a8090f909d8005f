"""Options that the commands of ``deseptr device`` share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from deseptr.cli.common.numbers import number, whole
from deseptr.contract.limits import ENGINE_THREADS
from deseptr.device.drivers.bmi270_config import ENVIRONMENT as BMI270_CONFIG

Command = TypeVar("Command", bound=Callable[..., Any])


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


def _remember_config(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Hand the file on by the environment variable, which the driver reads whoever runs it."""
    if path is not None:
        os.environ[BMI270_CONFIG] = str(path)


def sensor_option(command: Command) -> Command:
    """``--sensor``, and what single chips need besides."""
    config = click.option(
        "--bmi270-config",
        type=click.Path(path_type=Path),
        envvar=BMI270_CONFIG,
        show_envvar=True,
        expose_value=False,
        callback=_remember_config,
        help="Bosch's configuration file, of a BMI270. [default: Linux's, or that of the package bmi270]",
    )
    return click.option("--sensor", default="auto", show_default=True, help="Chip on the bus.")(config(command))


address_option = click.option(
    "--address",
    type=I2cAddress(),
    help="I2C address of the chip, as 0x69. [default: its usual one, or the first that answers]",
)
wearer_option = click.option(
    "--wearer",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Correct the model for the wearer of this file, see `device personalise`.",
)
