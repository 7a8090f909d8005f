"""Options that mean something only with another one, or only without it: refused where they would be ignored.

A value from the environment is meant for every command, and is not refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

_SAID = (ParameterSource.COMMANDLINE, ParameterSource.PROMPT)
_WRITTEN = (*_SAID, ParameterSource.DEFAULT_MAP)


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


def goes_if(other: str, fits: Callable[[Any], bool], *names: str, kind: str) -> Callable[[F], F]:
    """Refuse parameters that somebody wrote where the value of another one leaves them without a meaning.

    Args:
        other: name of the parameter whose value counts.
        fits: whether a value gives them a meaning.
        names: of the parameters, as the command's function has them.
        kind: the values that do, for the message, as ``a .tflite as MODEL``.
    """

    def check(context: click.Context) -> None:
        # The command line may choose another mode than a configuration file is for.
        if not fits(context.params.get(other)) and (given := _written(context, names, _SAID)):
            raise click.UsageError(f"{given} goes with {kind}")

    return _before(check)


def goes_without(
    other: str, *names: str, value: Any = None, why: str = "", unless: str | None = None
) -> Callable[[F], F]:
    """Refuse parameters that somebody wrote together with one that leaves them without a meaning.

    What a configuration file says is refused only if the other one stands there, too: the command line may choose
    another mode than the file is for.

    Args:
        other: name of the parameter that does.
        names: of the parameters, as the command's function has them.
        value: the value of the other one that does; any by default.
        why: what the other one does instead, for the message.
        unless: name of a parameter with which they have a meaning all the same.
    """

    def check(context: click.Context) -> None:
        found = context.params.get(other)
        # Bus 0 is one.
        if found is None or found is False or found in ("", ()) or (value is not None and found != value):
            return
        if unless is not None and context.params.get(unless) is not None:
            return
        in_file = context.get_parameter_source(other) is ParameterSource.DEFAULT_MAP
        sources = _WRITTEN if in_file else _SAID
        if given := _written(context, names, sources):
            reason = f", which {why}" if why else ""
            raise click.UsageError(f"{given} goes without {_shown(context, other, value)}{reason}")

    return _before(check)


def without_empty_texts(command: click.Command) -> click.Command:
    """Make a command refuse an empty text as a value or argument, which would count as none here and not there.

    The environment's empty values stand for none, and an empty path is the present folder.

    Args:
        command: changed once, however often it is given; of a group all that it has loaded.
    """
    if isinstance(command, click.Group):
        for each in command.commands.values():
            without_empty_texts(each)
        return command
    callback = command.callback
    if callback is not None and not getattr(callback, "refuses_empty_texts", False):
        command.callback = checked = _with_context(_before(_check_texts)(callback))
        checked.refuses_empty_texts = True  # type: ignore[attr-defined]
    return command


def _with_context(function: F) -> F:
    """Have errors of usage know their command, which click's own do, so that they name its help."""

    @wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except click.UsageError as error:
            error.ctx = error.ctx or click.get_current_context()
            raise

    return command  # type: ignore[return-value]


def _check_texts(context: click.Context) -> None:
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        written = context.get_parameter_source(parameter.name or "") in _WRITTEN
        if written and (value == "" or (isinstance(value, tuple) and "" in value)):
            raise click.BadParameter("it is empty", context, parameter)


def _before(check: Callable[[click.Context], None]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        @wraps(function)
        def command(*arguments: Any, **options: Any) -> Any:
            check(click.get_current_context())
            return function(*arguments, **options)

        return command  # type: ignore[return-value]

    return decorate


def _written(
    context: click.Context, names: tuple[str, ...], sources: tuple[ParameterSource, ...] = _WRITTEN
) -> str | None:
    """The first of these parameters that somebody wrote."""
    written = (name for name in names if context.get_parameter_source(name) in sources)
    return next((_shown(context, name) for name in written), None)


def _shown(context: click.Context, name: str, value: Any = None) -> str:
    """A parameter as people write it, ``--csv-size``, or ``DATA`` of an argument; of several that of a value."""
    of_name = [each for each in context.command.params if each.name == name]
    for_value = [each for each in of_name if isinstance(each, click.Option) and each.flag_value == value]
    parameter = (for_value if value is not None and for_value else of_name)[-1]
    if isinstance(parameter, click.Option):
        chosen = isinstance(parameter.type, click.Choice) and value is not None
        return max(parameter.opts, key=len) + (f" {value}" if chosen else "")
    return (parameter.metavar or name.upper()).strip("[]…- ")
