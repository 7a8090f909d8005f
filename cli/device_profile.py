"""``deseptr device profile``: where the time of a window goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .device_options import ENGINES, MODEL

if TYPE_CHECKING:
    from deseptr.device import Profile, Session


@click.command()
@click.argument("model", type=MODEL)
@click.option("--simulate", metavar="DATA", help="Play DATA (or `synthetic`) through a simulated sensor.")
@click.option("--bus", type=int, envvar="DESEPTR_I2C_BUS", show_envvar=True, help="I2C bus. [default: 1, if any]")
@click.option("--sensor", default="mpu6050", show_default=True, help="Chip on the bus.")
@click.option("--windows", type=click.IntRange(1), default=200, show_default=True, help="Windows to time.")
@click.option("--engine", "kind", type=ENGINES, default="auto", show_default=True, help="TFLite runtime.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of the engine.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object on stdout.")
def profile(
    model: Path,
    simulate: str | None,
    bus: int | None,
    sensor: str,
    windows: int,
    kind: str,
    threads: int,
    as_json: bool,
) -> None:
    """Time MODEL by stage, from the sensor's FIFO to the label.

    Uses the sensor on the bus if there is one, otherwise a simulated one, and says which.

    \b
    Examples:
      deseptr device profile m.tflite --windows 500
      deseptr device profile m.tflite --simulate synthetic --json
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device import load_engine, profile_model

    from .device_view import show_profile

    engine = load_engine(model, kind, threads)
    sessions = _profile_sessions(simulate, bus, sensor)
    with click.progressbar(length=windows, label="profiling", file=sys.stderr) as bar:
        result: Profile = profile_model(
            engine, sessions, windows=windows, progress=lambda count: bar.update(count - bar.pos)
        )
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        show_profile(result)


def _profile_sessions(simulate: str | None, bus: int | None, sensor: str) -> Callable[[], Iterator[Session]]:
    from deseptr.device import bus_exists, live_session

    if simulate is None and (bus is not None or bus_exists(1)):
        return lambda: iter((live_session(1 if bus is None else bus, sensor),))
    from deseptr.data import load_dataset
    from deseptr.firmware_harness import simulated_sessions

    if simulate is None:
        click.echo("no /dev/i2c-1: profiling with a simulated sensor on a synthetic wearer", err=True)
    dataset = load_dataset(simulate or "synthetic")
    return lambda: simulated_sessions(dataset, sensor=sensor)
