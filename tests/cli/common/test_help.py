"""What every command says of itself fits a terminal of 80 columns, and shows how it is called."""

from collections.abc import Iterator

import click
import pytest

from deseptr.cli.main import deseptr


def pages(command: click.Command, name: str = "deseptr") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from pages(below, f"{name} {each}")


PAGES = dict(pages(deseptr))


@pytest.mark.parametrize("name", PAGES)
def test_help_fits_80_columns_cuts_no_line_short_and_has_an_example(name: str) -> None:
    command = PAGES[name]
    lines = command.get_help(
        click.Context(command, info_name=name, max_content_width=80, terminal_width=80)
    ).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines[1:] if line.endswith("...")] == []
    assert any("Example" in line for line in lines)
