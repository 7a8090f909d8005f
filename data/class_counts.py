"""How much there is of each class: windows, the runs that they are cut from, and the people in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .windows import Windows


class ClassCount(NamedTuple):
    """Windows of one class.

    Args:
        label: name of the class.
        windows: number of windows.
        runs: runs of the label that they are cut from; windows of one run repeat each other in part.
        subjects: people whom they are of.
    """

    label: str
    windows: int
    runs: int
    subjects: int


def count_classes(windows: Windows, hop_length: int) -> tuple[ClassCount, ...]:
    """Count the windows, runs and subjects of each class.

    Args:
        windows: labelled windows in the order in which they were cut.
        hop_length: samples between the starts of successive windows of a run.

    >>> from deseptr.data import cut_windows, synthetic_dataset
    >>> windows = cut_windows(synthetic_dataset(3, 8), window_length=128, hop_length=64, rate_hz=50.0)
    >>> count_classes(windows, 64)[0]
    ClassCount(label='downstairs', windows=15, runs=3, subjects=3)
    """
    # The next run begins later than a hop after the last window of this one, since no window is in two runs.
    begins = np.ones(len(windows), bool)
    begins[1:] = (
        (np.diff(windows.recording) != 0) | (np.diff(windows.labels) != 0) | (np.diff(windows.start) != hop_length)
    )
    counts = []
    for index, label in enumerate(windows.label_names):
        own = windows.labels == index
        counts.append(ClassCount(label, int(own.sum()), int(begins[own].sum()), len(set(windows.subjects[own]))))
    return tuple(counts)
