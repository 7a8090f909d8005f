"""Figures without matplotlib: every shape at the place that was worked out by hand."""

from typing import Any
from xml.etree import ElementTree

import pytest

from deseptr.report.html.plain_figures import plain_bars, plain_histogram, plain_stack, text_width

BLUE, DARK, GREY, GRID = "#0b62a4", "#1c2733", "#51606f", "#e6ebf0"
# Of the first two classes.
ORANGE, SKY = "#E69F00", "#56B4E9"


TEXTUAL = ("fill", "stroke", "text-anchor")


def shapes(svg: str, tag: str, *names: str) -> list[tuple[Any, ...]]:
    """Attributes of all elements of a kind, and their text."""
    found = []
    for each in ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"):
        values = [each.get(name) if name in TEXTUAL else float(each.get(name, "nan")) for name in names]
        found.append((*values, *([each.text] if each.text else [])))
    return found


def rects(svg: str) -> list[tuple[Any, ...]]:
    return shapes(svg, "rect", "x", "y", "width", "height", "fill")


def texts(svg: str) -> list[tuple[Any, ...]]:
    return shapes(svg, "text", "x", "y", "text-anchor", "fill")


def height(svg: str) -> str | None:
    return ElementTree.fromstring(svg).get("height")


def test_histogram():
    # 580 wide from 40: 290 a bin.
    svg = plain_histogram([0.0, 1.0, 2.0], [1, 4], {"p50": 1.0, "p99": 3.0}, "time, s")
    assert rects(svg) == [(40.0, 142.5, 289.0, 37.5, BLUE), (330.0, 30.0, 289.0, 150.0, BLUE)]
    assert shapes(svg, "line", "x1", "y1", "x2", "y2", "stroke") == [
        (330.0, 17.0, 330.0, 180.0, DARK),
        (620.0, 28.0, 620.0, 180.0, DARK),
        (40.0, 180.0, 620.0, 180.0, GRID),
    ]
    assert svg.count('stroke-dasharray="3 3"') == 2
    assert texts(svg) == [
        (334.0, 14.0, "start", DARK, "p50 1"),
        (616.0, 25.0, "end", DARK, "p99 3 →"),
        (36.0, 38.0, "end", DARK, "4"),
        (40.0, 196.0, "start", DARK, "0"),
        (330.0, 196.0, "middle", DARK, "1"),
        (620.0, 196.0, "end", DARK, "2"),
        (340.0, 214.0, "middle", GREY, "time, s"),
    ]
    assert (height(svg), 'viewBox="0 0 640 222" width="640"' in svg) == ("222", True)


def test_histogram_of_nothing_and_of_many_bins_has_bars_of_some_width():
    svg = plain_histogram([0.0, 1.0], [0], {}, "s")
    assert rects(svg) == [(40.0, 180.0, 579.0, 0.0, BLUE)]
    assert texts(svg)[0] == (36.0, 38.0, "end", DARK, "1")
    narrow = plain_histogram([float(edge) for edge in range(1161)], [1] * 1160, {}, "s")
    assert {width for _, _, width, _, _ in rects(narrow)} == {0.5}


@pytest.mark.parametrize(
    ("value", "anchor", "x"), [(81.37, "start", 515.9), (81.39, "end", 508.1), (-5.0, "start", 44.0)]
)
def test_marks_to_the_right_have_their_text_on_the_left(value: float, anchor: str, x: float):
    # 0.8 of 640 is at (512 - 40) / 5.8 = 81.38.
    svg = plain_histogram([0.0, 100.0], [1], {"p": value}, "s")
    assert texts(svg)[0][0:3:2] == (pytest.approx(x, abs=0.06), anchor)


def test_stack():
    # Names of 4 letters: the bars begin at 12 + 7.4 * 4 = 41.6 and have 508.4 for the longest row's 10.
    svg = plain_stack({"p50": {"read": 1.0, "invoke": 4.0}, "p100": {"read": 2.0, "invoke": 8.0}}, "µs")
    assert rects(svg) == [
        (41.6, 4.0, 10.0, 10.0, ORANGE),
        (101.2, 4.0, 10.0, 10.0, SKY),
        (41.6, 25.0, 50.8, 16.0, ORANGE),
        (92.4, 25.0, 203.4, 16.0, SKY),
        (41.6, 49.0, 101.7, 16.0, ORANGE),
        (143.3, 49.0, 406.7, 16.0, SKY),
    ]
    assert texts(svg) == [
        (55.6, 13.0, "start", DARK, "read"),
        (115.2, 13.0, "start", DARK, "invoke"),
        (35.6, 36.0, "end", DARK, "p50"),
        (300.8, 36.0, "start", DARK, "5 µs"),
        (35.6, 60.0, "end", DARK, "p100"),
        (555.0, 60.0, "start", DARK, "10 µs"),
    ]
    assert height(svg) == "74"


def test_bars():
    # Names of 4 letters, texts of 3: from 41.6 on, 360 - 41.6 - 34.2 for the longest.
    svg = plain_bars([("four", 2.0, "2.0"), ("two", 1.0, "1.0")])
    assert rects(svg) == [(41.6, 4.0, 284.2, 16.0, BLUE), (41.6, 28.0, 142.1, 16.0, BLUE)]
    assert texts(svg) == [
        (35.6, 15.0, "end", DARK, "four"),
        (330.8, 15.0, "start", DARK, "2.0"),
        (35.6, 39.0, "end", DARK, "two"),
        (188.7, 39.0, "start", DARK, "1.0"),
    ]
    assert (height(svg), 'viewBox="0 0 360 52" width="360"' in svg) == ("52", True)


def test_names_too_long_for_a_place_beside_the_bars_are_in_lines_above_them():
    names = ["w" * 17, "two words " * 6, "w" * 100]
    svg = plain_bars([(names[0], 2.0, "2.0"), (names[1], 1.0, "1.0"), (names[2], 0.0, "0.0")])
    assert [(x, y, anchor, text) for x, y, anchor, _, text in texts(svg)] == [
        (0.0, 12.0, "start", names[0]),
        (330.8, 29.0, "start", "2.0"),
        (0.0, 50.0, "start", "two words two words two words two words two"),
        (0.0, 64.0, "start", "words two words"),
        (167.9, 81.0, "start", "1.0"),
        (0.0, 102.0, "start", "w" * 48),
        (0.0, 116.0, "start", "w" * 48),
        (0.0, 130.0, "start", "w" * 4),
        (5.0, 147.0, "start", "0.0"),
    ]
    # From the edge, 360 - 34.2 for the longest.
    assert rects(svg) == [(0, 18.0, 325.8, 16.0, BLUE), (0, 70.0, 162.9, 16.0, BLUE), (0, 136.0, 0.0, 16.0, BLUE)]
    assert height(svg) == "160"
    assert texts(plain_bars([("w" * 16, 1, "1")]))[0] == (124.4, 15.0, "end", DARK, "w" * 16)


def test_bars_and_stacks_of_zeros_are_drawn():
    assert rects(plain_bars([("a", 0.0, "0")]))[0][2] == 0.0
    assert [width for _, _, width, _, _ in rects(plain_stack({"a": {"b": 0.0}}, "s"))] == [10.0, 0.0]


def test_a_legend_that_is_too_long_goes_on_in_a_row_below_and_nothing_is_cut():
    names = [f"walking_{number}_upstairs" for number in range(8)]
    svg = plain_stack({"day": dict.fromkeys(names, 12.5)}, "%")
    told = [shape for shape in texts(svg) if shape[-1] in names]
    assert len(told) == 8
    assert {y for _, y, *_ in told} == {13.0, 35.0, 57.0}
    assert max(x + 7.4 * len(name) for x, *_, name in told) <= 640
    (bar,) = {y for _, y, *_ in rects(svg)[8:]}
    assert bar == 3 * 22 + 3
    assert height(svg) == str(3 * 22 + 24 + 4)


def test_the_ninth_part_has_the_first_colour_again():
    parts = {f"part {number}": 1.0 for number in range(9)}
    colours = [colour for *_, colour in rects(plain_stack({"row": parts}, "s"))[9:]]
    assert colours[0] == colours[8] == ORANGE
    assert len(set(colours)) == 8


def test_a_histogram_whose_bins_grow_has_a_logarithmic_axis():
    svg = plain_histogram([1.0, 10.0, 100.0], [3, 1], {"p50": 10.0}, "time, s")
    assert [(x, width) for x, _, width, _, _ in rects(svg)] == [(40.0, 289.0), (330.0, 289.0)]
    assert [(x, text) for x, y, *_, text in texts(svg) if y == 196.0] == [(40.0, "1"), (330.0, "10"), (620.0, "100")]
    assert texts(svg)[-1][-1] == "time, s; logarithmic values"


@pytest.mark.parametrize("edges", [[0.0, 1.0, 9.0], [1.0, 2.0, 3.9]])
def test_bins_from_zero_or_that_hardly_grow_have_a_linear_axis(edges: list[float]):
    assert texts(plain_histogram(edges, [1, 1], {}, "s"))[-1][-1] == "s"


def test_a_bar_that_could_not_be_seen_makes_the_counts_logarithmic():
    # From a half: 1 is at the logarithm of 2, 50 at that of 100.
    svg = plain_histogram([0.0, 1.0, 2.0, 3.0], [50, 1, 0], {}, "s")
    assert [tall for _, _, _, tall, _ in rects(svg)] == [150.0, 22.6, 0.0]
    assert [(y, text) for x, y, *_, text in texts(svg) if x == 36.0] == [(165.4, "1"), (38.0, "50")]
    assert texts(svg)[-1][-1] == "s; logarithmic counts"
    linear = plain_histogram([0.0, 1.0, 2.0], [49, 1], {}, "s")
    assert [tall for _, _, _, tall, _ in rects(linear)] == [150.0, 3.1]
    both = plain_histogram([1.0, 10.0, 100.0], [50, 1], {}, "s")
    assert texts(both)[-1][-1] == "s; logarithmic values and counts"


@pytest.mark.parametrize(
    ("value", "text"), [(99.94, "99.9"), (100.0, "100"), (-1234.5, "-1,234"), (0.012345, "0.0123")]
)
def test_numbers(value: float, text: str):
    assert f">p {text}<" in plain_histogram([-2000.0, 2000.0], [1], {"p": value}, "s")


def test_a_text_is_taken_to_be_as_wide_as_its_capitals():
    assert text_width("") == 0
    assert text_width("four") == pytest.approx(29.6)


def test_names_of_any_length_leave_room_for_the_bars():
    long, other = "w" * 200, "w" * 199 + "2"
    svg = plain_stack({long: {"a": 1.0}, other: {"a": 3.0}}, "%")
    bars = [width for _, _, width, tall, _ in rects(svg) if tall > 10]
    assert bars == pytest.approx([bars[1] / 3, bars[1]], abs=0.1)
    assert bars[0] > 20
    shown = [text for *_, text in texts(svg) if text.startswith("www")]
    assert shown == ["w" * 49 + "…"] * 2
    assert all(text_width(text) < 0.6 * 640 for text in shown)
    assert f"<title>{other}</title>" in svg
    assert "<title>" not in plain_stack({"w" * 50: {"a": 1.0}}, "%")
