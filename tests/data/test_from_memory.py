"""Datasets of arrays and data frames."""

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.data import Dataset


def test_a_list_of_recordings():
    data = Dataset.from_arrays(
        [np.ones((5, 6)), np.zeros((3, 6))], ["walk", ["rest", None, "rest"]], ["ada", "eve"], 25, name="mine"
    )
    assert data.name == "mine"
    assert data.label_names == ("rest", "walk")
    assert [r.subject for r in data.recordings] == ["ada", "eve"]
    assert data.recordings[0].labels.tolist() == [1] * 5
    assert data.recordings[1].labels.tolist() == [0, -1, 0]
    assert {r.rate_hz for r in data.recordings} == {25}


def test_one_array_is_cut_where_the_subject_changes():
    samples = np.arange(36).reshape(6, 6)
    data = Dataset.from_arrays(samples, list("aabbbb"), ["1", "1", "1", "2", "2", "1"], 50)
    assert [(r.subject, r.name, len(r)) for r in data.recordings] == [("1", "1", 3), ("2", "1", 2), ("1", "2", 1)]
    assert np.array_equal(np.concatenate([r.signals for r in data.recordings]), samples)
    assert np.concatenate([r.labels for r in data.recordings]).tolist() == [0, 0, 1, 1, 1, 1]


def test_one_subject_and_label_for_all():
    data = Dataset.from_arrays([np.ones((2, 6))] * 3, "walk", "ada", 50)
    assert data.subjects == ("ada",)
    assert [r.name for r in data.recordings] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("signals", "labels", "subjects", "message"),
    [
        ([np.ones((2, 3))], ["a"], ["1"], r"recording 0: found shape \(2, 3\), expected \[sample, 6\]"),
        ([np.ones((2, 6))], ["a", "b"], ["1"], "found 1 recordings, 2 labels and 1 subjects"),
        ([np.ones((2, 6))], [["a"]], ["1"], "recording 0: found 1 names, expected 2"),
        (np.ones((2, 6)), ["a", "b"], ["1"], "subjects: found 1 names, expected 2"),
        ([np.full((2, 6), np.inf)], ["a"], ["1"], "found inf, expected a finite number"),
    ],
)
def test_what_does_not_fit_is_named(signals, labels, subjects, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(signals, labels, subjects, 50)


def test_repr_is_short_and_has_no_samples():
    data = Dataset.from_arrays([np.ones((3000, 6))] * 2, ["walk", "run"], ["ada", "eve"], 50)
    assert repr(data) == "Dataset('arrays', 2 subjects, 2 recordings, 2.0 minutes at 50 Hz, labels run, walk)"
    assert repr(data.recordings[0]) == "Recording(subject ada, trial 1, 60.0 s at 50 Hz, 3000 samples)"


CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")


def frame(**columns):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({name: np.arange(40.0) for name in CHANNELS} | columns)


def test_a_frame_with_times():
    data = Dataset.from_dataframe(frame(t=np.arange(40) / 20, label=["a"] * 20 + ["b"] * 20, subject="ada"))
    (recording,) = data.recordings
    assert data.name == "dataframe"
    assert recording.rate_hz == 20
    assert recording.labels.tolist() == [0] * 20 + [1] * 20
    assert recording.signals[:, 0].tolist() == list(range(40))


def test_a_frame_without_times_has_a_rate():
    data = Dataset.from_dataframe(frame(subject=["ada"] * 15 + ["eve"] * 25, label="a"), rate_hz=50)
    assert [(r.subject, len(r), r.rate_hz) for r in data.recordings] == [("ada", 15, 50.0), ("eve", 25, 50.0)]


def test_a_fault_of_a_frame_names_the_frame_and_no_file():
    with pytest.raises(DataError) as caught:
        Dataset.from_dataframe(frame(t=np.arange(40) / 20).drop(columns="gyro_z"))
    assert str(caught.value).startswith("dataframe")
    assert "/" not in str(caught.value).partition("found")[0]
