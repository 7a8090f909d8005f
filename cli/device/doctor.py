"""``deseptr device doctor``: check board, bus, sensor, runtime and model."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_without
from deseptr.contract.counts import counted

from .options import address_option, bus_option, engine_option, model_option, sensor_option

if TYPE_CHECKING:
    from deseptr.device.doctor import Check, DoctorFinding, Subject

# Columns of a level and the name of a check.
_INDENT = 22
_LEAST_WIDTH = 30
_NO_BREAK = "\N{NO-BREAK SPACE}"
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
@click.option("-v", "--verbose", is_flag=True, help="Print each skipped check, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object on stdout.")
@click.pass_context
@goes_without("simulate", "bus", "shared", why="has a bus of its own")
@goes_without("as_json", "verbose", why="has them all")
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
    verbose: bool,
    as_json: bool,
) -> None:
    """Check board, bus, sensor, runtime and model, line by line.

    Each line is OK, WARN or FAIL, with the value found and, on a fault, the value expected and the next step. One more
    line, SKIP, names the checks that need one that failed, or do not apply here. Lay the sensor down and do not move it
    during the check. The sensor is reset and reconfigured: stop other programs that use it.

    The exit code is that of the worst line: 0 for OK and SKIP, 1 for WARN, 2 for FAIL.

    \b
    Examples:
      deseptr device doctor
      deseptr device doctor --model mine.tflite --seconds 60 --json
      deseptr device doctor --simulate
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.device.doctor import CHECKS, Level, run_checks, worst

    subject = _simulated(sensor) if simulate else _real(bus, sensor)
    subject.model, subject.engine_kind, subject.seconds = model, kind, seconds
    subject.address, subject.shared = address, shared
    simulate = subject.simulated
    findings = []
    try:
        for finding in run_checks(subject, CHECKS, lambda check: _announce(check, subject)):
            findings.append(finding)
            if not as_json and (verbose or finding.level != Level.SKIP):
                _show(finding)
    finally:
        subject.close()
    level = worst(findings)
    if as_json:
        content = {"worst": str(level), "simulated": simulate, "findings": [found.to_dict() for found in findings]}
        click.echo(json.dumps(content, indent=2))
    else:
        _summarise(findings, simulate, every=verbose)
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


def _show(finding: DoctorFinding) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    style = _STYLES[finding.level]
    text = Text.assemble((finding.level.upper().ljust(5), style), (finding.check.ljust(_INDENT - 5), "bold"))
    text.append(_wrapped(finding.found, console.width))
    if finding.expected:
        text.append(_below(f"expected {finding.expected}", console.width), "dim")
    if finding.next_step:
        text.append(_below(f"→ {finding.next_step}", console.width), style)
    console.print(text)


def _below(words: str, width: int) -> str:
    return f"\n{'':{_INDENT}}{_wrapped(words, width)}"


def _wrapped(words: str, width: int) -> str:
    """The words in lines of this width, all but the first indented; paths, and commands in backticks, stay whole."""
    room = max(_LEAST_WIDTH, width - _INDENT)
    unbroken = re.sub("`[^`]*`", lambda command: command[0].replace(" ", _NO_BREAK), words)
    lines = textwrap.wrap(unbroken, room, break_long_words=False, break_on_hyphens=False)
    return f"\n{'':{_INDENT}}".join(lines).replace(_NO_BREAK, " ")


def _summarise(findings: list[DoctorFinding], simulated: bool, *, every: bool) -> None:
    from deseptr.device.doctor import DoctorFinding, Level

    skipped = [finding.check for finding in findings if finding.level == Level.SKIP]
    if skipped and not every:
        names = f"{', '.join(skipped)}; --verbose has the reasons"
        _show(DoctorFinding(counted(len(skipped), "check"), Level.SKIP, names))
    levels = [finding.level for finding in findings]
    parts = ", ".join(f"{levels.count(level)} {level.upper()}" for level in Level if level in levels)
    click.echo(parts + ("; bus and sensor were simulated" if simulated else ""))
