import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from deseptr.contract import (
    CHANNELS,
    KnownWindows,
    ModelContract,
    ModelError,
    nearest,
    statistics_count,
    window_statistics,
)

LABELS = ("still", "walking")


def known(statistics=9, prototypes=2):
    table = np.arange(prototypes * statistics, dtype=float).reshape(prototypes, statistics)
    return KnownWindows.of([1.0] * statistics, table, limit=2.5, share=0.99)


@given(
    arrays(np.float64, (3, 4), elements=st.floats(-200, 200)),
    st.floats(0.01, 100),
    st.floats(0.5, 0.999),
)
def test_prototypes_come_back_within_half_a_step_or_saturated(table, limit, share):
    made = KnownWindows.of([0.5, 1.0, 2.0, 4.0], table, limit, share)
    again = KnownWindows.from_dict(json.loads(json.dumps(made.__dict__)))
    assert again == made
    assert np.abs(made.table - np.clip(table, -128, 128 - 1 / 256)).max() <= 0.5 / 256 + 1e-9


@given(
    arrays(np.float64, (5, 3), elements=st.floats(-50, 50)),
    arrays(np.float64, (4, 3), elements=st.floats(-50, 50)),
)
def test_nearest_is_the_least_of_all_distances(rows, table):
    plain = np.linalg.norm(rows[:, None] - table[None], axis=2).min(axis=1)
    np.testing.assert_allclose(nearest(rows, table), plain, atol=1e-5)
    assert (nearest(table, table) < 1e-5).all()


@given(st.integers(0, 2**32 - 1))
def test_statistics_are_of_each_window_alone_and_forget_the_order_of_samples(seed):
    rng = np.random.default_rng(seed)
    windows = rng.normal(0, 3, (4, 32, 6)).astype(np.float32)
    statistics = window_statistics(windows, CHANNELS)
    assert statistics.shape == (4, statistics_count(CHANNELS)) == (4, 9)
    np.testing.assert_allclose(window_statistics(windows[2], CHANNELS), statistics[2])
    np.testing.assert_allclose(window_statistics(windows[:, ::-1], CHANNELS), statistics)


def test_statistics_are_gravity_and_how_much_each_axis_moves():
    window = np.zeros((64, 6), np.float32)
    window[:, 2] = 9.8
    window[::2, 3], window[1::2, 3] = 1, -1
    found = window_statistics(window, CHANNELS)
    np.testing.assert_allclose(found[:3], [0, 0, 9.8], rtol=1e-6)
    np.testing.assert_allclose(found[3:6], np.log(0.05))
    np.testing.assert_allclose(found[6:], [np.log(1.02), np.log(0.02), np.log(0.02)], rtol=1e-6)


@pytest.mark.parametrize(
    ("channels", "count"), [(CHANNELS[:3], 6), (CHANNELS[3:], 3), (("mag_x", "mag_y", "mag_z"), 0)]
)
def test_statistics_are_those_of_the_sensors_that_are_there(channels, count):
    assert window_statistics(np.ones((8, 3), np.float32), channels).shape == (count,) == (statistics_count(channels),)


def test_a_contract_is_of_format_10_only_with_known_windows():
    plain = ModelContract(LABELS)
    assert '"format": 1,' in plain.to_json()
    assert "known_windows" not in plain.to_json()
    contract = ModelContract(LABELS, known_windows=known())
    assert json.loads(contract.to_json())["format"] == 10
    assert ModelContract.from_json(contract.to_json()) == contract
    with pytest.raises(ModelError, match="known_windows: found 8 statistics, expected the 9"):
        ModelContract(LABELS, known_windows=known(8))


@pytest.mark.parametrize(
    "change",
    [
        {"limit": 0.0},
        {"limit": "2"},
        {"share": 1.0},
        {"scale": []},
        {"scale": [1.0, -1.0]},
        {"scale": [True] * 9},
        {"prototypes": "no base64!"},
        {"prototypes": ""},
        {"prototypes": 7},
        {"scale": "1"},
        {"prototypes": known(8).prototypes},
        {"more": 1},
    ],
)
def test_a_broken_contract_is_refused(change):
    content = json.loads(ModelContract(LABELS, known_windows=known()).to_json())
    content["known_windows"] |= change
    with pytest.raises(ModelError):
        ModelContract.from_json(json.dumps(content))


def test_the_ends_of_the_range_of_distances_and_deviations():
    table = np.zeros((1, 1))
    for taken in (2e-6, 999_999.5):
        assert KnownWindows.of([taken], table, limit=taken, share=0.99).limit == taken
    for refused in (1e-6, 1e6):
        with pytest.raises(ModelError, match=r"scale: found .*, expected positive standard deviations"):
            KnownWindows.of([refused], table, limit=1.0, share=0.99)
        with pytest.raises(ModelError, match=r"limit: found .*, expected a positive distance"):
            KnownWindows.of([1.0], table, limit=refused, share=0.99)
