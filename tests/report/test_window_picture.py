"""Small pictures of windows: their paths, limits and points, number by number."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import CHANNELS, channels_of
from deseptr.report.html.window_picture import Band, bands, decimate, limit_text, path, window_picture


def test_a_path_goes_a_unit_to_the_right_for_each_point():
    assert path(np.array([0.0, 5.0, -5.0, -2.5], np.float32), limit=5.0, zero=30) == "M0 30l1-30 1 60 1-15"
    assert path(np.array([2.5], np.float32), limit=5.0, zero=94) == "M0 79"
    assert path(np.array([0.0, 0.0], np.float32), limit=1.0, zero=30) == "M0 30l1 0"


def test_a_value_beyond_the_limit_stays_in_the_picture():
    assert path(np.array([0.0, 9.0], np.float32), limit=5.0, zero=30) == "M0 30l1-30"


def test_short_windows_are_drawn_sample_by_sample():
    values = np.arange(64, dtype=np.float32)
    assert decimate(values) is values


def test_the_highest_and_lowest_of_each_stretch_are_kept_in_their_order():
    values = np.zeros(128, np.float32)
    values[1], values[2], values[126], values[125] = 9.0, -4.0, 7.0, -3.0
    points = decimate(values)
    assert len(points) == 64
    assert points[:2].tolist() == [9.0, -4.0]
    assert points[-2:].tolist() == [-3.0, 7.0]
    assert points[2:-2].tolist() == [0.0] * 60


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=300))
def test_no_peak_is_lost(samples: list[float]):
    values = np.array(samples, np.float32)
    points = decimate(values)
    assert len(points) <= 64
    assert (points.min(), points.max()) == (values.min(), values.max())


@pytest.mark.parametrize(
    ("largest", "limit"),
    [(0.0, 1.0), (0.4, 1.0), (1.0, 1.0), (1.1, 2.5), (2.6, 5.0), (9.81, 10.0), (10.0, 10.0), (10.5, 25.0), (160, 250)],
)
def test_limits_are_of_a_series_and_hold_every_sample(largest: float, limit: float):
    signals = np.zeros((4, 3), np.float32)
    signals[2, 1] = -largest
    assert bands(signals, channels_of(["acc"])) == [Band("acc", "m/s^2", limit)]


def test_limits_have_their_units():
    assert limit_text(Band("acc", "m/s^2", 25.0)) == "±25 m/s²"
    assert limit_text(Band("gyro", "rad/s", 2.5)) == "±2.5 rad/s"
    assert limit_text(Band("mag", "uT", 100.0)) == "±100 µT"


def test_a_picture_has_a_band_for_each_sensor_and_a_trace_for_each_axis():
    signals = np.zeros((3, 6), np.float32)
    signals[:, 2], signals[1, 3] = 10.0, 2.0
    drawn = ElementTree.fromstring(window_picture(signals, CHANNELS))
    assert drawn.get("viewBox") == "0 0 2 124"
    assert drawn.get("aria-label") == "acceleration within ±10 m/s²; angular rate within ±2.5 rad/s"
    assert [(part.tag, part.get("class"), part.get("d") or part.get("y1")) for part in drawn] == [
        ("line", None, "30"),
        ("path", "x", "M0 30l1 0 1 0"),
        ("path", "y", "M0 30l1 0 1 0"),
        ("path", "z", "M0 0l1 0 1 0"),
        ("line", None, "94"),
        ("path", "x", "M0 94l1-24 1 24"),
        ("path", "y", "M0 94l1 0 1 0"),
        ("path", "z", "M0 94l1 0 1 0"),
    ]


def test_a_picture_of_one_sensor_has_one_band_and_is_small():
    signals = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    drawn = window_picture(signals, channels_of(["gyro"]))
    assert 'viewBox="0 0 63 60"' in drawn
    assert len(drawn) < 1500
