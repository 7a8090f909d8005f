"""Samples of a turned sensor become those of the sensor as it was mounted in training, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import ALL_CHANNELS, AS_TRAINED, MOUNTINGS, Mounting, SetupError
from deseptr.device import MountingCorrection

mountings = st.sampled_from(MOUNTINGS)


def samples(seed, channels=9):
    return np.random.default_rng(seed).normal(size=(5, channels)).astype(np.float32)


@given(mountings, st.permutations(ALL_CHANNELS), st.integers(0, 2**31))
def test_what_was_turned_is_turned_back(mounting, channels, seed):
    measured = MountingCorrection(mounting.inverse(), channels)(samples(seed))
    assert np.array_equal(MountingCorrection(mounting, channels)(measured), samples(seed))


@given(mountings, mountings, st.integers(0, 2**31))
@settings(max_examples=50)
def test_corrections_one_after_another_are_that_of_both_turns(one, two, seed):
    first, second = (MountingCorrection(each, ALL_CHANNELS) for each in (one, two))
    assert np.array_equal(second(first(samples(seed))), MountingCorrection(one.then(two), ALL_CHANNELS)(samples(seed)))


def test_a_sensor_turned_about_x_lies_on_its_side():
    # Turned by 90° about x, its z axis points where -y did: what points up along z is measured along y.
    measured = np.float32([[0, 9.8, 0, 0, 1, 0, 0, 40, 0]])
    corrected = MountingCorrection(Mounting.named("x90"), ALL_CHANNELS)(measured)
    assert corrected.tolist() == np.float32([[0, 0, 9.8, 0, 0, 1, 0, 0, 40]]).tolist()


def test_each_sensor_is_turned_in_itself_whatever_their_order():
    channels = ("gyro_z", "acc_y", "gyro_x", "acc_x", "gyro_y", "acc_z")
    named = dict(zip(channels, np.arange(1.0, 7), strict=True))
    corrected = MountingCorrection(Mounting.named("z90"), channels)(np.float32([[*named.values()]]))[0]
    back = dict(zip(channels, corrected.tolist(), strict=True))
    for sensor in ("acc", "gyro"):
        assert back[f"{sensor}_x"] == -named[f"{sensor}_y"]
        assert back[f"{sensor}_y"] == named[f"{sensor}_x"]
        assert back[f"{sensor}_z"] == named[f"{sensor}_z"]


def test_a_model_without_all_axes_cannot_be_corrected():
    with pytest.raises(SetupError, match="mounting x90: found a model of acc_y without the other axes"):
        MountingCorrection(Mounting.named("x90"), ("acc_y", "gyro_x", "gyro_y", "gyro_z"))
    assert MountingCorrection(AS_TRAINED, ("acc_y",))(np.float32([[3]])).tolist() == [[3]]
