"""Output of text that a remote host wrote, or that contains such text: the terminal shows it and obeys none of it.

A command that talks to a board prints through this module alone.
"""

from __future__ import annotations

import json
from typing import Any

import click

from deseptr.contract.visible_text import visible


def show(line: str, *, err: bool = False) -> None:
    """Print one line, in which a newline is an escape too, so that no value can pretend to be a line of its own.

    Args:
        line: the line.
        err: whether it goes to stderr.
    """
    click.echo(visible(line), err=err)


def show_lines(text: str) -> None:
    """Print lines that a host wrote; of their characters that are not printable, newlines and tabs remain."""
    if text:
        click.echo(visible(text, kept="\n\t"), nl=not text.endswith("\n"))


def show_step(step: str) -> None:
    """Print the step that begins, on stderr."""
    click.echo(f"{visible(step)} …", err=True)


def show_json(value: Any) -> None:
    """Print a value as JSON, in which only printable ASCII and newlines occur."""
    click.echo(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))
