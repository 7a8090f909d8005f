"""The turn of a sensor is found in labelled recordings, refused if it is not clear, and only noted if nobody asked."""

from dataclasses import replace

import numpy as np
import pytest
from worn_windows import LABELS, RATE_HZ, wearer_samples, worn_windows

from deseptr.contract import AS_TRAINED, MOUNTINGS, DataError, Mounting, SetupError
from deseptr.data import Dataset, Recording
from deseptr.device import default_model
from deseptr.device.mounting.labelled import COUNTED_OF_A_CLASS, estimate_mounting, recorded_mounting
from deseptr.device.mounting.recordings import turned_back
from deseptr.tflite import read_tflite
from deseptr.train.mounting_reference import mounting_reference

X90 = Mounting.named("x90")


@pytest.fixture(scope="module")
def contract():
    """Of a model that knows how wearers wore the sensor."""
    return replace(read_tflite(default_model()).contract, mounting=mounting_reference(worn_windows()))


def takes(turn=AS_TRAINED, labels=LABELS, windows=4, names=LABELS):
    """A take of each activity, by a sensor that is turned."""
    recordings = tuple(
        Recording(
            wearer_samples(50, label, windows), RATE_HZ, "eve", np.full(windows * 128, LABELS.index(label), np.int16)
        )
        for label in labels
    )
    return turned_back(Dataset(recordings, names, "takes"), turn.inverse())


@pytest.mark.parametrize("turn", MOUNTINGS, ids=lambda turn: turn.name)
def test_every_turn_is_found_by_ten_seconds_of_each_activity(contract, turn):
    found = estimate_mounting(takes(turn), contract)
    assert (found.turns, found.clear, found.windows) == ((turn,), True, 12)
    asked = recorded_mounting(takes(turn), contract, "auto")
    assert asked.turn == turn
    if turn != AS_TRAINED:
        assert asked.meaning == f"the sensor seems {turn}; samples are turned back by {turn.name}"


def test_a_window_is_compared_with_its_own_class(contract):
    exchanged = takes(names=("sitting", "standing", "walking"))
    assert estimate_mounting(exchanged, contract).lead < 0.5 * estimate_mounting(takes(), contract).lead


def test_one_activity_is_not_enough_however_long_it_is(contract):
    for label in LABELS:
        found = estimate_mounting(takes(X90, (label,), 60), contract)
        assert not found.clear
        with pytest.raises(DataError, match=r"leave open how the sensor is turned.*--mounting x90"):
            recorded_mounting(takes(X90, (label,), 60), contract, "auto")


def test_longer_takes_count_no_more_than_some_windows(contract):
    some, many = (estimate_mounting(takes(X90, windows=count), contract) for count in (COUNTED_OF_A_CLASS, 60))
    assert many.windows == 180
    assert many.lead < 1.5 * some.lead


def test_activities_that_the_reference_lacks_are_left_out(contract):
    named = takes(X90, names=("standing", "sitting", "cycling"))
    assert estimate_mounting(named, contract).windows == 8


def test_without_being_asked_takes_stay_as_they_are_and_a_turned_sensor_is_noted(contract):
    told = recorded_mounting(takes(X90), contract, None)
    assert (told.turn, "--undo this and repeat it with --mounting x90" in told.meaning) == (AS_TRAINED, True)
    for silent in (
        recorded_mounting(takes(), contract, None),
        recorded_mounting(takes(X90, LABELS[:1]), contract, None),
    ):
        assert (silent.turn, silent.meaning) == (AS_TRAINED, "")
    assert recorded_mounting(takes(X90), replace(contract, mounting=None), None).meaning == ""


def test_a_turn_that_is_named_is_taken(contract):
    for given in ("x90", X90):
        assert recorded_mounting(takes(), contract, given).turn == X90
    assert recorded_mounting(takes(X90), contract, "none").meaning == ""
    with pytest.raises(SetupError, match="x45"):
        recorded_mounting(takes(), contract, "x45")


def test_a_model_that_does_not_know_how_it_was_worn_cannot_estimate(contract):
    with pytest.raises(SetupError, match="does not know how the sensor was worn"):
        recorded_mounting(takes(), replace(contract, mounting=None), "auto")


def test_windows_that_share_samples_count_once(contract):
    dense = replace(contract, hop_length=contract.window_length // 8)
    assert estimate_mounting(takes(X90), dense).windows == 12


@pytest.mark.parametrize("turned", [("sitting", "walking"), ("standing", "walking"), LABELS[:1]])
def test_recordings_of_two_mountings_leave_it_open(contract, turned):
    straight = [label for label in LABELS if label not in turned]
    mixed = replace(takes(), recordings=takes(X90, turned).recordings + takes(labels=straight * 3).recordings)
    found = estimate_mounting(mixed, contract)
    # One recording alone may be a posture.
    assert found.clear == (len(turned) == 1)


def test_the_message_of_two_mountings_says_so(contract):
    mixed = replace(takes(), recordings=takes(X90).recordings + takes().recordings * 2)
    with pytest.raises(DataError, match="a sensor that is mounted alike in all of them"):
        recorded_mounting(mixed, contract, "auto")
