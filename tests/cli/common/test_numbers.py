"""Every number on the command line is finite and bounded."""

import math
from collections.abc import Iterator

import click
import pytest
from hypothesis import given, strategies as st

from deseptr.cli.common.numbers import RealNumber, WholeNumber, number, real, whole
from deseptr.cli.main import deseptr
from deseptr.contract.limits import Limits


def options(command: click.Command, path: str = "deseptr") -> Iterator[tuple[str, click.Parameter]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            child = command.get_command(click.Context(command), name)
            assert child is not None
            yield from options(child, f"{path} {name}")
    for parameter in command.params:
        yield f"{path} {parameter.name}", parameter


OPTIONS = dict(options(deseptr))
NUMBERS = {name: each for name, each in OPTIONS.items() if isinstance(each.type, WholeNumber | RealNumber)}


def test_no_option_has_an_unbounded_number():
    loose = (click.types.IntParamType, click.types.FloatParamType)
    for name, parameter in OPTIONS.items():
        if isinstance(parameter.type, loose):
            assert isinstance(parameter.type, WholeNumber | RealNumber), name
            assert math.isfinite(parameter.type.min), name
            assert math.isfinite(parameter.type.max), name
    assert len(NUMBERS) > 60


@pytest.mark.parametrize("name", NUMBERS)
def test_no_option_takes_what_is_no_sensible_number(name):
    kind = NUMBERS[name].type
    for text in ("nan", "inf", "-inf", "1e308", "1e400", "9" * 5000, "", "x", float("nan"), math.inf, True, 10**400):
        with pytest.raises(click.BadParameter):
            kind.convert(text, None, None)
    default = NUMBERS[name].default
    if isinstance(default, int | float):
        assert kind.convert(default, None, None) == default


def test_a_whole_number_is_not_cut():
    assert whole(0, 9).convert(3.0, None, None) == 3
    with pytest.raises(click.BadParameter, match=r"2\.5 is not a whole number"):
        whole(0, 9).convert(2.5, None, None)


@given(
    st.floats(-5, 5), st.floats(-5, 5), st.booleans(), st.booleans(), st.floats() | st.sampled_from([-5.0, 0.0, 5.0])
)
def test_an_option_takes_what_its_limits_allow(one, other, above, below, value):
    limits = Limits(min(one, other), max(one, other), above, below)
    try:
        assert number(limits).convert(value, None, None) == value
        taken = True
    except click.BadParameter:
        taken = False
    assert taken == limits.allow(value)


def test_the_help_shows_both_ends():
    command = click.Command("x", params=[click.Option(["--share"], type=real(0, 1, below=True))])
    assert "0<=x<1" in command.get_help(click.Context(command))
