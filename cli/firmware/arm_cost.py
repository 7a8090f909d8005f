"""``deseptr firmware arm-cost``: instructions per inference on an emulated ARM processor."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deseptr.cli.common.messages import announce
from deseptr.cli.common.numbers import real, whole
from deseptr.cli.common.option_rules import goes_with
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
    help="Processor; may be repeated.",
)
@click.option(
    "--samples", type=whole(1, 100_000), default=50, show_default=True, help="Counted inferences of each model."
)
@click.option("--boots", type=whole(1, 100), default=1, show_default=True, help="2 shows how well figures repeat.")
@click.option(
    "--timeout", type=real(1, 86_400), default=600.0, show_default=True, help="Time limit of one boot, seconds."
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Earlier output of --json; exit code 1 if a model of the same file name costs more now.",
)
@click.option(
    "--tolerance",
    type=real(0, 1000),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="With --baseline: largest increase that is accepted.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
@goes_with("baseline", "tolerance")
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

    A count is not a time: caches, memory and the duration of instructions are not emulated. Counts repeat to 0.2 %
    and show which of two models, or of two versions of a model, takes fewer instructions.

    Needs QEMU (Debian: qemu-system-arm), apt and pip. The machine's system is fetched once and kept in
    ~/.cache/deseptr/arm, or in the folder named by DESEPTR_ARM_CACHE.

    \b
    Examples:
      deseptr firmware arm-cost mine.tflite
      deseptr firmware arm-cost float.tflite int8.tflite --cpu cortex-a76 \\
          --boots 2 --json > before.json
      deseptr firmware arm-cost int8.tflite --cpu cortex-a76 \\
          --baseline before.json

    Exit codes: 0 done, 1 a model costs more than in the baseline, 2 counting is impossible.
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
        note=announce,
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
            verdict = "MORE" if grown else "OK"
            line = f"{change.cost.model} on {change.cost.cpu}: {change.before:,} before, {change.share:+.2%}"
            click.echo(f"{verdict:<5}{line}", err=quiet)
    if any(change.exceeds(tolerance / 100) for change in changes):
        raise click.exceptions.Exit(1)


def table(result: ArmCosts) -> str:
    """Format the figures as lines of text, unit and software first."""
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
