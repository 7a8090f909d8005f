"""``deseptr device``: run and profile a model on the wearable, or on a simulated one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from deseptr.device import Engine, Profile, Profiler, Session

ENGINES = click.Choice(["auto", "litert", "tflite"])
MODEL = click.Path(path_type=Path)


@click.group()
def device() -> None:
    """Run a model on an I2C motion sensor, real or simulated, and time it."""


@device.command()
@click.option(
    "--model", type=MODEL, envvar="DESEPTR_MODEL", show_envvar=True, help="A .tflite file. [default: the packaged one]"
)
@click.option(
    "--simulate",
    metavar="[DATA]",
    is_flag=False,
    flag_value="synthetic",
    help="Play DATA through a simulated sensor; without DATA, a synthetic wearer.",
)
@click.option("--subject", "subjects", metavar="S", help="With --simulate: only these subjects, as 5,10,12-14.")
@click.option("--bus", default=1, show_default=True, envvar="DESEPTR_I2C_BUS", show_envvar=True, help="I2C bus number.")
@click.option("--sensor", default="mpu6050", show_default=True, help="Chip on the bus.")
@click.option("--engine", "kind", type=ENGINES, default="auto", show_default=True, help="TFLite runtime.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of the engine.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Stop after so much of the wearer's time.")
@click.option(
    "--speed",
    type=click.Choice(["max", "realtime"]),
    default="max",
    show_default=True,
    help="With --simulate: as fast as it goes, or as fast as it was worn.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout, the summary on stderr.")
def run(
    model: Path | None,
    simulate: str | None,
    subjects: str | None,
    bus: int,
    sensor: str,
    kind: str,
    threads: int,
    seconds: float | None,
    speed: str,
    as_json: bool,
) -> None:
    """Print a label for every window, as it comes.

    \b
    Examples:
      deseptr device run                                    # sensor on /dev/i2c-1
      deseptr device run --simulate                         # no hardware: a synthetic wearer
      deseptr device run --model m.tflite --simulate walk.csv --json
      deseptr device run --simulate motionsense.npz --subject 5 --speed realtime
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device import Profiler, default_model, live_session, load_engine, run_live

    from .device_view import RunView

    if subjects and simulate is None:
        raise click.UsageError("--subject goes with --simulate")
    engine = load_engine(model or default_model(), kind, threads)
    profiler = Profiler()
    events: Iterator[Any]
    if simulate is None:
        events = run_live(engine, live_session(bus, sensor), seconds=seconds, profiler=profiler)
    else:
        events = _replay(engine, simulate, subjects, sensor, speed, seconds, profiler)
    view = RunView(engine.contract.labels, as_json=as_json, simulated=simulate is not None)
    with _interruptible():
        for event in events:
            view.show(event)
    view.summary(profiler)


@device.command()
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


def _replay(
    engine: Engine,
    data: str,
    subjects: str | None,
    sensor: str,
    speed: str,
    seconds: float | None,
    profiler: Profiler,
) -> Iterator[Any]:
    from deseptr.data import load_dataset, parse_subjects
    from deseptr.firmware_harness import PacedClock, VirtualClock, replay

    dataset = load_dataset(data)
    if subjects:
        dataset = dataset.select(subjects=parse_subjects(subjects))
    make_clock = PacedClock if speed == "realtime" else VirtualClock
    return replay(engine, dataset, sensor=sensor, seconds=seconds, make_clock=make_clock, profiler=profiler)


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


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("", err=True)
