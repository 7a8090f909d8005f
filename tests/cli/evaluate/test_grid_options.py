import click
import pytest

from deseptr.cli.evaluate.grid_options import Counts, Levels, Seeds, Temperatures


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("0,2,5-7", (0, 2, 5, 6, 7)), ("9999-10000", (9999, 10_000)), ("4,4", (4,))]
)
def test_seeds(text: str, seeds: tuple[int, ...]):
    assert Seeds().convert(text, None, None) == seeds


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Levels(("soft", "hard")), ("hard", "soft")),
        (Temperatures(), (1.0, 4.0)),
        (Counts(), (3, 6, 0)),
        (Seeds(), (0, 2)),
    ],
)
def test_a_list_that_is_one_already_stays_as_it_is(kind: click.ParamType, value: tuple[object, ...]):
    """Click has the type convert a default, too."""
    assert kind.convert(value, None, None) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "5-4", "1,,2", "10001", "1-1000000000", str(2**1024), "9" * 5000, "x"])
def test_no_seeds(text: str):
    with pytest.raises(click.BadParameter, match="expected a number, as 3, or a list, as 0,2,5-7"):
        Seeds().convert(text, None, None)
