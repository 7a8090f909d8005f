"""``deseptr convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deseptr.convert import Conversion


@click.command(epilog="Example: deseptr convert runs/ms -o ms.tflite")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write. [default: RUN's name + .tflite]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def convert(run: Path, output: Path | None, as_json: bool) -> None:
    """Make an int8 .tflite of RUN's student, STFT and contract inside, and compare it with the checkpoint.

    RUN is a folder of `deseptr train`, or a .keras file with contract.json and calibration.npz beside it. The file is
    written only if every activation in the graph is int8.
    """
    from rich.console import Console

    from deseptr.convert import convert_run

    target = output or Path(f"{run.stem}.tflite")
    if target.resolve() == run.resolve():
        raise click.UsageError(f"-o {target} is RUN itself")
    with Console(stderr=True).status(f"converting {run}"):
        result = convert_run(run, target)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        print_conversion(result)
    if not result.agrees:
        click.echo(
            f"warning: int8 and float agree on {result.agreement:.2%} of windows, less than 99 %: "
            "train longer or on more varied data",
            err=True,
        )


def print_conversion(result: Conversion) -> None:
    """Print size, operations and agreement."""
    counted = ", ".join(f"{count} {op}" for op, count in result.ops.items())
    click.echo(f"{result.path}: {result.contract.model}, {result.size / 1024:.1f} KB, full int8, contract inside")
    click.echo(f"{sum(result.ops.values())} operations: {counted}")
    click.echo(
        f"{result.int8_scores.windows} held-out windows on {result.runtime}: same class as float on "
        f"{result.agreement:.2%}; macro-F1 float {result.float_scores.macro_f1:.4f}, "
        f"int8 {result.int8_scores.macro_f1:.4f}"
    )
