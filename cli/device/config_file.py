"""``--config FILE.toml``: options of a command from a file, for services.

Keys are long option names without the dashes. The command line and the environment take precedence over the file.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.numbers import RealNumber, WholeNumber

from .options import I2cAddress


def config_option(command: Any) -> Any:
    """Add ``--config`` to a command."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        envvar="DESEPTR_CONFIG",
        show_envvar=True,
        is_eager=True,
        expose_value=False,
        callback=_read,
        help='Read options from FILE, as in `csv = "/var/log/deseptr/run.csv"`; the command line takes precedence.',
    )(command)


def _read(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        context.default_map = settings(path, context.command, parameter)


def settings(path: Path, command: click.Command, excluded: click.Parameter | None = None) -> dict[str, Any]:
    """Read values of a command's parameters, by parameter name.

    Args:
        path: a TOML file.
        command: the command whose options the keys name.
        excluded: an option that the file cannot set.

    Raises:
        SetupError: if the file cannot be read, is not TOML, or has an unknown key or a value of another type.
    """
    from deseptr.contract import SetupError

    parameters = {parameter.name: parameter for parameter in command.params}
    names = {
        option.removeprefix("--"): parameter.name
        for parameter in command.params
        if parameter is not excluded
        for option in parameter.opts
        if option.startswith("--")
    }
    table = _parse(path)
    for key, value in table.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"see `{command.name} --help`"
            raise SetupError(f"{path}: {key}", found="no such option", expected="a long option's name", next_step=hint)
        if not isinstance(value, bool | int | float | str):
            raise SetupError(
                f"{path}: {key}",
                found=type(value).__name__,
                expected="a single value",
                next_step="write it as a string",
            )
        expected = _expected(value, parameters[names[key]])
        if expected:
            raise SetupError(
                f"{path}: {key}", found=repr(value), expected=expected, next_step=f"see `{command.name} --help`"
            )
    return {str(names[key]): value for key, value in table.items()}


def _expected(value: Any, parameter: click.Parameter) -> str | None:
    """What a parameter takes instead of a value of this kind; None if it takes it.

    A text is what the command line has, so that every option takes one.
    """
    if isinstance(value, str):
        return None
    if isinstance(parameter, click.Option) and parameter.is_flag and parameter.is_bool_flag:
        return None if isinstance(value, bool) else "true or false"
    if isinstance(parameter.type, WholeNumber | RealNumber | I2cAddress):
        return None if type(value) in (int, float) else "a number"
    return "a text in quotation marks"


def _parse(path: Path) -> dict[str, Any]:
    from deseptr.contract import SetupError, read_toml

    try:
        return read_toml(path)
    except OSError as error:
        found, expected = str(error.strerror), "a readable file"
    except ValueError as error:
        found, expected = str(error), "TOML"
    raise SetupError(f"--config {path}", found=found, expected=expected, next_step="correct the path or the file")
