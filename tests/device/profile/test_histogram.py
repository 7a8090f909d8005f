import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.device.profile.histogram import histogram


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_every_duration_is_counted_once(durations):
    made = histogram(np.array(durations))
    assert sum(made["counts"]) + made["above"] == len(durations)
    assert len(made["edges_us"]) == len(made["counts"]) + 1
    assert made["edges_us"] == sorted(made["edges_us"])
    assert made["above"] <= max(1, len(durations) // 50)


def test_the_tail_is_beyond_the_last_edge():
    made = histogram(np.array([10.0] * 99 + [11.0] * 100 + [5000.0]))
    assert made["above"] == 1
    assert made["edges_us"][-1] == pytest.approx(11.0, abs=0.1)


def test_a_long_tail_has_bins_of_equal_ratio_up_to_its_end():
    made = histogram(np.array([10.0] * 90 + [1000.0] * 9 + [100_000.0]), bins=4)
    assert made == {"edges_us": [10.0, 100.0, 1000.0, 10_000.0, 100_000.0], "counts": [90, 0, 9, 1], "above": 0}
    # Nothing has a ratio to zero; four medians are no long tail.
    assert histogram(np.array([0.0, 1.0, 1.0, 1.0, 1.0, 90.0]), bins=2)["edges_us"][1] == pytest.approx(
        42.775, abs=0.01
    )
    assert histogram(np.array([1.0] * 50 + [4.0] * 50), bins=3)["edges_us"] == [1.0, 2.0, 3.0, 4.0]


def test_equal_durations_are_in_the_first_bin_of_a_nanosecond():
    made = histogram(np.full(10, 5.0))
    assert (made["edges_us"][0], made["edges_us"][-1]) == (5.0, 5.001)
    assert (made["counts"][0], made["above"]) == (10, 0)


def test_none():
    assert histogram(np.array([])) == {"edges_us": [], "counts": [], "above": 0}
