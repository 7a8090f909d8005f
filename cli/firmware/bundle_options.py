"""Options for the content of a bundle."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deseptr.cli.common.numbers import real, whole
from deseptr.cli.common.option_rules import goes_without

from .service_page import listen_of

if TYPE_CHECKING:
    from deseptr.firmware_harness.deploy import BundleRequest

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = [
    click.argument("run", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS]"),
    click.option("--sensor", help="Chip on the bus. [default: that of `deseptr device run`]"),
    click.option("--bus", type=whole(0, 65_535), default=1, show_default=True, help="I2C bus on the board."),
    click.option("--simulate", metavar="DATA", help="Play DATA, such as `synthetic`, in place of a sensor."),
    click.option(
        "--network",
        is_flag=True,
        help="Allow the service network access, with MQTT; implied by --mqtt in ARGS. --web in ARGS needs none.",
    ),
    click.option("--gate-seconds", type=real(1, 3600), default=10.0, show_default=True, help="Length of the trial."),
    click.option("--build", type=whole(0, 2**53), help="Build number. [default: seconds since 1970]"),
    click.option("--sign", "key", type=click.Path(path_type=Path), help="Sign with this ssh key."),
    click.option(
        "--wheel", type=click.Path(path_type=Path), help="Wheel of deseptr. [default: built from this installation]"
    ),
    click.option("--wheels", multiple=True, type=click.Path(path_type=Path), help="Folder with additional wheels."),
]

BUNDLE_NAMES = ("run", "sensor", "bus", "simulate", "network", "gate_seconds", "build", "key", "wheel", "wheels")


def bundle_options(command: F) -> F:
    """Add the options of :func:`bundle_request` to a command."""
    command = goes_without("simulate", "bus", why="plays in place of a sensor")(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def bundle_request(options: dict[str, Any], target: Any = None) -> BundleRequest:
    """Make the bundle request from a command's options.

    Args:
        options: values of the options.
        target: target of the board, if it is known already.
    """
    from deseptr.firmware_harness.deploy import BundleRequest
    from deseptr.firmware_harness.deploy.target.manifest import BoardTarget

    simulate = options["simulate"]
    network = options["network"] or any(word.startswith("--mqtt") for word in options["run"])
    listen = listen_of(options["run"])
    sensor = ["--sensor", options["sensor"]] if options["sensor"] else []
    on_bus = ["--bus", str(options["bus"])]
    own_source = any(word.partition("=")[0] in ("--simulate", "--scenario") for word in options["run"])
    source = ["--simulate", simulate, "--speed", "realtime"] if simulate else [] if own_source else on_bus
    return BundleRequest(
        model=options["model"],
        target=target or BoardTarget("", "", ""),
        build=int(time.time()) if options["build"] is None else options["build"],
        run=(*source, *sensor, *options["run"]),
        doctor=("--simulate", *sensor) if simulate else (*on_bus, *sensor),
        seconds=options["gate_seconds"],
        bus=None if simulate else options["bus"],
        network=network,
        extras=(*(["mqtt"] if network else []), *(["web"] if listen else [])),
        listen=listen,
        wheel=options["wheel"],
        wheels=options["wheels"],
        key=options["key"],
    )
