"""``deseptr device profile``: latency of a window by stage, its costs, and the caveats of the figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import progress_bar
from deseptr.cli.common.numbers import real, whole
from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.common.options import load_as_imported
from deseptr.cli.common.page_origin import page_origin

from .options import MODEL, I2cAddress, engine_option, sensor_option, threads_option

if TYPE_CHECKING:
    from deseptr.device import Extra, Power, Session
    from deseptr.tflite import Engine

_FILE = click.Path(dir_okay=False, path_type=Path)
_JSON_START = b'{\n  "model": '

GROUPS = {
    "Sensor": ("simulate", "bus", "sensor", "bmi270_config", "speed"),
    "Timing": ("windows", "hop", "kind", "threads", "threads_sweep", "ops", "cold_starts"),
    "Power": ("ina219", "shunt"),
    "Results": ("output", "html", "as_json"),
}


@click.command(cls=GroupedCommand, groups=GROUPS)
@click.argument("model", type=MODEL)
@click.option("--simulate", metavar="DATA", help="Play DATA (or `synthetic`) through a simulated sensor.")
@click.option(
    "--bus", type=whole(0, 65_535), envvar="DESEPTR_I2C_BUS", show_envvar=True, help="I2C bus. [default: 1, if any]"
)
@sensor_option
@click.option("--windows", type=whole(1, 1_000_000), default=200, show_default=True, help="Windows to time.")
@click.option(
    "--speed",
    type=click.Choice(["max", "realtime"]),
    default="max",
    show_default=True,
    help="With a simulated sensor: as fast as possible, or with real waits between polls.",
)
@click.option(
    "--hop",
    type=real(0, 3600, above=True),
    help="Time from one window to the next, seconds. [default: as tuned, else that of the training]",
)
@engine_option
@threads_option
@click.option("--threads-sweep", is_flag=True, help="Also time an inference with 1, 2 and 4 threads.")
@click.option("--ops", is_flag=True, help="Also time each operation, with graphs that end after it.")
@click.option(
    "--cold-starts",
    type=whole(0, 1000),
    default=3,
    show_default=True,
    help="Number of timed starts, each in a new process.",
)
@click.option(
    "--ina219",
    type=I2cAddress(0x40, 0x4F),
    help="Measure power with an INA219 at this address on the bus, 0x40 to 0x4f. [default: the board's own, if any]",
)
@click.option(
    "--shunt", type=real(0, 1000, above=True), default=0.1, show_default=True, help="Shunt of the INA219, ohm."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
@click.option("-o", "--output", type=_FILE, help="Write the JSON to this file.")
@click.option("--html", type=_FILE, help="Write a page to this file.")
@goes_with("ina219", "shunt")
@goes_without("simulate", "bus", why="has a bus of its own", unless="ina219")
@goes_without("bus", "speed", why="has a sensor of its own speed", unless="simulate")
def profile(
    model: Path,
    simulate: str | None,
    bus: int | None,
    sensor: str,
    windows: int,
    speed: str,
    hop: float | None,
    kind: str,
    threads: int,
    threads_sweep: bool,
    ops: bool,
    cold_starts: int,
    ina219: int | None,
    shunt: float,
    as_json: bool,
    output: Path | None,
    html: Path | None,
) -> None:
    """Time MODEL by stage, from the sensor's FIFO to the label, and measure memory, energy and other costs.

    Uses the sensor on the bus if there is one, otherwise a simulated one, and reports which. Caveats come first:
    conditions under which the figures differ from those of a worn device, such as emulation, throttling, a
    simulated bus or a clock governor that saves power.

    \b
    Examples:
      deseptr device profile m.tflite --windows 500 --html profile.html
      deseptr device profile m.tflite --threads-sweep --ops --json
      deseptr device profile m.tflite --simulate synthetic --speed realtime \\
          --windows 20
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from functools import partial

    from deseptr.device import profile_model
    from deseptr.device.profile.extras import cold_starts_extra, op_times_extra, streaming_extra, threads_extra
    from deseptr.tflite import at_hop, load_engine

    _check_outputs(output, html)
    load = partial(load_engine, model, kind)
    loaded = load(threads)
    tuned = loaded.contract.decision
    engine = at_hop(loaded, hop or (tuned.hop_s if tuned else None))
    sessions = _sessions(simulate, bus, sensor, speed)
    extras = {
        **cold_starts_extra(model, kind, threads, cold_starts),
        **streaming_extra(engine),
        **threads_extra(load, threads_sweep),
        **op_times_extra(model, threads, ops),
        **_energy(engine, bus, ina219, shunt),
    }
    with progress_bar(windows, "profiling", redraw_every=10) as advance:
        result = profile_model(
            engine,
            sessions,
            windows=windows,
            extras=extras,
            progress=lambda count: advance(1),
            stage=lambda name: click.echo(f"\n{name}", err=True, nl=False),
        )
    content = {"model": str(model), **result.to_dict()}
    text = json.dumps(content, indent=2)
    _write(content, text, output, html)
    if as_json:
        click.echo(text)
    else:
        from .profile_view import show_profile

        show_profile(content)


def _check_outputs(output: Path | None, html: Path | None) -> None:
    from deseptr.contract import check_replaceable

    if output:
        check_replaceable(output, _JSON_START, "the JSON of `deseptr device profile`", "-o")
    if html:
        from deseptr.report.html.page import PAGE_START

        check_replaceable(html, PAGE_START, "a page of deseptr", "--html")


def _write(content: dict[str, object], text: str, output: Path | None, html: Path | None) -> None:
    from deseptr.contract import atomic_write

    if output:
        atomic_write(output, text + "\n")
    if html:
        from deseptr.report.profile_page import profile_page

        atomic_write(html, profile_page(content, Path(str(content["model"])).name, page_origin()))


def _energy(engine: Engine, bus: int | None, ina219: int | None, shunt: float) -> dict[str, Extra]:
    import numpy as np

    from deseptr.device import Extra
    from deseptr.device.profile.energy import measure_energy

    read = _power(1 if bus is None else bus, ina219, shunt)
    window = np.zeros((engine.contract.input_length, len(engine.contract.channels)), np.float32)

    def measure() -> object:
        energy = measure_energy(read, lambda: engine.invoke(window))
        return energy and energy.to_dict()

    return {"energy": Extra("measuring power", measure)}


def _power(bus: int, ina219: int | None, shunt: float) -> Callable[[], Power | None]:
    from deseptr.device.host.board import run_command
    from deseptr.device.host.power import pmic_power

    if ina219 is None:
        return lambda: pmic_power(run_command)
    from deseptr.device import Ina219, LinuxI2cBus, SystemClock

    meter = Ina219(LinuxI2cBus(bus), SystemClock(), ina219, shunt)
    meter.configure()
    return meter.read


def _sessions(simulate: str | None, bus: int | None, sensor: str, speed: str) -> Callable[[], Iterator[Session]]:
    from deseptr.device import SystemClock, bus_exists, live_session

    if simulate is None and (bus is not None or bus_exists(1)):
        return lambda: iter((live_session(1 if bus is None else bus, sensor),))
    from deseptr.firmware_harness.simulator import VirtualClock, simulated_sessions

    if simulate is None:
        click.echo("no /dev/i2c-1: profiling with a simulated sensor on a synthetic wearer", err=True)
    dataset = load_as_imported(simulate or "synthetic")
    make_clock = SystemClock if speed == "realtime" else VirtualClock
    return lambda: simulated_sessions(dataset, sensor=sensor, make_clock=make_clock)
