"""Cells of Markdown tables."""

import pytest

from deseptr.evaluate.markdown import figure, interval_of_people, markdown_table


@pytest.mark.parametrize(
    ("text", "people", "cell"),
    [("0.9 to 1.0", 4, "0.9 to 1.0 †"), ("0.9 to 1.0", 5, "0.9 to 1.0"), ("–", 4, "–"), ("–", 5, "–"), ("–", 1, "–")],
)
def test_an_interval_over_fewer_than_five_people_is_marked_where_there_is_one(text, people, cell):
    assert interval_of_people(text, people) == cell


def test_a_figure_that_is_not_known_is_a_dash():
    assert (figure(None), figure(0.0), figure(0.91239), figure(12.6, ".0f")) == ("–", "0.000", "0.912", "13")


def test_a_bar_in_a_cell_is_none_of_the_table():
    assert markdown_table(["a|b", "c"], [["1", "x|y|z"]]) == [r"| a\|b | c |", "| --- | --- |", r"| 1 | x\|y\|z |"]
