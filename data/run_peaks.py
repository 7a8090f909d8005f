"""The largest values of each run of a label: what a sensor's full scale must cover."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from .recording import Dataset


def run_peaks(dataset: Dataset, subjects: Collection[str] | None = None) -> dict[str, NDArray[np.float64]]:
    """Largest magnitudes on any axis, ``[run, sensor]`` in m/s^2 and rad/s, of the runs of each label.

    Sensors are those of the recordings, in their order.

    Args:
        dataset: labelled recordings.
        subjects: whose runs; by default everybody's.

    >>> from deseptr.data import synthetic_dataset
    >>> run_peaks(synthetic_dataset(3, 4))["walking"].shape
    (3, 2)
    """
    count = len(dataset.channels) // 3
    peaks: dict[str, list[list[float]]] = {label: [] for label in dataset.label_names}
    for recording in dataset.recordings:
        if subjects is not None and recording.subject not in subjects:
            continue
        for segment in recording.segments():
            if segment.label >= 0:
                samples = np.abs(recording.signals[segment.start : segment.stop]).reshape(-1, count, 3)
                peaks[dataset.label_names[segment.label]].append(samples.max(axis=(0, 2)).tolist())
    return {label: np.array(runs, np.float64).reshape(-1, count) for label, runs in peaks.items()}
