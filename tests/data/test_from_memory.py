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
        ([np.ones((2, 6))], ["a", "b"], ["1"], "found 1 recording, 2 labels and 1 subject"),
        ([np.ones((2, 6))], [["a"]], ["1"], "recording 0: found 1 name, expected 2"),
        (np.ones((2, 6)), ["a", "b"], ["1"], "subjects: found 1 name, expected 2"),
        ([np.full((2, 6), np.inf)], ["a"], ["1"], "found inf, expected a finite number"),
        ([[["x"] * 6] * 2], ["a"], ["1"], "recording 0: found values that are no numbers"),
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


@pytest.mark.parametrize("rate_hz", [0, -1, float("nan"), "50", None])
def test_a_rate_is_a_positive_number(rate_hz):
    with pytest.raises(DataError, match=r"rate_hz: found .*, expected a positive number of Hz"):
        Dataset.from_arrays([np.ones((2, 6))], ["a"], ["1"], rate_hz)


def test_names_may_be_numbers_and_missing_ones_are_unlabelled():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series(["walk", float("nan"), None, pandas.NA], dtype=object)
    data = Dataset.from_arrays([np.ones((4, 6)), np.ones((2, 6))], [labels, 7], [1, 2], 50)
    assert data.label_names == ("7", "walk")
    assert data.subjects == ("1", "2")
    assert [r.labels.tolist() for r in data.recordings] == [[1, -1, -1, -1], [0, 0]]


def test_a_frame_is_no_array():
    with pytest.raises(DataError, match=r"signals: found a DataFrame, .*; use Dataset.from_dataframe"):
        Dataset.from_arrays(frame(), ["a"] * 40, "ada", 50)


@pytest.mark.parametrize("value", ["mine.csv", {"t": [1]}, None])
def test_what_is_no_frame(value):
    with pytest.raises(DataError, match=r"dataframe: found a .*, expected a pandas data frame"):
        Dataset.from_dataframe(value)


def test_times_and_a_rate_contradict():
    with pytest.raises(DataError, match="found a column t_ms and rate_hz=50, expected one of the two"):
        Dataset.from_dataframe(frame(t_ms=np.arange(40) * 20.0), rate_hz=50)


def test_dates_are_no_seconds():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"column t: found dates or durations, .* \(frame.t - .*total_seconds\(\)"):
        Dataset.from_dataframe(frame(t=pandas.date_range("2026-01-01", periods=40, freq="20ms")))


def test_a_frame_without_times_may_have_a_rate():
    with pytest.raises(DataError, match=r"found no column t .*; pass rate_hz=…, or rename"):
        Dataset.from_dataframe(frame())


def test_rows_of_a_frame_are_counted_as_by_iloc():
    times = np.arange(40) / 20
    times[7] = np.nan
    with pytest.raises(DataError, match=r"row 7 \(counted from 0\), column t: found no value \(NaN\)"):
        Dataset.from_dataframe(frame(t=times))
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\), column t: found 38 s after 39 s"):
        Dataset.from_dataframe(frame(t=np.arange(40)[::-1]))


@pytest.mark.parametrize(("column", "wanted"), [("Label", "label"), ("activity", "label"), ("Participant", "subject")])
def test_a_column_that_can_only_be_the_labels_or_subjects_is_taken_with_a_note(column, wanted):
    columns = {"label": "a", "subject": "ada"}
    columns[column] = columns.pop(wanted)
    data = Dataset.from_dataframe(frame(t=np.arange(40) / 20, **columns))
    assert (data.label_names, data.subjects) == (("a",), ("ada",))
    assert f"{column} as {wanted}" in data.oddities[0]


def test_of_two_columns_that_may_be_the_labels_none_is_taken():
    data = Dataset.from_dataframe(frame(t=np.arange(40) / 20, activity="a", user="ada", **{"class": "b"}))
    assert data.label_names == ()
    for column in ("activity", "class"):
        assert f"no column label, and the column {column} is ignored: rename it if it has the labels" in data.oddities


def test_a_value_that_a_frame_lacks_is_a_lost_sample():
    gap = np.arange(40.0)
    gap[7] = np.nan
    data = Dataset.from_dataframe(frame(t=np.arange(40) / 20, acc_x=gap))
    assert "1 row with an empty cell was left out" in data.oddities
    np.testing.assert_allclose(data.recordings[0].signals[:, 0], np.arange(40))


def test_another_column_beside_the_labels_is_not_odd():
    data = Dataset.from_dataframe(frame(t=np.arange(40) / 20, label="a", activity="b", user="c", subject="ada"))
    assert not [oddity for oddity in data.oddities if "ignored" in oddity]
