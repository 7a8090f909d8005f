"""The mounting reference of recordings, for a model that was made without one."""

from dataclasses import replace

import pytest

from deseptr.contract import CHANNELS, DataError, Mounting
from deseptr.data import cut_windows
from deseptr.device import MountingCorrection
from deseptr.device.mounting.estimator import MountingEstimator
from deseptr.evaluate.mounting_reference import find_mounting_reference
from deseptr.train.mounting_reference import mounting_reference


def test_it_is_the_one_that_training_makes_of_the_same_windows(wearers_contract, wearers):
    windows = cut_windows(wearers, window_length=128, hop_length=64, rate_hz=wearers_contract.rate_hz)
    found = find_mounting_reference(wearers_contract, wearers)
    assert found.reference == mounting_reference(windows)
    assert found.subjects == wearers.subjects
    assert found.windows == len(windows)
    assert f"{len(windows)} windows of 4 wearers" in str(found)


def test_a_turned_sensor_is_told_by_it(wearers_contract, wearers):
    reference = find_mounting_reference(wearers_contract, wearers.select(subjects=wearers.subjects[1:])).reference
    turn = Mounting.named("x90")
    estimator = MountingEstimator(reference, CHANNELS)
    measured = MountingCorrection(turn.inverse(), CHANNELS)
    for recording in wearers.select(subjects=wearers.subjects[:1]).recordings:
        for start in range(0, len(recording) - 128, 128):
            estimator.add(measured(recording.signals[start : start + 128]))
    assert estimator.found().turns == (turn,)


def test_wearers_who_wore_it_the_other_way_round_are_said(wearers_contract, wearers):
    found = find_mounting_reference(wearers_contract, wearers)
    worn = replace(found.reference, worn=(("none", 0.75), ("y180", 0.25)))
    both = replace(found, reference=worn)
    assert both.to_dict()["worn"] == {"none": 0.75, "y180": 0.25}
    assert str(both) == f"{found}, 25% of whom wore it y180"


def test_a_gyroscope_alone_has_none(wearers_contract, wearers):
    turning = replace(wearers_contract, channels=CHANNELS[3:], units=("rad/s",) * 3, input_range=(10.0,) * 3)
    with pytest.raises(DataError, match="found the channels gyro_x, gyro_y, gyro_z of the model, expected an acc"):
        find_mounting_reference(turning, wearers)


def test_recordings_shorter_than_a_window_are_refused(wearers_contract, wearers):
    short = [replace(each, signals=each.signals[:64], labels=each.labels[:64]) for each in wearers.recordings]
    with pytest.raises(DataError):
        find_mounting_reference(wearers_contract, replace(wearers, recordings=tuple(short)))
