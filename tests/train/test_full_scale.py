"""Full scales that the events of each class stay within."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import STANDARD_GRAVITY, ModelError
from deseptr.train import TrainConfig
from deseptr.train.full_scale import ChosenScales, FullScale, choose_full_scales, clipped_runs, parse_full_scale

AUTO = FullScale()


def runs(*peaks: tuple[float, float]) -> np.ndarray:
    """Peaks in g and degrees per second."""
    return np.array(peaks) * [STANDARD_GRAVITY, np.pi / 180]


def test_rare_events_decide_and_not_the_hours_around_them():
    """Of 405 falls 76 exceed ±8 g, a fifth, however few samples that is; one in twenty runs is left out."""
    falls = runs(*[(9.0, 300.0)] * 76, *[(5.0, 300.0)] * 329)
    walks = runs(*[(1.9, 200.0)] * 1000)
    assert choose_full_scales({"walk": walks, "fall": falls}, AUTO)[:2] == (16.0, 500.0)
    knocked = runs((15.0, 1900.0), *[(1.9, 200.0)] * 19)
    assert choose_full_scales({"walk": knocked}, AUTO)[:2] == (2.0, 250.0)
    assert choose_full_scales({"walk": knocked[:19]}, AUTO)[:2] == (16.0, 2000.0)


def test_beyond_the_largest_it_is_the_largest_and_a_class_without_runs_decides_nothing():
    peaks = {"hit": runs((200.0, 9000.0)), "none": np.empty((0, 2))}
    assert choose_full_scales(peaks, AUTO)[:2] == (16.0, 2000.0)
    assert choose_full_scales({}, AUTO)[:2] == (2.0, 250.0)


def test_what_is_asked_for_is_taken_and_what_it_clips_is_named():
    peaks = {"fall": runs((9.0, 300.0), (5.0, 300.0)), "walk": runs((1.0, 10.0))}
    scales = choose_full_scales(peaks, parse_full_scale("acc=8g"))
    assert scales == (8.0, 500.0, None)
    assert list(clipped_runs(peaks, scales)) == ["1 of the 2 runs of fall exceeds ±8 g on some axis"]
    assert (
        list(clipped_runs(peaks, ChosenScales(8.0, 250.0)))[1]
        == "2 of the 2 runs of fall exceed ±250 deg/s on some axis"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "acc", "acc=16", "acc=0g", "acc=-1g", "acc=16g,acc=8g", "acc=16g;gyro=1dps", "AUTO"),
        *(f"acc={'9' * 400}g", ["acc=16g"], None, 16),
    ],
)
def test_other_texts_are_refused_by_the_settings(text: str):
    with pytest.raises(
        ModelError, match=r"^full_scale: found .*, expected auto, or some of acc=16g, gyro=2000dps and mag=4900uT"
    ):
        TrainConfig(full_scale=text)


@given(st.text(max_size=30))
def test_any_text_is_taken_or_refused(text: str):
    try:
        parsed = parse_full_scale(text)
    except ModelError:
        return
    assert all(value is None or value > 0 for value in parsed)


def test_both_are_parsed_in_any_order():
    assert parse_full_scale("gyro=2000dps, acc=16g") == parse_full_scale("acc=16g,gyro=2000dps") == (16.0, 2000.0, None)
    assert parse_full_scale("auto") == (None, None, None)
    assert parse_full_scale("mag=4900uT") == (None, None, 4900.0)


def test_a_sensor_that_was_not_recorded_asks_for_the_smallest_scale_and_clips_nothing():
    acc, gyro = {"walk": np.array([[30.0]])}, {"walk": np.array([[10.0]])}
    assert choose_full_scales(acc, FullScale(), ["acc"])[:2] == (4.0, 250.0)
    assert choose_full_scales(gyro, FullScale(), ["gyro"])[:2] == (2.0, 1000.0)
    assert list(clipped_runs(gyro, ChosenScales(2.0, 250.0), ["gyro"])) == [
        "1 of the 1 run of walk exceeds ±250 deg/s on some axis"
    ]


def test_a_magnetometer_has_a_scale_of_its_own_and_none_where_there_is_none():
    peaks = {"walk": np.array([[15.0, 60.0], [30.0, 70.0]])}
    assert choose_full_scales(peaks, FullScale(), ["acc", "mag"]) == (4.0, 250.0, 400.0)
    assert choose_full_scales(peaks, parse_full_scale("mag=1600uT"), ["acc", "mag"]).mag_ut == 1600.0
    assert choose_full_scales(peaks, parse_full_scale("mag=1600uT"), ["acc", "gyro"]).mag_ut is None
    named = list(clipped_runs(peaks, ChosenScales(4.0, 250.0, 65.0), ["acc", "mag"]))
    assert named == ["1 of the 2 runs of walk exceeds ±65 uT on some axis"]
