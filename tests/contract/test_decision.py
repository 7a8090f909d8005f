"""The limits of a decision's settings."""

import pytest

from deseptr.contract import DecisionConfig, SetupError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smoothing": "median"}, "smoothing: found median, expected none, exponential, majority or markov"),
        ({"smoothing": "markov"}, "smoothing: found markov, and no durations of activities in the model"),
        ({"horizon_s": 0.0}, "horizon_s: found 0.0, expected seconds above 0, 3600 at most"),
        ({"horizon_s": 3600.1}, "horizon_s: found 3600.1"),
        ({"threshold": -0.01}, "threshold: found -0.01, expected a probability from 0 to 1"),
        ({"threshold": 1.01}, "threshold: found 1.01"),
        ({"margin": -0.01}, "margin: found -0.01, expected a difference of probabilities from 0 to 1"),
        ({"margin": 1.01}, "margin: found 1.01"),
        ({"dwell_s": -0.1}, "dwell_s: found -0.1, expected 0 to 86400 seconds"),
        ({"dwell_s": 86400.1}, "dwell_s: found 86400.1"),
        ({"thresholds": {"walking": 1.01}}, "threshold of walking: found 1.01, expected a probability from 0 to 1"),
        ({"hop_s": 0.0}, "hop_s: found 0.0, expected seconds above 0"),
        ({"hop_s": 86400.0}, "hop_s: found 86400.0"),
        ({"horizon_s": float("nan")}, "horizon_s: found nan"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings, message):
    with pytest.raises(SetupError, match=f"^{message}"):
        DecisionConfig(**settings)


def test_the_ends_of_the_ranges_are_taken():
    least = DecisionConfig(horizon_s=1e-3, threshold=0, margin=0, dwell_s=0, thresholds={"walking": 0}, hop_s=1e-3)
    most = DecisionConfig(horizon_s=3600, threshold=1, margin=1, dwell_s=86400, thresholds={"walking": 1}, hop_s=86399)
    assert (least.threshold_of("walking"), most.threshold_of("walking")) == (0, 1)
    assert DecisionConfig(threshold=0.4, thresholds={"walking": 0.9}).threshold_of("sitting") == 0.4
