import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.evaluate.continuous.summary import figures_of_wearers, summarise
from deseptr.evaluate.continuous.track import NONE, Track


def tracks(delays: tuple[int, ...]) -> list[Track]:
    """A recording of 40 s for each delay of the second activity, in frames."""
    made = []
    for number, delay in enumerate(delays):
        truth = np.repeat([NONE, 0, 1], [200, 1000, 800])
        shown = np.repeat([NONE, 0, 1], [150, 1050 + delay, 800 - delay])
        made.append(Track(str(number), truth, shown, 50.0))
    return made


def test_figures_by_hand():
    summary = summarise(figures_of_wearers(tracks((50, 100, 150)), classes=2), ("sit", "walk"))
    assert summary["hours"] == pytest.approx(120 / 3600)
    assert (summary["delay_s"]["p50"]["value"], summary["delay_s"]["p90"]["value"]) == (0.0, 3.0)
    assert summary["delay_s_by_class"]["walk"] == {"onsets": 3, "never": 0, "p50": 2.0, "p90": 3.0}
    assert summary["changes_per_hour"]["value"] == pytest.approx(90.0)
    assert summary["spurious_changes_per_hour"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    walk = 2 * (2400 - 300) / (2 * 2400 - 300)
    sit = 2 * 3000 / (2 * 3000 + 300)
    assert summary["frame_f1"]["value"] == pytest.approx((walk + sit) / 2)
    assert summary["segment_errors"]["stretches"]["end_overfill"] == 3
    assert summary["wearers"]["1"]["onsets"] == 2


def test_interval_is_over_wearers_and_absent_for_one():
    spread = summarise(figures_of_wearers(tracks((0, 200, 400)), classes=2), ("sit", "walk"))["frame_f1"]
    assert spread["low"] < spread["value"] < spread["high"]
    alone = summarise(figures_of_wearers(tracks((50,)), classes=2), ("sit", "walk"))["frame_f1"]
    assert alone["low"] is None is alone["high"]


def test_what_is_never_shown_has_no_delay():
    late = summarise(figures_of_wearers(tracks((800, 50)), classes=2), ("sit", "walk"))
    assert late["delay_s"]["never"] == 1
    assert late["delay_s"]["never_share"]["value"] == 0.25
    assert late["delay_s_by_class"]["walk"] == {"onsets": 2, "never": 1, "p50": 1.0, "p90": 1.0}


def test_no_label_that_the_model_knows_is_refused():
    nothing = Track("ada", np.full(100, NONE), np.zeros(100, int), 50.0)
    with pytest.raises(DataError, match="no sample with a label"):
        summarise(figures_of_wearers([nothing], classes=2), ("sit", "walk"))
