"""Recordings from which a model cannot learn are refused before any window is cut, with a way out."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DataError, ModelError
from deseptr.data import Dataset, Recording
from deseptr.train import TrainConfig
from deseptr.train.recordings_check import check_recordings

RATE = 50.0
LABELS = ("walking", "falling", "rolling over")


def recordings(*seconds: float) -> Dataset:
    """Four people, each with a run of each class that lasts so long."""
    counts = [round(each * RATE) for each in seconds]
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int16)
    noise = np.random.default_rng(0).normal(size=(len(labels), 6)).astype(np.float32)
    people = tuple(Recording(noise, RATE, str(number), labels) for number in range(4))
    return Dataset(people, LABELS[: len(counts)], name="ward")


CONFIG = TrainConfig(validation=0.0, window_s=2.56)


def test_runs_as_long_as_a_window_are_enough():
    split, rate = check_recordings(recordings(10, 2.56, 2.56), CONFIG, ["3"])
    assert (split.train, split.test, rate) == (("0", "1", "2"), ("3",), 50.0)


@pytest.mark.parametrize(
    ("seconds", "named", "drop"),
    [
        ((10, 2.4, 10), "ward: class falling: found runs of at most 2.40 s", "or leave it out with --drop-labels"),
        (
            (10, 2.4, 2.0),
            "ward: classes falling, rolling over: found runs of at most 2.40, 2.00 s",
            "or leave them out with --drop-labels",
        ),
    ],
)
def test_a_class_that_never_lasts_as_long_as_a_window_is_named(seconds: tuple[float, ...], named: str, drop: str):
    with pytest.raises(DataError) as refused:
        check_recordings(recordings(*seconds), CONFIG, ["3"])
    assert str(refused.value).startswith(named)
    assert "expected a run of a window's 2.56 s in the training subjects' recordings" in str(refused.value)
    assert str(refused.value).endswith(drop)


def test_of_few_labels_the_choice_of_wearers_decides_and_not_everybody():
    few = replace(CONFIG, labelled_subjects=2)
    assert check_recordings(recordings(10, 2.4, 10), few, ["3"])[1] == 50.0


def test_a_window_that_is_too_short_for_the_model_is_refused_with_one_that_is_not():
    with pytest.raises(ModelError) as refused:
        check_recordings(recordings(10, 10), replace(CONFIG, window_s=0.94), ["3"])
    assert str(refused.value) == (
        "window of 0.94 s: found 47 samples at 50 Hz, expected at least 48 samples for the model deseptr; choose a "
        "window of at least 0.96 s with --window-s"
    )
    assert check_recordings(recordings(10, 10), replace(CONFIG, window_s=0.96), ["3"])[1] == 50.0
