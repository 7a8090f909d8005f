"""A command whose help lists its options under headings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class GroupedCommand(click.Command):
    """A command with many options.

    Args:
        groups: names of parameters by heading, in the order of the help; all others follow under ``Options``.
    """

    def __init__(self, *arguments: Any, groups: Mapping[str, tuple[str, ...]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._groups = groups

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each group."""
        lines: dict[str | None, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (line := param.get_help_record(ctx)):
                # Two flags may choose between values of one parameter.
                lines.setdefault(param.name, []).append(line)
        for heading, names in self._groups.items():
            self._write(formatter, heading, [line for name in names for line in lines.pop(name)])
        self._write(formatter, "Options", [line for rest in lines.values() for line in rest])

    def _write(self, formatter: click.HelpFormatter, heading: str, lines: list[tuple[str, str]]) -> None:
        if lines:
            with formatter.section(heading):
                formatter.write_dl(lines)
