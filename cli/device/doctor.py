"""``deseptr device doctor``: check board, bus, sensor, runtime and model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_without

from .options import address_option, bus_option, engine_option, model_option, sensor_option

if TYPE_CHECKING:
    from rich.console import Console

    from deseptr.device.doctor import Check, DoctorFinding, Subject

_STYLES = {"ok": "green", "skip": "dim", "warn": "yellow", "fail": "bold red"}


@click.command()
@model_option
@bus_option
@sensor_option
@address_option
@engine_option
@click.option("--seconds", type=real(1, 3600), default=10.0, show_default=True, help="Sampling time, sensor at rest.")
@click.option("--shared", is_flag=True, help="Continue even if another process has the bus open.")
@click.option("--simulate", is_flag=True, help="Check a simulated sensor and bus; the rest is checked on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object on stdout.")
@click.pass_context
@goes_without("simulate", "bus", "shared", why="has a bus of its own")
def doctor(
    context: click.Context,
    model: Path | None,
    bus: int,
    sensor: str,
    address: int | None,
    kind: str,
    seconds: float,
    shared: bool,
    simulate: bool,
    as_json: bool,
) -> None:
    """Check board, bus, sensor, runtime and model, line by line.

    Each line is OK, WARN, FAIL or SKIP, with the value found and, on a fault, the value expected and the next step. Lay
    the sensor down and do not move it during the check. The sensor is reset and reconfigured: stop other programs that
    use it.

    The exit code is that of the worst line: 0 for OK and SKIP, 1 for WARN, 2 for FAIL.

    \b
    Examples:
      deseptr device doctor
      deseptr device doctor --model mine.tflite --seconds 60 --json
      deseptr device doctor --simulate
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device.doctor import CHECKS, run_checks, worst

    subject = _simulated(sensor) if simulate else _real(bus, sensor)
    subject.model, subject.engine_kind, subject.seconds = model, kind, seconds
    subject.address, subject.shared = address, shared
    simulate = subject.simulated
    findings = []
    try:
        for finding in run_checks(subject, CHECKS, lambda check: _announce(check, subject)):
            findings.append(finding)
            if not as_json:
                _show(finding)
    finally:
        subject.close()
    level = worst(findings)
    if as_json:
        content = {"worst": str(level), "simulated": simulate, "findings": [found.to_dict() for found in findings]}
        click.echo(json.dumps(content, indent=2))
    else:
        _summarise(findings, simulate)
    context.exit(level.exit_code)


def _real(bus: int, sensor: str) -> Subject:
    from deseptr.device import LinuxI2cBus, SystemClock, overriding_bus
    from deseptr.device.doctor import Host, Subject

    harness = overriding_bus()
    if harness is not None:
        return Subject(Host(), lambda: harness.bus, harness.clock, None, sensor)
    return Subject(Host(), lambda: LinuxI2cBus(bus), SystemClock(), bus, sensor)


def _simulated(sensor: str) -> Subject:
    import numpy as np

    from deseptr.device.doctor import Host, Subject
    from deseptr.device.drivers.fifo_imu import FifoImu
    from deseptr.firmware_harness.simulator import RestingSource, VirtualClock, simulated_session

    clock = VirtualClock()
    session = simulated_session(RestingSource(np.random.default_rng(0)), sensor=sensor, clock=clock)
    driver = session.imu
    assert isinstance(driver, FifoImu)
    return Subject(Host(), lambda: driver.bus, clock, None, sensor, bus_hz=session.sensor["bus_hz"])


def _announce(check: Check, subject: Subject) -> None:
    if check.slow and not subject.simulated:
        click.echo(f"sampling for {subject.seconds:g} s: do not move the sensor", err=True)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _show(finding: DoctorFinding) -> None:
    from rich.text import Text

    line = Text.assemble(
        (finding.level.upper().ljust(5), _STYLES[finding.level]), (finding.check.ljust(17), "bold"), finding.found
    )
    if finding.expected:
        line.append(f"\n{'':22}expected {finding.expected}", "dim")
    if finding.next_step:
        line.append(f"\n{'':22}→ {finding.next_step}", _STYLES[finding.level])
    _console().print(line)


def _summarise(findings: list[DoctorFinding], simulated: bool) -> None:
    levels = [finding.level for finding in findings]
    counted = ", ".join(f"{levels.count(level)} {level.upper()}" for level in dict.fromkeys(levels))
    click.echo(counted + ("; bus and sensor were simulated" if simulated else ""))
