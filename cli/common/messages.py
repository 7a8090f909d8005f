"""Messages and progress bars on stderr, so that stdout has results alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click


def announce(step: str) -> None:
    """Print the step that begins."""
    click.echo(f"{step} …", err=True)


def complain(line: str) -> None:
    """Print a warning, if stderr can be written: a log on a full medium must not end what goes on."""
    with suppress(OSError):
        click.echo(f"deseptr: {line}", err=True)


@contextmanager
def progress_bar(length: int, label: str, *, redraw_every: int = 20) -> Iterator[Callable[[int], None]]:
    """Show a progress bar while the block runs.

    Args:
        length: number of steps.
        label: text before the bar.
        redraw_every: steps between two redraws.

    Yields:
        A function that advances the bar by a number of steps.
    """
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        bar.update_min_steps = redraw_every
        yield bar.update
