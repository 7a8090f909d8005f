import numpy as np

from deseptr.contract import StftSpec
from deseptr.train.front_end import SATURATION, DftSpectrogram
from deseptr.train.window_statistics import input_range, whitening_gain

SIGNALS = np.random.default_rng(0).normal(size=(200, 128, 6)).astype(np.float32) * [3, 1, 2, 0.1, 0.2, 0.3]
SIGNALS = SIGNALS.astype(np.float32)


def test_axes_of_a_sensor_share_their_range():
    ranges = input_range(SIGNALS, 99.9)
    assert ranges[0] == ranges[1] == ranges[2]
    assert ranges[3] == ranges[4] == ranges[5]
    assert (np.abs(SIGNALS[..., 0]) > ranges[0]).mean() < 0.0011
    assert ranges[0] > ranges[3] * 5


def test_gain_brings_every_bin_to_saturation_at_its_percentile():
    spec, ranges = StftSpec(), input_range(SIGNALS)
    gain = whitening_gain(SIGNALS, spec, ranges, percentile=99)
    projections = np.abs(np.asarray(DftSpectrogram(spec, ranges, gain).project(SIGNALS)))
    assert 0.005 < (projections > SATURATION).mean() < 0.015


def test_silent_channel_gives_finite_values():
    silent = np.zeros((4, 128, 6), np.float32)
    assert np.isfinite(whitening_gain(silent, StftSpec(), input_range(silent))).all()
