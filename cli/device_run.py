"""``deseptr device run``: labels as they come, from a sensor on I2C or a simulated one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .device_options import ENGINES, MODEL

if TYPE_CHECKING:
    from deseptr.device import Engine, Profiler


@click.command()
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


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("", err=True)
