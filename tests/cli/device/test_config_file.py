"""Options from a TOML file: values of every plain kind are taken, anything else is named."""

from pathlib import Path

import click
import pytest

from deseptr.cli.common.numbers import whole
from deseptr.cli.device.config_file import settings
from deseptr.contract import SetupError


@click.command()
@click.option("--config")
@click.option("--plain", is_flag=True)
@click.option("--count", type=whole(0, 9))
@click.option("--csv")
def command(**_: object) -> None:
    """A command."""


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("plain = true\ncount = 3\ncsv = 'a.csv'", {"plain": True, "count": 3, "csv": "a.csv"}),
        ("count = '3'", {"count": "3"}),
        ("", {}),
    ],
)
def test_values(tmp_path: Path, text: str, values: dict[str, object]):
    (tmp_path / "run.toml").write_text(text)
    assert settings(tmp_path / "run.toml", command) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("count = [3]", "count: found list, expected a single value; write it as a string"),
        ("csv = 2026-01-31", "csv: found date, expected a single value; write it as a string"),
        ("cont = 3", "cont: found no such option, expected a long option's name; did you mean count?"),
        ("plain = 1", "plain: found 1, expected true or false; see `command --help`"),
        ("count = true", "count: found True, expected a number; see `command --help`"),
        ("csv = 3", "csv: found 3, expected a text in quotation marks; see `command --help`"),
        ("csv = true", "csv: found True, expected a text in quotation marks; see `command --help`"),
    ],
)
def test_other_values_are_named(tmp_path: Path, text: str, message: str):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(SetupError) as caught:
        settings(tmp_path / "run.toml", command)
    assert str(caught.value) == f"{tmp_path}/run.toml: {message}"
