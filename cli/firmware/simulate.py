"""``deseptr firmware simulate``: a simulated sensor for programs that read a real one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_without
from deseptr.cli.common.options import load_as_imported
from deseptr.contract.counts import counted

if TYPE_CHECKING:
    from deseptr.device import Clock
    from deseptr.firmware_harness.simulator import Fault, SignalSource, VirtualI2cBus
    from deseptr.firmware_harness.simulator.front import Driven

FRONTS = ("inprocess", "ioctl", "cuse", "usbip")
RATE_HZ = 100
_OF_SENSOR = ("front", "sensor", "source", "faults", "controller", "seconds", "command")


@click.command()
@click.option(
    "--front", type=click.Choice(FRONTS), default="inprocess", show_default=True, help="How programs reach the sensor."
)
@click.option("--sensor", default="mpu6050", show_default=True, help="Chip on the bus.")
@click.option(
    "--source",
    metavar="DATA|KIND",
    default="synthetic",
    show_default=True,
    help="Motion of the sensor: the first recording of DATA, synthetic (a wearer), still or sine.",
)
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="A TOML file of [[faults]].")
@click.option("--controller", help="Bus controller to simulate.  [default: i2c-tiny-usb for usbip, otherwise bcm2835]")
@click.option("--seconds", type=real(0.1, 86_400), default=3.0, show_default=True, help="Reading time without COMMAND.")
@click.option("--list", "list_fronts", is_flag=True, help="List the fronts and whether they work here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@goes_without("command", "seconds", "as_json", why="reads the sensor itself")
@goes_without("front", "seconds", "as_json", value="cuse", why="serves until Ctrl-C")
@goes_without("front", "seconds", "as_json", value="usbip", why="serves until Ctrl-C")
@goes_without("list_fronts", *_OF_SENSOR, why="simulates none")
def simulate(
    front: str,
    sensor: str,
    source: str,
    faults: Path | None,
    controller: str | None,
    seconds: float,
    list_fronts: bool,
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """Simulate a sensor for programs that read a real one.

    inprocess reads the sensor with its driver in virtual time, or runs a `deseptr` COMMAND that reads it. ioctl
    serves any COMMAND, in another process and in real time, through /dev/i2c-1. cuse and usbip serve all programs
    of this machine until Ctrl-C, and need root.

    \b
    Examples:
      deseptr firmware simulate --list
      deseptr firmware simulate --front ioctl -- i2cdetect -y 1
      deseptr firmware simulate --front ioctl --source walk.csv -- \\
          deseptr device run
      deseptr firmware simulate --front inprocess --source walk.csv -- \\
          deseptr device run --seconds 600
      sudo deseptr firmware simulate --front usbip --sensor lsm6dsox
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    if list_fronts:
        _list(as_json)
        return
    if command and front not in ("inprocess", "ioctl"):
        raise click.UsageError("COMMAND goes with --front inprocess or ioctl")
    if command and front == "inprocess" and Path(command[0]).name != "deseptr":
        raise click.UsageError("--front inprocess runs only `deseptr` itself as COMMAND; others go with --front ioctl")
    from deseptr.device import SystemClock
    from deseptr.firmware_harness.simulator import VirtualClock

    clock: Clock = VirtualClock() if front == "inprocess" else SystemClock()
    profile = controller or ("i2c-tiny-usb" if front == "usbip" else "bcm2835")
    bus = _bus(sensor, _source(source), _faults(faults), profile, clock)
    if front in ("cuse", "usbip"):
        _serve(front, bus)
    elif command:
        _run(front, bus, clock, command)
    else:
        _show(_read(front, bus, clock, sensor, round(seconds * RATE_HZ)), sensor, as_json=as_json)


def _list(as_json: bool) -> None:
    from deseptr.firmware_harness.simulator.front import front_ends

    fronts = list(front_ends())
    if as_json:
        click.echo(json.dumps([front.to_dict() for front in fronts], indent=2))
        return
    for front in fronts:
        state = f"not here: {front.missing}; {front.next_step}" if front.missing else "possible"
        click.echo(f"{front.name:<10} {front.reaches}\n{'':<10} {state}")


def _source(kind: str) -> SignalSource:
    import numpy as np

    from deseptr.contract import STANDARD_GRAVITY
    from deseptr.firmware_harness.simulator import RecordingSource, RestingSource, SineSource, WearerSource

    if kind == "synthetic":
        return WearerSource()
    if kind == "still":
        return RestingSource(np.random.default_rng(0))
    if kind == "sine":
        # A slow walk, roughly: 2 Hz around gravity.
        return SineSource(2.0, [3.0, 2.0, 4.0, 1.0, 1.0, 1.0], [0.0, 0.0, STANDARD_GRAVITY, 0.0, 0.0, 0.0])
    return RecordingSource(load_as_imported(kind).recordings[0])


def _faults(path: Path | None) -> list[Fault]:
    from deseptr.contract import SetupError, read_toml
    from deseptr.firmware_harness.simulator import faults_from

    if path is None:
        return []
    try:
        facts = read_toml(path)
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        raise SetupError(
            path, found=found, expected="a TOML file with [[faults]]", next_step="correct it, or name another"
        ) from error
    return faults_from(facts.get("faults", []), str(path))


def _bus(sensor: str, source: SignalSource, faults: list[Fault], controller: str, clock: Clock) -> VirtualI2cBus:
    from deseptr.device import SENSORS
    from deseptr.firmware_harness.simulator import VirtualI2cBus, bus_profile
    from deseptr.firmware_harness.simulator.chips.registry import driver_name, make_chip

    chip = make_chip(sensor, source, clock)
    return VirtualI2cBus({SENSORS[driver_name(sensor)].addresses[0]: chip}, clock, bus_profile(controller), faults)


def _serve(front: str, bus: VirtualI2cBus) -> None:
    from deseptr.firmware_harness.simulator.front import serve_cuse, serve_usbip

    place = "/dev/i2c-77" if front == "cuse" else "an adapter called i2c-tiny-usb (`i2cdetect -l` shows its number)"
    serve = serve_cuse if front == "cuse" else serve_usbip
    try:
        serve(bus, ready=lambda: click.echo(f"serving {place}; Ctrl-C ends it", err=True))
    except KeyboardInterrupt:
        click.echo("", err=True)


def _run(front: str, bus: VirtualI2cBus, clock: Clock, command: tuple[str, ...]) -> None:
    if front == "inprocess":
        from deseptr.cli.main import deseptr
        from deseptr.device import override_bus

        with override_bus(bus, clock):
            code = deseptr.main(list(command[1:]), prog_name="deseptr", standalone_mode=False)
        # Only what a command exits with on its own account is returned; errors are raised.
        sys.exit(code if isinstance(code, int) else 0)
    from deseptr.firmware_harness.simulator.front import IoctlBus

    sys.exit(IoctlBus(bus).run(command, capture=False).returncode)


def _read(front: str, bus: VirtualI2cBus, clock: Clock, sensor: str, count: int) -> Driven:
    from deseptr.firmware_harness.simulator.chips.registry import driver_name
    from deseptr.firmware_harness.simulator.front import IoctlBus, drive, read_samples

    sensor = driver_name(sensor)
    if front == "inprocess":
        return read_samples(bus, clock, sensor, count)
    return drive(IoctlBus(bus), sensor, count, timeout=60 + 2 * count / RATE_HZ)


def _show(driven: Driven, sensor: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"sensor": sensor} | driven.to_dict()))
        return
    gaps = f"{counted(len(driven.gaps), 'gap')} ({', '.join(sorted(set(driven.gaps)))})" if driven.gaps else "no gap"
    samples = f"{counted(len(driven.signals), 'sample')} at {driven.rate_hz:g} Hz"
    celsius = "" if driven.temperature_c is None else f", {driven.temperature_c:.1f} °C"
    click.echo(f"{driven.identity}{celsius}: {samples}, {gaps}")
    if len(driven.signals):
        means, deviations = driven.signals.mean(0), driven.signals.std(0)
        for axis, mean, deviation in zip(driven.channels, means, deviations, strict=True):
            unit = "m/s²" if axis.startswith("acc") else "rad/s"
            click.echo(f"  {axis:<7} {mean:8.3f} ± {deviation:.3f} {unit}")
