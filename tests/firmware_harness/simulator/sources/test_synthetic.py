import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import SetupError
from deseptr.data import synthetic_stretch
from deseptr.firmware_harness.simulator import SineSource, WearerSource

STEP_NS = 20_000_000


@given(st.floats(0.01, 20), st.floats(0, 30), st.floats(-10, 10), st.floats(-3, 3), st.integers(0, 10**12))
def test_sine_is_the_formula(frequency_hz, amplitude, offset, phase, time_ns):
    source = SineSource(frequency_hz, [amplitude] * 6, offset, phase)
    expected = offset + amplitude * np.sin(2 * np.pi * frequency_hz * time_ns / 1e9 + phase)
    assert source.at(np.array([time_ns])) == pytest.approx(np.full((1, 6), expected))


def test_sine_of_its_own_on_every_axis():
    source = SineSource([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [0, 0, 9.8, 0, 0, 0])
    quarter = source.at(np.array([250_000_000]))[0]
    assert quarter == pytest.approx([1, 0, 9.8 - 3, 0, 5, 0], abs=1e-9)


@pytest.mark.parametrize("frequency", [[1, 2], float("nan")])
def test_sine_of_neither_one_nor_six_is_refused(frequency):
    with pytest.raises(SetupError, match="sine source, frequency_hz: found"):
        SineSource(frequency, 1)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=8), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_wearer_does_not_depend_on_the_size_of_calls(cuts, subject):
    whole = WearerSource(subject, stretch_s=12).at(np.arange(5000) * STEP_NS)
    pieced = WearerSource(subject, stretch_s=12)
    for cut in cuts:
        piece = np.arange(max(0, cut - 40), cut) * STEP_NS
        assert (pieced.at(piece) == whole[max(0, cut - 40) : cut]).all()


def test_wearer_changes_activities_without_jumps():
    signals = WearerSource(2, stretch_s=10).at(np.arange(0, 200 * 50) * STEP_NS)
    spread = signals.reshape(20, 500, 6).std(axis=1)[:, :3].mean(axis=1)
    assert spread.max() > 3 * spread.min()
    around = np.abs(np.diff(signals[:, :3], axis=0)).max(axis=1)
    assert around[[499 + 500 * k for k in range(19)]].max() <= around.max()
    assert (WearerSource(3).at(np.arange(9) * STEP_NS) != WearerSource(2).at(np.arange(9) * STEP_NS)).all()


def test_wearer_fades_from_stretch_to_stretch():
    """Half-way through the fade each counts for half: no sample is further from both than the fade allows."""
    source = WearerSource(1, stretch_s=10)
    # A stretch goes on for a second in which it fades out, and one sample more.
    before, after = (synthetic_stretch(1, number, 1, 50.0, (500 + 50 + 1) / 50).signals for number in (0, 1))
    times_ns = (500 + np.array([0, 25, 49])) * STEP_NS
    share = np.array([0, 0.5, 0.98])[:, None]
    expected = after[[0, 25, 49]] * share + before[[500, 525, 549]] * (1 - share)
    np.testing.assert_allclose(source.at(times_ns), expected, rtol=1e-5)


def test_wearer_of_weeks_takes_no_memory():
    source = WearerSource(1, stretch_s=5)
    source.at(np.arange(100) * STEP_NS)
    tracemalloc.start()
    for day in range(7):
        for minute in range(3):
            source.at((day * 86_400 + minute * 60) * 10**9 + np.arange(100) * STEP_NS)
        if day == 1:
            early = tracemalloc.get_traced_memory()[0]
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert late < early + 100_000
