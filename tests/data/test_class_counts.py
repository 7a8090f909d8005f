"""Windows, runs and people of each class."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.data import Dataset, Recording, cut_windows
from deseptr.data.class_counts import ClassCount, count_classes
from deseptr.data.run_peaks import run_peaks

LABELS = ("sit", "walk", "run")


def dataset(*recordings: list[tuple[int, int]]) -> Dataset:
    """Recordings of subjects 0, 1, …, each of runs of a label (or -1) and a length in samples."""
    made = []
    for subject, runs in enumerate(recordings):
        labels = np.concatenate([np.full(length, label, np.int16) for label, length in runs])
        made.append(Recording(np.ones((len(labels), 6), np.float32), 50.0, str(subject), labels))
    return Dataset(tuple(made), LABELS)


runs_of_a_recording = st.lists(st.tuples(st.integers(-1, 2), st.integers(1, 40)), min_size=1, max_size=6).map(
    # Neighbours of one label would be one run.
    lambda runs: [run for at, run in enumerate(runs) if not at or runs[at - 1][0] != run[0]]
)


@settings(max_examples=60)
@given(st.lists(runs_of_a_recording, min_size=1, max_size=3), st.integers(1, 10))
def test_they_are_those_of_the_segments(recordings: list[list[tuple[int, int]]], hop: int):
    length = 10
    data = dataset(*recordings)
    if not any(label >= 0 and size >= length for runs in recordings for label, size in runs):
        return
    windows = cut_windows(data, window_length=length, hop_length=hop, rate_hz=50.0)
    for index, count in enumerate(count_classes(windows, hop)):
        whole = [(s, size) for s, runs in enumerate(recordings) for label, size in runs if label == index]
        whole = [(subject, size) for subject, size in whole if size >= length]
        cut = sum((size - length) // hop + 1 for _, size in whole)
        assert count == ClassCount(LABELS[index], cut, len(whole), len({subject for subject, _ in whole}))


def test_peaks_are_of_runs_sensors_and_chosen_people():
    data = dataset([(0, 20), (1, 20)], [(0, 30), (-1, 10)])
    data.recordings[0].signals[5] = [1, -7, 2, 0, 0, 3]
    data.recordings[1].signals[35] = 99
    peaks = run_peaks(data)
    assert peaks["sit"].tolist() == [[7, 3], [1, 1]]
    assert peaks["walk"].tolist() == [[1, 1]]
    assert peaks["run"].shape == (0, 2)
    assert run_peaks(data, {"1"})["sit"].tolist() == [[1, 1]]
    assert pytest.approx(99) not in np.concatenate(list(peaks.values())).ravel().tolist()
