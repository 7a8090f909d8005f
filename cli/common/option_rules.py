"""Options that mean something only with another one, or only without it: refused where they would be ignored.

A value from the environment is meant for every command, and is not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

_WRITTEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP, ParameterSource.PROMPT)


def goes_with(needed: str | tuple[str, ...], *names: str) -> Callable[[F], F]:
    """Refuse parameters that somebody wrote without any of those that they need.

    Args:
        needed: name of the parameter that they need, or names of which one is enough; it may come from anywhere.
        names: of the parameters, as the command's function has them.

    >>> @click.command()
    ... @click.option("--csv")
    ... @click.option("--csv-size", default=10)
    ... @goes_with("csv", "csv_size")
    ... def run(csv, csv_size): ...
    >>> run.main(["--csv-size", "2"], standalone_mode=False)
    Traceback (most recent call last):
    click.exceptions.UsageError: --csv-size goes with --csv
    """
    enough = (needed,) if isinstance(needed, str) else needed

    def check(context: click.Context) -> None:
        if any(context.params.get(name) for name in enough):
            return
        if given := _written(context, names):
            raise click.UsageError(f"{given} goes with {' or '.join(_shown(context, name) for name in enough)}")

    return _before(check)


def goes_without(other: str, *names: str, why: str = "") -> Callable[[F], F]:
    """Refuse parameters that somebody wrote together with one that leaves them without a meaning.

    Args:
        other: name of the parameter that does.
        names: of the parameters, as the command's function has them.
        why: what the other one does instead, for the message.
    """

    def check(context: click.Context) -> None:
        if context.params.get(other) and (given := _written(context, names)):
            reason = f", which {why}" if why else ""
            raise click.UsageError(f"{given} goes without {_shown(context, other)}{reason}")

    return _before(check)


def _before(check: Callable[[click.Context], None]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        @wraps(function)
        def command(*arguments: Any, **options: Any) -> Any:
            check(click.get_current_context())
            return function(*arguments, **options)

        return command  # type: ignore[return-value]

    return decorate


def _written(context: click.Context, names: tuple[str, ...]) -> str | None:
    """The first of these parameters that somebody wrote."""
    written = (name for name in names if context.get_parameter_source(name) in _WRITTEN)
    return next((_shown(context, name) for name in written), None)


def _shown(context: click.Context, name: str) -> str:
    """A parameter as people write it: ``--csv-size``, or ``DATA`` of an argument."""
    parameters: Mapping[str | None, click.Parameter] = {each.name: each for each in context.command.params}
    parameter = parameters[name]
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or name.upper()).strip("[]…- ")
