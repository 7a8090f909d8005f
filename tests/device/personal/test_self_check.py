import numpy as np
import pytest

from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.self_check import check_itself


def windows(labels, logits, places, embeddings=None):
    count = len(labels)
    embedded = np.zeros((count, 0)) if embeddings is None else embeddings
    return Recorded(
        np.float32(logits),
        np.float32(embedded),
        np.asarray(labels),
        np.zeros(count, np.int64),
        np.asarray(places),
        np.zeros((count, 0), np.float32),
    )


def test_a_consistent_mistake_is_mended():
    labels = np.repeat([0, 1, 2], 10)
    # Class 2 looks like class 1, but a little different each time alike.
    logits = np.where(labels[:, None] == 2, [0, 2.0, 1.5], 3 * np.eye(3)[labels])
    check = check_itself(windows(labels, logits, np.arange(30) * 100), 1.0, 0, 100)
    assert check.before == pytest.approx(2 / 3)
    assert check.after == 1.0
    assert not check.worse
    assert check.windows == 30


def test_labels_that_contradict_each_other_are_worse():
    """Half of each label's windows look like the other: those that are left out are told wrong by the rest."""
    labels = np.repeat([0, 1], 20)
    looks = np.where(np.arange(40) % 20 < 10, 0, 1)
    check = check_itself(windows(labels, 0.4 * np.eye(2)[looks], np.arange(40) * 100), 1.0, 0, 100)
    assert check.before == 0.5
    assert check.after < 0.5
    assert check.worse


def test_windows_that_overlap_never_judge_each_other():
    labels = np.repeat([0, 1], 3)
    places = np.tile([0, 10, 20], 2) + np.repeat([0, 1000], 3)
    check = check_itself(windows(labels, np.eye(2)[labels], places), 1.0, 0, 100)
    assert (check.windows, check.before, check.after) == (0, None, None)
    assert not check.worse


def test_a_new_label_is_measured_apart():
    labels = np.repeat([0, 1, 2], 10)
    random = np.random.default_rng(0)
    embeddings = 4 * np.eye(3)[labels] + random.normal(0, 0.2, (30, 3))
    logits = 4 * np.eye(2)[np.where(labels == 2, 1, labels)]
    check = check_itself(windows(labels, logits, np.arange(30) * 100, embeddings), 1.0, 1, 100)
    assert check.new == {0: 1.0}
    assert check.before == check.after == 1.0


@pytest.mark.parametrize(("apart", "judged"), [(100, 4), (99, 0)])
def test_windows_one_after_another_judge_each_other_and_those_that_share_a_sample_do_not(apart, judged):
    labels = np.repeat([0, 1], 2)
    places = np.array([0, apart, 1000, 1000 + apart])
    assert check_itself(windows(labels, np.eye(2)[labels], places), 1.0, 0, 100).windows == judged
