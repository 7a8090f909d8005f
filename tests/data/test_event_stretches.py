import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import CHANNELS, DataError, channels_of
from deseptr.data import Dataset, Recording, around_peaks


def dataset(labels, peak=None, channels=CHANNELS):
    signals = np.full((len(labels), len(channels)), 1.0, np.float32)
    if peak is not None:
        signals[peak, 0] = -50
    return Dataset((Recording(signals, 10.0, "ada", np.array(labels), channels=channels),), ("walking", "fall"))


@given(st.integers(0, 60), st.integers(1, 100), st.integers(0, 60), st.integers(0, 99), st.integers(1, 120))
def test_what_is_kept_is_one_stretch_with_the_peak_of_the_length_asked_for(before, length, after, where, span):
    where = before + where % length
    labels = [0] * before + [1] * length + [0] * after
    (made,) = around_peaks(dataset(labels, where), "fall", span / 10).recordings
    kept = np.flatnonzero(made.labels == 1)
    assert kept.tolist() == list(range(kept[0], kept[-1] + 1))
    assert len(kept) == min(length, span)
    assert kept[0] <= where <= kept[-1]
    other = np.array(labels) == 0
    assert (made.labels[other] == 0).all()
    assert set(made.labels[~other]) <= {1, -1}


def test_each_run_has_its_own():
    made = around_peaks(dataset([1] * 50 + [0] * 10 + [1] * 50, 20), "fall", 1.0).recordings[0].labels
    assert np.flatnonzero(made == 1).tolist() == [*range(15, 25), *range(60, 70)]


def test_an_unknown_label_and_a_gyroscope_alone_are_refused():
    with pytest.raises(DataError, match="stumble"):
        around_peaks(dataset([0, 1]), "stumble", 1.0)
    with pytest.raises(DataError, match="found no acceleration"):
        around_peaks(dataset([0, 1], channels=channels_of(["gyro"])), "fall", 1.0)
