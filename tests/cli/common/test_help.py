"""What every command says of itself fits a terminal of 80 columns, and shows how it is called."""

import copy
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress

import click
import pytest

from deseptr.cli.common.options import READING_NAMES
from deseptr.cli.main import deseptr
from deseptr.contract import SetupError


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


def sections(command: click.Command) -> dict[str, list[str]]:
    """The options of each section of a help, each as the first word of its line."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in command.get_help(click.Context(command)).splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line[:-1]
        elif not line:
            heading = ""
        elif heading and line.startswith("  -"):
            found.setdefault(heading, []).append(line.split()[0])
    return found


MANY = 15
UNSORTED = ("help", "config")
OPTIONS_OF = {
    name: [param for param in command.params if isinstance(param, click.Option)]
    for name, command in PAGES.items()
    if not isinstance(command, click.Group)
}


@pytest.mark.parametrize("name", [name for name, options in OPTIONS_OF.items() if len(options) > MANY])
def test_a_help_with_many_options_has_sections_and_leaves_none_out(name: str) -> None:
    found = sections(PAGES[name])
    assert set(found.pop("Options")) <= {"--help", "-h,", "--config"}
    assert sum(map(len, found.values())) == len([each for each in OPTIONS_OF[name] if each.name not in UNSORTED])
    assert max(map(len, found.values())) <= MANY


@pytest.mark.parametrize("name", [n for n, options in OPTIONS_OF.items() if "columns" in {o.name for o in options}])
def test_options_of_reading_stand_in_one_section_of_the_same_order(name: str) -> None:
    found = sections(PAGES[name])
    assert found["Reading"] == [f"--{name.replace('_', '-')}" for name in READING_NAMES]
    assert list(found)[-2:] == ["Reading", "Options"]


def examples() -> Iterator[tuple[str, list[str]]]:
    """The words of each example that stands on lines of its own."""
    for name, command in PAGES.items():
        text = f"{command.help}\n{command.epilog or ''}".replace("\\\n", " ")
        for line in text.splitlines():
            call = re.match(r"(?:Examples?: )?\s*(?:sudo )?(deseptr .*)", line)
            if call and not isinstance(command, click.Group) and call[1].startswith(f"{name} "):
                words = shlex.split(re.split(" > | && ", call[1])[0], comments=True)
                yield name, words[len(name.split()) :]


@pytest.mark.parametrize(("name", "words"), list(examples()))
def test_every_example_is_understood(name: str, words: list[str]) -> None:
    command = copy.copy(PAGES[name])
    command.callback = None
    wrong = ""
    with suppress(SetupError):
        try:
            command.make_context(name, words)
        except click.BadParameter as error:
            wrong = str(error)
    # A file of the example need not be there.
    assert not wrong or re.search(r"'.*' does not exist", wrong)


def test_there_is_an_example_of_most_commands() -> None:
    leaves = {name for name, command in PAGES.items() if not isinstance(command, click.Group)}
    assert leaves - {name for name, _ in examples()} == set()
