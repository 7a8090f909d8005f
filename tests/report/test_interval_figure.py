"""Intervals below each other, read back from their SVG."""

from xml.etree import ElementTree

from deseptr.report.html.interval_figure import Spread, interval_figure


def drawn(*spreads: Spread) -> tuple[list[str], list[float], list[tuple[float, float]]]:
    """Texts, places of the points, and ends of the intervals."""
    svg = ElementTree.fromstring(interval_figure(spreads, "difference"))
    name = "{http://www.w3.org/2000/svg}"
    lines = [line for line in svg.iter(f"{name}line") if line.get("stroke") == "#0b62a4"]
    ends = [(float(line.get("x1", "")), float(line.get("x2", ""))) for line in lines]
    points = [float(point.get("cx", "")) for point in svg.iter(f"{name}circle")]
    return [text.text or "" for text in svg.iter(f"{name}text")], points, ends


def test_points_and_intervals_are_in_proportion():
    texts, points, ends = drawn(Spread("a", 0.1, -0.1, 0.3), Spread("b", -0.2, -0.3, -0.1))
    assert texts == ["a", "+0.100", "b", "−0.200", "0", "−0.300", "+0.300", "difference"]
    # From −0.3 to 0.3, with room for a point to the left and for figures of six letters to the right.
    left = 4
    sixth = (360 - left - (12 + 6 * 7.4)) / 6
    assert points == [round(left + 4 * sixth, 1), round(left + sixth, 1)]
    assert ends == [(round(left + 2 * sixth, 1), round(left + 6 * sixth, 1)), (4.0, round(left + 2 * sixth, 1))]


def test_zero_is_in_the_figure_and_a_figure_without_interval_has_none():
    texts, points, ends = drawn(Spread("a", 0.25, None, None))
    assert texts == ["a", "+0.250", "0", "+0.250", "difference"]
    assert (len(points), ends) == (1, [])


def test_nothing_but_zero():
    texts, points, _ = drawn(Spread("a<b>", 0.0, 0.0, 0.0), Spread("c", 0.0, None, None))
    assert texts == ["a<b>", "0.000", "c", "0.000", "0", "difference"]
    assert len(points) == 2


def test_a_long_name_goes_on_in_the_line_below_and_leaves_the_interval_its_room():
    name = "student taught on unlabelled wearers, too − student taught without them, " + "m" * 60
    texts, _, ends = drawn(Spread(name, 0.1, -0.1, 0.3), Spread("b", 0.2, 0.1, 0.3))
    lines = texts[: texts.index("+0.100")]
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    assert max(map(len, lines)) * 7.4 <= 360
    short, *_ = drawn(Spread("a", 0.1, -0.1, 0.3), Spread("b", 0.2, 0.1, 0.3))
    assert texts[len(lines) :] == short[1:]
    assert ends == drawn(Spread("a", 0.1, -0.1, 0.3), Spread("b", 0.2, 0.1, 0.3))[2]


def test_a_figure_that_is_zero_in_three_digits_has_no_sign():
    texts, *_ = drawn(Spread("a", -0.0004, None, None), Spread("b", 1.0, None, None))
    assert texts[1] == "0.000"
