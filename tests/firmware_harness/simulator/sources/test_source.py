import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Recording, load_dataset
from deseptr.firmware_harness.simulator import ConstantSource, RecordingSource


def recording(count, rate_hz=50.0):
    signals = np.random.default_rng(0).normal(0, 5, (count, 6)).astype(np.float32)
    return Recording(signals, rate_hz, "1", np.zeros(count, np.int16))


@given(st.sampled_from([10.0, 50.0, 64.0, 100.0, 99.9, 1000 / 3]), st.integers(1, 200))
def test_sample_times_give_the_samples_themselves(rate_hz, count):
    played = recording(count, rate_hz)
    source = RecordingSource(played)
    times_ns = np.array([round(k * 1e9 / rate_hz) for k in range(count)], np.int64)
    assert (source.at(times_ns) == played.signals).all()
    assert source.duration_ns == times_ns[-1]


def test_between_samples_it_interpolates_and_beyond_the_ends_it_holds():
    played = recording(3)
    at = RecordingSource(played).at(np.array([-5, 5_000_000, 10_000_000, 99_000_000], np.int64))
    np.testing.assert_allclose(at[1], 0.75 * played.signals[0] + 0.25 * played.signals[1], rtol=1e-6)
    np.testing.assert_allclose(at[2], played.signals[:2].mean(0), rtol=1e-6)
    assert (at[[0, 3]] == played.signals[[0, 2]]).all()


def test_constant_never_ends():
    source = ConstantSource([0, 0, 9.8, 0, 0, 1])
    assert source.duration_ns is None
    assert source.at(np.array([0, 10**18])).tolist() == [[0, 0, 9.8, 0, 0, 1]] * 2


def test_empty_recording_is_refused():
    with pytest.raises(DataError) as caught:
        RecordingSource(recording(0))
    assert str(caught.value) == ("subject 1, trial 1: found no samples, expected at least one; leave the recording out")


@pytest.mark.parametrize(("sensor", "rest"), [("acc", [0, 0, 0]), ("gyro", [0, 0, 9.80665])])
def test_a_sensor_that_the_recording_lacks_is_at_rest(sensor: str, rest: list[float]) -> None:
    whole = load_dataset("synthetic:subjects=1,seconds=4")
    alone = whole.select(channels=[sensor])
    times_ns = np.arange(0, 10**9, 7 * 10**6)
    both, one = (RecordingSource(dataset.recordings[0]).at(times_ns) for dataset in (whole, alone))
    there = slice(0, 3) if sensor == "acc" else slice(3, 6)
    np.testing.assert_array_equal(one[:, there], both[:, there])
    np.testing.assert_allclose(np.delete(one, there, axis=1), np.tile(rest, (len(one), 1)), rtol=1e-6)
