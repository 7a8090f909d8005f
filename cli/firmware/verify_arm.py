"""``deseptr firmware verify-arm``: check the whole toolkit on 64-bit ARM, without a board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.messages import announce
from deseptr.cli.common.numbers import real
from deseptr.contract.counts import counted

if TYPE_CHECKING:
    from deseptr.firmware_harness.emulator.verify import Verification

_STYLES = {"ok": "green", "skip": "bright_black", "fail": "red"}


@click.command("verify-arm")
@click.option(
    "--log",
    type=click.Path(path_type=Path, file_okay=False),
    default="verify-arm",
    show_default=True,
    help="Folder for the machine's console output and all results.",
)
@click.option(
    "--timeout", type=real(1, 86_400), default=1800.0, show_default=True, help="Time limit of one boot, seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as one JSON object on stdout.")
@click.pass_context
def verify_arm(context: click.Context, log: Path, timeout: float, as_json: bool) -> None:
    """Install, run and check deseptr in an emulated ARM machine, and compare with this one.

    A Debian machine with systemd boots, installs a bundle offline as a board would, and finds simulated sensors on I2C
    adapters of its own kernel. Doctor, labels, accuracy, logits, the watchdog and the kernel's own sensor drivers are
    checked. Speed is not: times of an emulated machine mean nothing.

    Needs QEMU (Debian: qemu-system-arm), apt and pip, and takes some minutes. The machine's system is kept in
    ~/.cache/deseptr/arm, or in the folder named by DESEPTR_ARM_CACHE.

    Exit codes: 0 no check failed, 1 a check failed, 2 the checks cannot run here.

    \b
    Examples:
      deseptr firmware verify-arm
      deseptr firmware verify-arm --json --log /tmp/arm
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.firmware_harness.emulator.verify import verify_arm as verify

    result = verify(log, timeout=timeout, note=announce)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        _show(result, log)
    context.exit(1 if result.failed else 0)


def _show(result: Verification, log: Path) -> None:
    width = max(len(check.name) for check in result.checks)
    for check in result.checks:
        level = click.style(check.level.upper().ljust(5), _STYLES[check.level])
        click.echo(f"{level}{check.name:<{width}}  {check.found}")
        if check.expected:
            click.echo(f"{'':{width + 7}}expected {check.expected}")
    passed = sum(check.level == "ok" for check in result.checks)
    click.echo(
        f"{passed} of {counted(len(result.checks), 'check')} passed on emulated ARM; console and results are in {log}"
    )
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    click.echo(f"time of this host, not of a board: {took}")
