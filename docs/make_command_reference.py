"""Write ``docs/commands.md``: the help of every command, as the command line prints it.

``python docs/make_command_reference.py`` writes the page; ``tests/docs/test_generated_pages.py`` compares it with the
command line of today.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from deseptr.cli.main import deseptr

PAGE = Path(__file__).parent / "commands.md"
WIDTH = 80
HEAD = """# Commands

Generated from the command line itself by `docs/make_command_reference.py`; `deseptr COMMAND --help` prints the same.

Every command exits with 0 when it is done, with 2 when it cannot run as asked (one line says why), and with 130 when it
was interrupted. Other exit codes are named in a command's help. Options that have an environment variable show it as
`env var`.
"""


def commands(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Full name and help text of a command and of all commands below it."""
    context = click.Context(command, info_name=path.split()[-1], parent=parent, **command.context_settings)
    context.terminal_width = WIDTH
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}", context)


def page() -> str:
    """The whole page as Markdown."""
    sections = [f"## {path}\n\n```text\n{text.rstrip()}\n```\n" for path, text in commands(deseptr, "deseptr")]
    return "\n".join([HEAD, *sections])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
