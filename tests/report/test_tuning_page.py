"""The figure of a tuning, read back from its SVG: places are fractions of the frame."""

import pytest
from drawn_svg import DrawnSvg

from deseptr.contract import DecisionConfig
from deseptr.evaluate.continuous.target import Target, Trial
from deseptr.evaluate.continuous.tuning import Tuning
from deseptr.report.tuning_page import front_figure, front_table, trials_table

BLUE, BROWN, GREY, RED = "#0b62a4", "#8a5a00", "#b6bec8", "#b3261e"


def near(*expected):
    return [pytest.approx(each, abs=0.003) for each in expected]


def tuned(target, slowest=2.0):
    """Four decisions, of which one is bettered in both; the one before is the slowest."""
    trials = {0.0: (0.5, 200.0), 0.2: (1.0, 100.0), 0.4: (1.5, 150.0), 0.9: (slowest, 50.0)}
    tried = tuple(
        (DecisionConfig(margin=margin, hop_s=0.5), Trial(delay, 2 * delay, spurious, 300.0, 0.8))
        for margin, (delay, spurious) in trials.items()
    )
    return Tuning(Target.parse(target), *tried[1], tried[3], tried, True)


@pytest.mark.parametrize(("slowest", "end"), [(2.0, 3.15), (4.0, 4.2)])
def test_the_axis_of_delays_goes_to_three_seconds_or_beyond_the_slowest_of_the_front(slowest, end):
    drawn = DrawnSvg(front_figure(tuned("f1", slowest)))
    (front,) = drawn.paths(BLUE)
    assert [x for x, _ in front] == near(0.5 / end, 1.0 / end, slowest / end)
    assert [x for x, _ in drawn.markers(GREY)][:4] == near(0.5 / end, 1.0 / end, 1.5 / end, slowest / end)
    assert [x for x, _ in drawn.markers(BROWN)][:1] == near(slowest / end)
    assert [x for x, _ in drawn.markers(RED)][:1] == near(1.0 / end)


def test_the_spurious_changes_begin_at_none():
    (front,) = DrawnSvg(front_figure(tuned("f1"))).paths(BLUE)
    heights = [y for _, y in front]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.005)
    assert heights[1] == pytest.approx(2 * heights[2], abs=0.005)


def test_the_bound_of_a_target_is_a_line_upright_for_a_delay_and_level_for_false_alarms():
    def bounds(target):
        drawn = DrawnSvg(front_figure(tuned(target)))
        return drawn.paths(RED), drawn.paths(BLUE)[0]

    (delay,), _ = bounds("delay=1.0")
    assert delay == near((1 / 3.15, 0), (1 / 3.15, 1))
    (level,), front = bounds("false-alarms=100/h")
    assert level == near((0, front[1][1]), (1, front[1][1]))
    assert bounds("f1")[0] == []


def test_tables_tell_the_decision_in_words():
    content = tuned("delay=1.0").to_dict()
    before, chosen = trials_table(content)[1]
    decision = "hop 0.5 s, exponential 2.5 s, threshold 0.5, margin {}, dwell 2.5 s"
    assert before == ["before", decision.format(0.9), "2.00", "4.00", "50", "300", "0.800"]
    assert chosen == ["chosen", decision.format(0.2), "1.00", "2.00", "100", "300", "0.800"]
    assert [row[1] for row in front_table(content)[1]] == ["0.50", "1.00", "2.00"]
