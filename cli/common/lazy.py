"""A command group that imports a command only when it is called, so that help does not wait for numpy."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click

from .option_rules import without_empty_texts


class LazyGroup(click.Group):
    """A group that lists its commands by name, and imports a command's module when the command is called.

    Args:
        commands_at: module of this package and one line of help, by command name; the command is the module's
            attribute of the same name, with underscores for dashes.
    """

    def __init__(self, *arguments: Any, commands_at: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the given order."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command from its module."""
        if cmd_name not in self._commands_at:
            return None
        module, _ = self._commands_at[cmd_name]
        imported = importlib.import_module(f"deseptr.cli.{module}")
        command: click.Command = getattr(imported, cmd_name.replace("-", "_"))
        return without_empty_texts(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name those that are spelt alike, which click looks for among imported ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            alike = difflib.get_close_matches(args[0], self._commands_at)
            if not alike:
                raise
            shown = ", ".join(map(repr, alike))
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {shown}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._commands_at.items()])
