import click
import pytest

from deseptr.cli.evaluate.grid_options import Seeds


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("0,2,5-7", (0, 2, 5, 6, 7)), ("9999-10000", (9999, 10_000)), ("4,4", (4,))]
)
def test_seeds(text: str, seeds: tuple[int, ...]):
    assert Seeds().convert(text, None, None) == seeds


@pytest.mark.parametrize("text", ["", "0", "-1", "5-4", "1,,2", "10001", "1-1000000000", str(2**1024), "9" * 5000, "x"])
def test_no_seeds(text: str):
    with pytest.raises(click.BadParameter, match="expected a number, as 3, or a list, as 0,2,5-7"):
        Seeds().convert(text, None, None)
