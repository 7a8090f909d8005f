"""Messages and progress bars on stderr, so that stdout has results alone."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from deseptr.contract.visible_text import visible


def announce(step: str) -> None:
    """Print the step that begins."""
    click.echo(f"{step} …", err=True)


def complain(line: str) -> None:
    """Print a warning, if stderr can be written: a log on a full medium must not end what goes on."""
    tell(f"deseptr: {line}")


def tell(line: str) -> None:
    """Print a line on stderr, if it can be written."""
    with suppress(OSError):
        click.echo(line, err=True)


def suggest(*words: object) -> None:
    """Print on stderr the command that comes next on the way from recordings to a board.

    Args:
        words: its words after ``deseptr``; DATA and the like stand for what only the reader knows.
    """
    tell(f"next: deseptr {visible(shlex.join(map(str, words)))}")


def suggest_training(data: str) -> None:
    """Print the command that trains on these recordings, if they are a file of this program's own layouts."""
    path = Path(data)
    if path.suffix in (".npz", ".csv"):
        suggest("train", path, "-o", f"runs/{path.name.partition('.')[0]}")


def drop_unwritable() -> None:
    """Let go of messages in stderr's buffer that cannot be written: Python would end with exit code 120 for them."""
    try:
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)


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
