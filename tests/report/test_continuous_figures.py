"""Figures of a continuous evaluation, read back from their SVG: places are fractions of the frame."""

import re

import numpy as np
import pytest
from drawn_svg import DrawnSvg

from deseptr.data import Recording
from deseptr.evaluate.continuous.moments import Moment
from deseptr.evaluate.continuous.playing import Played
from deseptr.evaluate.continuous.track import NONE, Track
from deseptr.report.html.continuous_figures import detection_figure, errors_figure, moment_figure
from deseptr.report.html.timeline import timeline

LABELS = ("sit", "walk")
SIT, WALK = "#E69F00", "#56B4E9"
X, Y, Z, RED = "#0072b2", "#d55e00", "#009e73", "#b3261e"


def near(*expected):
    return [pytest.approx(each, abs=0.003) for each in expected]


def played(probabilities, truth, t, channels=("acc_x", "acc_y", "acc_z")):
    """Ten samples a second, each axis at its own height."""
    signals = np.tile(np.float32([1, 2, 4]), (len(truth), 1))
    recording = Recording(signals, 10.0, "ada", truth, channels=channels)
    made = np.float32([[1 - each, each] for each in probabilities])
    return Played(0, recording, truth, np.array(t), made, (None,) * len(t), LABELS, 1.0)


def test_every_class_is_in_the_legend_whatever_its_name_begins_with():
    each = played([0.1, 0.9], np.array([0, 1]), [0.0, 0.1])
    texts = DrawnSvg(detection_figure([each], ("_sit", "walk"))).texts()
    assert {"_sit", "walk"} <= set(texts)


def test_errors_are_bars_side_by_side_without_what_is_right_or_does_not_happen():
    kinds = {"correct": 600, "overfill": 100, "merge": 0, "deletion": 300, "unlabelled": 500}
    # Of the 1000 frames with a label, a tenth and three tenths are wrong; the axis ends 5 % behind them.
    svg = errors_figure({"segment_errors": {"frames_by_truth": kinds, "frames_by_label": kinds}})
    drawn = DrawnSvg(svg)
    assert drawn.size == (590.4, 172.8)
    lengths = sorted((left, right) for left, right, *_ in [b for c in ("#d55e00", "#cc79a7") for b in drawn.bars(c)])
    assert lengths == near((0.0, 0.238), (0.238, 0.952))
    assert re.findall(r">(correct|overfill|merge|deletion|unlabelled)<", svg) == 2 * ["overfill", "deletion"]
    assert {"of what was true", "of what was shown", "0%", "40%", "share of the labelled time"} <= set(drawn.texts())


@pytest.mark.parametrize(
    ("channels", "unit"), [(("acc_x", "acc_y", "acc_z"), "m/s²"), (("gyro_x", "gyro_y", "gyro_z"), "rad/s")]
)
def test_a_moment_is_three_seconds_around_a_shaded_mistake_with_truth_and_label_above(channels, unit):
    truth = np.repeat([0, 1], 100).astype(np.int16)
    shown = np.repeat([0, 1], [120, 80])
    track = Track("ada", truth, shown, 10.0)
    drawn = DrawnSvg(moment_figure(Moment(0, 100, 120, 1, 0), played([0.5], truth, [10.0], channels), track))
    # From 7 s to the last sample before 15 s; the three axes are at 1, 2 and 4, with a margin of 5 %.
    for colour, height in ((X, 0.045), (Y, 0.348), (Z, 0.955)):
        line = next(each for each in drawn.paths(colour) if len({y for _, y in each}) == 1 and len(each) > 1)
        assert [line[0], line[-1]] == near((0.0, height), (1.0, height))
    shaded = next(each for each in drawn.paths(RED) if len({y for _, y in each}) == 2)
    assert (min(x for x, _ in shaded), max(x for x, _ in shaded)) == pytest.approx((3 / 7.9, 5 / 7.9), abs=0.003)
    assert {"x", "y", "z", "s", unit} <= set(drawn.texts())


def test_a_long_mistake_is_shown_for_twenty_seconds():
    truth = np.zeros(600, np.int16)
    track = Track("ada", truth, np.ones(600, int), 10.0)
    drawn = DrawnSvg(moment_figure(Moment(0, 100, 600, 0, 1), played([0.5], truth, [10.0]), track))
    shaded = next(each for each in drawn.paths(RED) if len({y for _, y in each}) == 2)
    # 7 s to 26.9 s, of which the first three were right.
    assert min(x for x, _ in shaded) == pytest.approx(3 / 19.9, abs=0.003)


def test_detection_has_the_share_missed_against_that_of_false_alarms():
    truth = np.repeat([0, 1, NONE], [20, 20, 10]).astype(np.int16)
    # Windows end in: sit 0.1 and 0.6, walk 0.4 and 0.9; the last is unlabelled and has no part.
    some = played([0.1, 0.6, 0.4, 0.9, 0.95], truth, [0.5, 1.5, 2.5, 3.5, 4.5])
    drawn = DrawnSvg(detection_figure([some], LABELS))
    assert drawn.size == (590.4, 288.0)
    # Axes from 0.001 to 1: a half is at 0.9. Up from the least threshold, which misses nobody.
    corners = {point for line in drawn.paths(WALK.lower()) for point in line}
    for point in ((1.0, 0.0), (0.9, 0.0), (0.9, 0.9), (0.0, 0.9)):
        assert point in near(*corners)
    assert {"sit", "walk", "0.001", "0.1"} <= set(drawn.texts())


def test_a_timeline_has_a_step_for_each_probability_that_is_not_next_to_nothing():
    truth = np.zeros(40, np.int16)
    some = played([0.0, 0.25, 1.0, 0.0], truth, [0.5, 1.5, 2.5, 3.5])
    page = timeline(some, Track("ada", truth, np.repeat([NONE, 1], 20), 10.0), LABELS, "trial <1>")
    # Certainty is 50 units high, above a base at 90.
    assert f'<path d="M1.50 90V77.5H2.50V40.0H3.50V90" stroke="{WALK}"/>' in page
    assert f'<path d="M0.50 90V40.0H1.50V52.5H2.50V90M3.50 90V40.0H4.50V90" stroke="{SIT}"/>' in page
    bars = [
        f'<rect x="0.00" y="0" width="4.00" height="16" fill="{SIT}"><title>truth: sit, 0.00 s to 4.00 s',
        '<rect x="0.00" y="20" width="2.00" height="16" fill="var(--faint)"><title>label: none, 0.00 s to 2.00 s',
        f'<rect x="2.00" y="20" width="2.00" height="16" fill="{WALK}"><title>label: walk, 2.00 s to 4.00 s',
    ]
    assert [bar in page for bar in bars] == [True] * 3
    assert page.count("<rect") == 3
    assert 'viewBox="0 0 4.00 90"' in page
    assert "trial &lt;1&gt;" in page
    assert "trial <1>" not in page
