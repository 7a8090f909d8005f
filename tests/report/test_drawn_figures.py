"""The figures of matplotlib, read back from their SVG: places are fractions of the frame, worked out by hand."""

from typing import Any

import numpy as np
import pytest
from drawn_svg import DrawnSvg

from deseptr.report.html import (
    Bar,
    Point,
    bars_figure,
    cumulative_figure,
    histogram_figure,
    latencies_figure,
    learning_figure,
    pairs_figure,
    reliability_figure,
    scatter_figure,
    sqnr_figure,
    subjects_figure,
)
from deseptr.report.html.curve_figure import curve_figure
from deseptr.report.html.hops_figure import hops_figure

BLUE, BROWN, GREY, RED, DARK = "#0b62a4", "#8a5a00", "#8a96a3", "#b3261e", "#1c2733"


def near(*expected: Any) -> Any:
    return [pytest.approx(each, abs=0.003) for each in expected]


def test_subjects_have_a_bar_each_and_a_line_at_their_mean():
    drawn = DrawnSvg(subjects_figure({"ada": 0.5, "eve": None, "bob": 1.0}))
    # The axis goes from -0.6 to 1.6, bars are 0.7 wide.
    assert drawn.bars(BLUE) == near((0.114, 0.432, 0, 0.5), (0.568, 0.886, 0, 1))
    assert drawn.paths(DARK) == [[(0.0, 0.75), (1.0, 0.75)]]
    assert drawn.size == (352.8, 158.4)


def test_names_of_subjects_are_upright_only_where_they_fit():
    def text(names: list[str]) -> tuple[bool, str]:
        svg = subjects_figure(dict.fromkeys(names, 0.5))
        line = next(line for line in svg.splitlines() if f">{names[0]}<" in line)
        return "rotate(-90" in line, line.split("font-size: ")[1].split(";")[0]

    assert text(["ada", "bob"]) == (False, "8px")
    assert text(["adam", "bob"]) == (True, "8px")
    assert text([str(number) for number in range(24)]) == (False, "8px")
    assert text([str(number) for number in range(25)]) == (False, "6px")


def test_reliability_is_accuracy_against_confidence_with_shares_as_bars():
    empty = {"windows": 0, "confidence": None, "accuracy": None}
    three = {"windows": 3, "confidence": 0.4, "accuracy": 0.25}
    one = {"windows": 1, "confidence": 0.8, "accuracy": 0.5}
    drawn = DrawnSvg(reliability_figure([empty, three, one, empty]))
    # The axis of accuracy ends at 1.02.
    assert drawn.paths(BLUE) == [near((0.4, 0.245), (0.8, 0.490))]
    assert drawn.markers(BLUE) == near((0.4, 0.245), (0.8, 0.490))
    assert drawn.bars(GREY) == near((0.2625, 0.4875, 0, 0.735), (0.5125, 0.7375, 0, 0.245))
    assert drawn.paths(GREY)[-1] == near((0, 0), (1, 0.980))


HISTORY = [{"stage": "student", "epoch": e, "loss": 4.0 - e, "val_macro_f1": e / 4} for e in (1, 2, 3)]


def test_learning_has_scores_and_losses_from_zero():
    scores, losses = (DrawnSvg(learning_figure([HISTORY]), number) for number in (1, 2))
    assert scores.paths(BLUE)[0] == near((0.045, 0.25), (0.5, 0.5), (0.955, 0.75))
    assert [round(y / losses.paths(BLUE)[0][2][1], 2) for _, y in losses.paths(BLUE)[0]] == [3.0, 2.0, 1.0]
    assert {"model", "validation macro-F1", "epoch"} <= set(scores.texts())
    assert "1.0" in scores.texts()
    assert "loss" in losses.texts()


def test_learning_without_validation_is_the_loss_alone():
    svg = learning_figure([[{"stage": "student", "epoch": epoch, "loss": 1.0 / epoch} for epoch in (1, 2)]])
    assert "validation" not in svg
    assert DrawnSvg(svg).size == (176.4, 165.6)
    assert len(DrawnSvg(svg).paths(BLUE)[0]) == 2
    assert {"loss", "epoch", "model"} <= set(DrawnSvg(svg).texts())


def test_learning_curves_of_folds_are_paler_and_are_named_once():
    teacher = [{**row, "stage": "teacher"} for row in HISTORY]
    svg = learning_figure([teacher + HISTORY, teacher + HISTORY])
    assert svg.count(">teacher<") == svg.count(">student<") == 1
    assert len(DrawnSvg(svg).paths(BROWN)) == len(DrawnSvg(svg).paths(BLUE)) == 2
    assert svg.count("stroke-opacity: 0.5") == 8 + 2
    assert "stroke-opacity" not in learning_figure([HISTORY])
    # A stage without scores, such as one of pretraining, has only its loss.
    unscored = [{"stage": "teacher", "epoch": 1, "loss": 1.0}, {"stage": "teacher", "epoch": 2, "loss": 0.5}]
    both = learning_figure([[*unscored, *HISTORY]])
    assert DrawnSvg(both, 1).paths(BROWN) == []
    assert len(DrawnSvg(both, 2).paths(BROWN)[0]) == 2


def test_scatter_has_a_point_and_an_interval_for_each_model_and_its_label_beside_it():
    one, two = Point("one", 1e4, 0.8, (0.7, 0.95)), Point("two", 1e6, 0.5, None, teacher=True)
    drawn = DrawnSvg(scatter_figure([one, two], "MACs"))
    # From 1e4 / 6 to 6e6 by logarithm, and from 0.48 to 0.97.
    assert drawn.markers(BLUE) == near((0.219, 0.653))
    assert drawn.markers(BROWN) == near((0.781, 0.041))
    assert drawn.paths(BLUE) == [near((0.219, 0.449), (0.219, 0.959))]
    texts = drawn.texts()
    for name, place in (("one", (0.219, 0.653)), ("two", (0.781, 0.041))):
        right, up = drawn.points_apart(place, texts[name])
        assert right == pytest.approx(7, abs=0.6)
        assert abs(up) < 4
    assert {"10 k", "100 k", "1 M", "macro-F1"} <= set(texts)


def test_interval_of_a_point_outside_it_reaches_to_the_point():
    drawn = DrawnSvg(scatter_figure([Point("low", 1e3, 0.5, (0.6, 0.9)), Point("all", 1e4, 0.7, (0.1, 0.6))], "MACs"))
    # From 0.08 to 0.92.
    assert drawn.paths(BLUE)[0] == near((0.304, 0.5), (0.304, 0.976))
    assert [y for _, y in drawn.paths(BLUE)[1]] == near(0.024, 0.738)


def test_labels_of_near_points_do_not_cover_one_another():
    same = [Point(f"model {number}", 1e4, 0.8 + number / 1e4, None) for number in range(3)]
    drawn = DrawnSvg(scatter_figure([*same, Point("far", 1e8, 0.6, None)], "MACs"))
    texts = drawn.texts()
    # The best keeps the first place, to the right; the others go to the left of it, and above or below.
    offsets = [drawn.points_apart(drawn.markers(BLUE)[number], texts[f"model {number}"]) for number in range(3)]
    assert offsets[2] == (pytest.approx(7, abs=0.6), pytest.approx(0, abs=4))
    assert len({(right > 0, round(up / 9)) for right, up in offsets}) == 3
    assert [abs(right) for right, _ in offsets] == [pytest.approx(7, abs=0.6)] * 3
    assert min(right for right, _ in offsets) < 0
    assert drawn.points_apart(drawn.markers(BLUE)[3], texts["far"])[0] == pytest.approx(7, abs=0.6)


def test_histogram_leaves_the_longest_half_percent_out():
    drawn = DrawnSvg(histogram_figure([*range(101), 1000], "µs"))
    bars = drawn.bars(BLUE)
    # 40 bins over 0 to 100, of 2.5 each: 3 and 2 whole numbers in turn, the last with 98, 99 and 100.
    assert len(bars) == 40
    assert [round(top / bars[1][3], 2) for _, _, _, top in bars[:4]] == [1.5, 1.0, 1.5, 1.0]
    assert bars[-1][3] == bars[0][3]
    assert [path[0][0] for path in drawn.paths(DARK)] == near(0.505, 0.954)
    assert {"p50 50 µs", "p99 100 µs", "windows"} <= set(drawn.texts())


def test_a_histogram_with_a_long_tail_has_logarithmic_axes_and_all_of_it():
    svg = histogram_figure([*[10.0] * 97, 100.0, 100.0, 1000.0], "µs")
    drawn = DrawnSvg(svg)
    # From 10 to 1,000 by logarithm with a margin of a twentieth, and from a half up.
    lefts = {round(left, 3) for left, _, _, top in drawn.bars(BLUE) if top > 0}
    assert len(lefts) == 3
    tops = sorted(top for _, _, _, top in drawn.bars(BLUE) if top > 0)
    assert tops[1] / tops[0] == pytest.approx(2, abs=0.02)
    assert {"10", "100", "1,000", "µs; logarithmic axes", "p50 10 µs", "p99 109 µs"} <= set(drawn.texts())


def test_latencies_are_cumulative_up_to_the_99th_percentile():
    svg = latencies_figure({"a": [100.0 * 2 ** (i / 50) for i in range(101)]}, "µs")
    drawn = DrawnSvg(svg)
    (line,) = drawn.paths("#0072b2")
    assert (line[0][1], line[-1][1]) == (0.0, 0.99)
    # Straight on a logarithmic axis, and its median is marked at half height.
    (median,) = drawn.markers("#0072b2")
    assert median[1] == 0.5
    assert median[0] == pytest.approx((line[0][0] + 50 / 99 * (line[-1][0] - line[0][0])), abs=0.003)
    # Minor ticks of the logarithmic axis have no names: 100, 200 and, of the share, 0 to 100.
    assert svg.count(">200<") == 1
    assert not {"300", "3×10²"} & set(drawn.texts())
    assert {"200", "a: 200 µs", "% of the calls", "median"} <= set(drawn.texts())


def test_bars_begin_at_zero_with_room_for_their_text():
    drawn = DrawnSvg(bars_figure([Bar("a", 1.0, "x"), Bar("b", 0.5, "y")], "share"))
    # The axis ends at 1.2 times the longest.
    assert drawn.bars(BLUE) == near((0, 0.833, 0.568, 0.886), (0, 0.417, 0.114, 0.432))
    assert drawn.size == (352.8, 72.0)
    texts = drawn.texts()
    assert drawn.points_apart((0.833, texts["x"][1]), texts["x"])[0] == pytest.approx(3, abs=0.6)
    assert texts["a"][1] - texts["b"][1] == pytest.approx(0.454, abs=0.01)
    assert DrawnSvg(bars_figure([Bar("a", 0.0, "0"), Bar("b", 0.0, "0")], "share")).bars(BLUE) == near(
        (0, 0, 0.568, 0.886), (0, 0, 0.114, 0.432)
    )


def test_pairs_stand_side_by_side_the_smaller_number_first():
    drawn = DrawnSvg(pairs_figure({"f": {"10": 1.0, "5": 0.5}, "q": {"10": 0.25, "5": 0.75}}, "subject", "macro-F1"))
    assert drawn.bars(GREY) == near((0.1, 0.264, 0, 0.5), (0.555, 0.718, 0, 1))
    assert drawn.bars(BLUE) == near((0.282, 0.445, 0, 0.75), (0.736, 0.9, 0, 0.25))
    assert drawn.size == (352.8, 187.2)


@pytest.mark.parametrize(
    ("keys", "width_in", "upright"),
    [(14, 4.9, True), (20, 7.0, True), (24, 8.4, True), (25, 8.75, False), (40, 9.8, False)],
)
def test_pairs_are_as_wide_as_they_have_to_be(keys: int, width_in: float, upright: bool):
    side = {str(number): 0.5 for number in range(keys)}
    svg = pairs_figure({"f": side, "q": side}, "subject", "macro-F1")
    assert DrawnSvg(svg).size[0] == pytest.approx(72 * width_in)
    assert ("rotate(-90" in next(line for line in svg.splitlines() if ">3<" in line)) is not upright


def test_long_names_of_pairs_are_turned():
    svg = pairs_figure({"f": {"adam": 0.5}, "q": {"adam": 0.5}}, "subject", "macro-F1")
    assert "rotate(-90" in next(line for line in svg.splitlines() if ">adam<" in line)


def test_cumulative_times_are_steps_with_the_measured_points_on_them():
    drawn = DrawnSvg(cumulative_figure([1.0, None, 3.0], [1.0, None, 3.0], {2: "SOFTMAX"}))
    # From 0 to 4 operations, and to 4.2 µs.
    assert drawn.bars(BLUE) == near((0.125, 0.375, 0, 0.238), (0.375, 0.625, 0, 0.238), (0.625, 0.875, 0, 0.952))
    assert drawn.paths(BLUE)[-1][-1] == pytest.approx((0.875, 0.952), abs=0.003)
    assert drawn.markers(DARK) == near((0.25, 0.238), (0.75, 0.714))
    assert drawn.paths(BROWN) == [near((0.625, 0.238), (0.625, 0.952))]
    assert drawn.texts()["SOFTMAX"] == pytest.approx((0.631, 0.586), abs=0.003)
    assert drawn.size == (705.6, 230.4)


def test_noise_has_both_ratios_and_rings_around_the_worst():
    drawn = DrawnSvg(sqnr_figure([50.0, 40.0, 30.0], [50.0, None, 20.0], [1, 2]))
    # From 4 dB below the least to 2 dB above the largest: 16 to 52.
    assert drawn.paths(BLUE) == [near((0.25, 0.944), (0.5, 0.667), (0.75, 0.389))]
    assert drawn.markers(BROWN) == near((0.25, 0.944), (0.75, 0.111))
    assert drawn.markers(RED) == near((0.5, 0.667), (0.75, 0.111))
    assert drawn.paths(GREY)[2] == near((0.75, 0.389), (0.75, 0.111))
    texts = drawn.texts()
    assert drawn.points_apart((0.5, 0.667), texts["2"]) == pytest.approx((0, 7), abs=3)
    assert texts["3"][0] == 0.75
    assert drawn.size == (705.6, 244.8)


@pytest.mark.parametrize(
    ("accumulated", "own", "bounds"),
    [
        # A layer that only moves values is cut off at 1.6 times the median of 20 dB.
        ([15.0, 15.0, 15.0], [10.0, 20.0, 100.0], (6, 34)),
        # 20 dB and 30 dB are always there.
        ([25.0, 25.0, 25.0], [25.0, 25.0, 25.0], (16, 32)),
        ([np.inf, np.inf, np.inf], [None, None, None], (16, 62)),
    ],
)
def test_bounds_of_noise(accumulated: list[float], own: list[float | None], bounds: tuple[int, int]):
    low, high = bounds
    texts = DrawnSvg(sqnr_figure(accumulated, own, [])).texts()
    at = {int(name): place for name, (left, place) in texts.items() if name.isdigit() and left < 0}
    # A tick's text stands a little below it.
    one, *_, other = sorted(at)
    per_db = (at[other] - at[one]) / (other - one)
    assert 1 / per_db == pytest.approx(high - low, rel=0.01)
    assert one - (at[one] + 0.018) / per_db == pytest.approx(low, abs=0.3)


def test_curve_of_few_labels_has_a_line_for_each_arm_side_by_side():
    def point(arm: str, labelled: Any, mean: float, interval: dict[str, float] | None = None) -> dict[str, Any]:
        wearers = 5 if labelled == "all" else labelled
        return {"arm": arm, "labelled": labelled, "wearers": wearers, "macro_f1": {"mean": mean, "interval": interval}}

    points = [
        point("alone", 1, 0.5, {"low": 0.4, "high": 0.6}),
        point("taught", 1, 0.7),
        point("alone", "all", 0.8),
        point("taught", "all", 0.9),
    ]
    arms = {"alone": "Alone", "taught": "Taught", "cnn-har": "Left out"}
    drawn = DrawnSvg(curve_figure({"arms": arms, "points": points}))
    pale = "#8fb8de"
    # Arms are 0.06 apart; from 0.4 to 0.9 with a margin of a twentieth on each side.
    assert drawn.markers(BLUE) == near((0.097, 0.591), (0.955, 0.955))
    assert drawn.markers(pale) == near((0.045, 0.227), (0.903, 0.773))
    assert drawn.paths(pale) == [near((0.045, 0.227), (0.903, 0.773)), near((0.045, 0.045), (0.045, 0.409))]
    assert drawn.paths(BLUE) == [near((0.097, 0.591), (0.955, 0.955))]
    texts = drawn.texts()
    assert {"1", "all (5)", "Alone", "Taught"} <= set(texts)
    assert "Left out" not in texts
    # Of three the middle one stands at the tick: at 0, where the axis goes from one outer line to the other.
    three = [point(arm, 1, 0.5) for arm in ("alone", "taught", "cnn-har")]
    middle = DrawnSvg(curve_figure({"arms": arms, "points": three}))
    assert [at[0] for at in middle.markers(BLUE)] == [pytest.approx(0.5, abs=0.002)]
    assert middle.texts()["1"][0] == pytest.approx(0.5, abs=0.01)


def test_hops_are_joined_from_the_longest_with_their_intervals():
    def row(hop_s: float, decision: str, delay_s: float, spurious: float) -> dict[str, Any]:
        spread = {"value": spurious, "low": spurious - 10, "high": spurious + 10}
        delay = {"p50": {"value": delay_s, "low": delay_s - 0.1, "high": delay_s + 0.1}}
        return {"hop_s": hop_s, "decision": decision, "delay_s": delay, "spurious_changes_per_hour": spread}

    rows = [
        row(0.32, "tuned", 1.1, 60),
        row(1.28, "tuned", 1.9, 90),
        row(1.28, "own", 1.5, 90),
        row(0.16, "never", 9, 9),
    ]
    drawn = DrawnSvg(hops_figure(rows, {"tuned": "Tuned", "own": "The window's"}))
    # From 1.0 to 2.0 s with a margin of a twentieth on each side, and from 0 to 100 changes with what lies above.
    line, *intervals = drawn.paths(BLUE)
    (left, low), (right, high) = drawn.markers(BLUE)[1], drawn.markers(BLUE)[0]
    assert line == near((right, high), (left, low))
    assert (left, right) == (pytest.approx(1 / 11 + 0.5 / 11, abs=0.002), pytest.approx(9.5 / 11, abs=0.002))
    assert low / high == pytest.approx(60 / 90, abs=0.002)
    across = [shape for shape in intervals if shape[0][1] == shape[1][1]]
    assert [shape[1][0] - shape[0][0] for shape in across] == [pytest.approx(0.2 / 1.1, abs=0.003)] * 2
    up = [shape for shape in intervals if shape[0][0] == shape[1][0]]
    assert [abs(shape[1][1] - shape[0][1]) for shape in up] == [pytest.approx(20 * high / 90, abs=0.003)] * 2
    texts = drawn.texts()
    assert {"1.28 s", "0.32 s", "Tuned", "The window's"} <= set(texts)
    assert "0.16 s" not in texts


@pytest.mark.parametrize("name", ["$\\frac$", "$5 and $6", "ada $x$"])
def test_names_with_dollar_signs_are_names(name: str):
    drawn = [
        subjects_figure({name: 0.5, "b": 0.4}),
        scatter_figure([Point(name, 10, 0.5, None)], "parameters"),
        latencies_figure({name: list(range(1, 102))}, "µs"),
    ]
    assert all(name in svg for svg in drawn)


def test_names_that_begin_with_an_underscore_are_in_legends():
    spread = {"value": 1.0, "low": 0.5, "high": 2.0}
    row = {"hop_s": 1.0, "decision": "own", "delay_s": {"p50": spread}, "spurious_changes_per_hour": spread}
    point = {"arm": "alone", "labelled": 1, "wearers": 1, "macro_f1": {"mean": 0.5, "interval": None}}
    drawn = {
        "_name": pairs_figure({"_name": {"1": 0.5}, "other": {"1": 0.5}}, "subject", "macro-F1"),
        "_name: 51 µs": latencies_figure({"_name": list(range(1, 102))}, "µs"),
        "_own": hops_figure([row], {"own": "_own"}),
        "_alone": curve_figure({"arms": {"alone": "_alone"}, "points": [point]}),
    }
    assert [name in DrawnSvg(svg).texts() for name, svg in drawn.items()] == [True] * 4


def test_logarithmic_axes_have_plain_numbers():
    svg = histogram_figure(np.array([1.0, 2.0, 2.0, 3.0, 900.0]), "µs")
    assert "logarithmic axes" in svg
    assert "mathdefault" not in svg
