from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError, channels_of
from deseptr.data import Dataset, Recording
from deseptr.data.recording import natural_sorted


@given(st.lists(st.integers(-1, 3), max_size=40))
def test_segments_are_maximal_runs_that_tile_the_recording(labels: list[int]) -> None:
    recording = Recording(np.zeros((len(labels), 6), np.float32), 50.0, "1", np.array(labels, np.int16))
    segments = list(recording.segments())
    assert [label for s in segments for label in [s.label] * (s.stop - s.start)] == labels
    assert all(a.stop == b.start and a.label != b.label for a, b in itertools.pairwise(segments))


def test_arrays_take_the_documented_types() -> None:
    recording = Recording(np.zeros((3, 6)), 50.0, "1", np.zeros(3, np.int64))
    assert (recording.signals.dtype, recording.labels.dtype) == (np.float32, np.int16)
    assert recording.duration_s == pytest.approx(0.06)


@pytest.mark.parametrize("shape", [(5, 3), (4, 6), (5,)])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="subject 7, trial 2"):
        Recording(np.zeros(shape, np.float32), 50.0, "7", np.zeros(5, np.int16), "2")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(value: float) -> None:
    signals = np.zeros((5, 6), np.float32)
    signals[3, 4] = value
    with pytest.raises(DataError, match="sample 3, gyro_y"):
        Recording(signals, 50.0, "1", np.zeros(5, np.int16))


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_no_positive_number_is_refused(rate: float) -> None:
    with pytest.raises(DataError, match="rate"):
        Recording(np.zeros((5, 6), np.float32), rate, "1", np.zeros(5, np.int16))


def test_no_recordings_repeated_names_and_foreign_labels_are_refused(make_recording) -> None:
    with pytest.raises(DataError, match="no recording"):
        Dataset((), ("a", "b"))
    with pytest.raises(DataError, match="names that differ"):
        Dataset((make_recording([0]),), ("a", "a"))
    with pytest.raises(DataError, match=r"found 2, expected -1 .* to 1"):
        Dataset((make_recording([0, 2]),), ("a", "b"))
    with pytest.raises(DataError, match="found -2"):
        Dataset((make_recording([0, -2]),), ("a", "b"))


def test_subjects_are_in_natural_order(make_recording) -> None:
    dataset = Dataset(tuple(make_recording([0], subject=s) for s in ("10", "2", "b", "1", "2")), ("a",))
    assert dataset.subjects == ("1", "2", "10", "b")
    assert natural_sorted({"s10", "s9", "s9b"}) == ("s9", "s9b", "s10")


def test_select_subjects_keeps_their_recordings_and_held_out_ones(synthetic: Dataset) -> None:
    chosen = synthetic.select(subjects=("4", "2"))
    assert chosen.subjects == ("2", "4")
    assert chosen.test_subjects == ("4",)
    assert len(chosen.recordings) == 12


def test_an_unknown_subject_is_answered_with_those_present(synthetic: Dataset) -> None:
    with pytest.raises(DataError, match=r"subject 9: found no such subject, expected some of 1, 2, 3, 4;"):
        synthetic.select(subjects=("1", "9"))
    with pytest.raises(DataError, match="found none"):
        synthetic.select(subjects=())


def test_select_labels_renumbers_and_unlabels_the_rest(make_recording) -> None:
    dataset = Dataset((make_recording([-1, 0, 1, 2, 2]),), ("a", "b", "c"))
    chosen = dataset.select(labels=("c", "a"))
    assert chosen.label_names == ("c", "a")
    assert chosen.recordings[0].labels.tolist() == [-1, 1, -1, 0, 0]


def test_select_refuses_an_unknown_label_and_an_empty_class(make_recording) -> None:
    dataset = Dataset((make_recording([0, 1]),), ("a", "b", "c"))
    with pytest.raises(DataError, match="label x: found no such label, expected some of a, b, c"):
        dataset.select(labels=("a", "x"))
    with pytest.raises(DataError, match="class c: found no sample of it"):
        dataset.select(labels=("a", "c"))


@pytest.mark.parametrize("chosen", [{"subjects": "ada"}, {"subjects": 1}, {"labels": "walk"}])
def test_a_single_name_is_no_list(chosen):
    data = Dataset.from_arrays([np.ones((2, 6))], ["walk"], ["ada"], 50)
    ((argument, value),) = chosen.items()
    with pytest.raises(DataError, match=f"{argument}: found {value!r}, expected a list of names; write {argument}="):
        data.select(**chosen)


def test_a_name_of_more_digits_than_python_reads_is_sorted() -> None:
    assert natural_sorted(["9" * 5000, "10", "9"]) == ("9", "10", "9" * 5000)


@pytest.mark.parametrize(("sensors", "units"), [(("acc",), ("m/s^2",) * 3), (("gyro",), ("rad/s",) * 3)])
def test_units_of_the_source_are_those_of_the_signals_unless_it_says_others(
    sensors: tuple[str, ...], units: tuple[str, ...]
) -> None:
    recording = Recording(np.zeros((5, 3)), 50.0, "1", np.zeros(5, np.int16), channels=channels_of(sensors))
    assert Dataset((recording,), ("walking",)).original_units == units
    assert Dataset((recording,), ("walking",), original_units=("g",) * 3).original_units == ("g",) * 3
