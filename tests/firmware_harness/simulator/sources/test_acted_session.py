import math

import numpy as np
import pytest

from deseptr.data import UNLABELLED, Dataset, Recording
from deseptr.device.recorder import SessionStep
from deseptr.firmware_harness.simulator import act


def constant(value, count, label, subject="1", rate_hz=10.0):
    return Recording(
        np.full((count, 6), value, np.float32), rate_hz, subject, np.full(count, label, np.int16), f"{label}"
    )


DATASET = Dataset((constant(1, 30, 0), constant(2, 5, 1), constant(7, 9, 0, "2")), ("rest", "jump", "never"))


def acted(*steps, subject="1"):
    return act(DATASET, steps, subject)


def test_activities_have_their_order_and_length():
    made = acted(
        SessionStep("prepare", "jump", 2),
        SessionStep("activity", "jump", 3),
        SessionStep("rest", "jump", 1),
        SessionStep("activity", "rest", 2),
    )
    values = made.signals[:, 0].tolist()
    assert values == [2] * 20 + [2] * 30 + [1] * 10 + [1] * 20 + [1] * 20
    assert made.rate_hz == 10
    assert set(made.labels.tolist()) == {UNLABELLED}


@pytest.mark.parametrize(("subject", "value"), [("2", 7), ("nobody", 1)])
def test_subject_of_the_recordings(subject, value):
    assert acted(SessionStep("activity", "rest", 1), subject=subject).signals[0, 0] == value


@pytest.mark.parametrize("label", ["unheard-of", "never"])
def test_activity_without_samples_is_the_first_recording(label):
    assert acted(SessionStep("activity", label, 1)).signals[0, 0] == 1


def test_activity_without_end_lasts_as_long_as_its_recordings():
    assert len(acted(SessionStep("activity", "rest", math.inf))) == 30 + 20
