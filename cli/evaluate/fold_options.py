"""Options that ``deseptr crossval`` and ``deseptr lab`` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.numbers import number
from deseptr.cli.common.options import LABELS_HELP
from deseptr.train.config import LIMITS

output_option = click.option(
    "-o", "--output", "out", required=True, type=click.Path(path_type=Path), metavar="OUT", help="Folder to write."
)
labels_option = click.option("--labels", help=LABELS_HELP)


def result_options(parts: str, summary: str) -> Callable[[Any], Any]:
    """Make a decorator that adds the options of windows and results to a command.

    Args:
        parts: the parts of the run, such as ``folds``.
        summary: file name of the JSON summary.
    """
    options = (
        click.option(
            "--window-s",
            type=number(LIMITS["window_s"]),
            help="Length of a window, seconds. [default: the protocol's]",
        ),
        click.option(
            "--overlap",
            type=number(LIMITS["overlap"]),
            help="Share of a window that the next one repeats. [default: the protocol's]",
        ),
        click.option("--overwrite", is_flag=True, help=f"Discard finished {parts} and start again."),
        click.option("--json", "as_json", is_flag=True, help=f"Print {summary} on stdout."),
    )

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add
