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
        records = {param.name: param.get_help_record(ctx) for param in self.get_params(ctx)}
        for heading, names in self._groups.items():
            self._write(formatter, heading, [records.pop(name) for name in names])
        self._write(formatter, "Options", list(records.values()))

    def _write(self, formatter: click.HelpFormatter, heading: str, records: list[tuple[str, str] | None]) -> None:
        lines = [record for record in records if record is not None]
        if lines:
            with formatter.section(heading):
                formatter.write_dl(lines)
