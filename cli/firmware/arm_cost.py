"""The command line of counting instructions on emulated ARM."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deseptr.firmware_harness.emulator.baseline import Baseline, Change, read_baseline
from deseptr.firmware_harness.emulator.cost import UNIT, ArmCosts, count_instructions
from deseptr.firmware_harness.emulator.machine import CPUS, Job


@click.command("arm-cost")
@click.argument("models", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="MODEL.tflite...")
@click.option(
    "--cpu",
    "cpus",
    type=click.Choice(list(CPUS)),
    multiple=True,
    default=["cortex-a53", "cortex-a76"],
    show_default=True,
    help="Processor; may be given several times.",
)
@click.option("--samples", type=click.IntRange(1), default=50, show_default=True, help="Counted inferences of each.")
@click.option("--boots", type=click.IntRange(1), default=1, show_default=True, help="2 shows how far figures repeat.")
@click.option(
    "--timeout", type=click.FloatRange(1), default=600.0, show_default=True, help="Seconds that one boot may take."
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What --json printed before; exit code 1 if a model of the same file name now costs more.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="With --baseline: how much more is still the same.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object on stdout.")
def arm_cost(
    models: tuple[Path, ...],
    cpus: tuple[str, ...],
    samples: int,
    boots: int,
    timeout: float,
    baseline: Path | None,
    tolerance: float,
    as_json: bool,
) -> None:
    """Count instructions per inference on an emulated ARM processor.

    They are no time: caches, memory and what an instruction takes are not emulated. They repeat to 0.2 %,
    and tell which of two models, or of two versions of one, gives the processor less to do.

    Needs QEMU (Debian: qemu-system-arm), apt and pip. The machine's system is fetched once and kept in
    ~/.cache/deseptr/arm, or in the folder named by DESEPTR_ARM_CACHE.

    \b
    Examples:
      deseptr firmware arm-cost mine.tflite
      deseptr firmware arm-cost float.tflite int8.tflite --cpu cortex-a76 --boots 2 --json > before.json
      deseptr firmware arm-cost int8.tflite --cpu cortex-a76 --baseline before.json

    Exit codes: 0 done, 1 a model costs more than in the baseline, 2 it cannot be counted.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    cpus = tuple(dict.fromkeys(cpus))
    before = None if baseline is None else read_baseline(baseline)
    if before is not None:
        before.check(models, cpus)
    result = count_instructions(
        models,
        cpus,
        job=Job(samples=samples),
        boots=boots,
        timeout=timeout,
        note=lambda line: click.echo(f"{line} …", err=True),
    )
    changes = [] if before is None else before.changes(result)
    if as_json:
        more = {} if before is None else {"changes": [change.to_dict() for change in changes]}
        click.echo(json.dumps(result.to_dict() | more, indent=2))
    else:
        click.echo(table(result))
    if before is not None:
        _compare(before, result, changes, tolerance, quiet=as_json)


def _compare(before: Baseline, result: ArmCosts, changes: list[Change], tolerance: float, *, quiet: bool) -> None:
    for line in before.other_software(result):
        click.echo(f"since {before.path}: {line}", err=True)
    for change in changes:
        grown = change.exceeds(tolerance / 100)
        if grown or not quiet:
            said = "MORE" if grown else "OK"
            line = f"{change.cost.model} on {change.cost.cpu}: {change.before:,} before, {change.share:+.2%}"
            click.echo(f"{said:<5}{line}", err=quiet)
    if any(change.exceeds(tolerance / 100) for change in changes):
        raise click.exceptions.Exit(1)


def table(result: ArmCosts) -> str:
    """The figures as lines of text, unit and software first."""
    rows: list[tuple[str, ...]] = [("", "processor", "median", "min", "max", "boots differ")]
    for cost in result.costs:
        differ = "–" if cost.boots_differ_percent is None else f"{cost.boots_differ_percent:.3f} %"
        figures = (f"{count:,}" for count in (cost.instructions, *cost.limits))
        rows.append((cost.model, cost.cpu, *figures, differ))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    software = ", ".join(f"{name} {version}" for name, version in result.software.items())
    return "\n".join([f"{UNIT}; {software}", *lines])
