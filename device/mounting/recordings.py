"""Recordings of a turned sensor as it would have measured them without the turn."""

from __future__ import annotations

from dataclasses import replace

from deseptr.contract import AS_TRAINED, Mounting
from deseptr.data import Dataset

from .correction import MountingCorrection


def turned_back(dataset: Dataset, mounting: Mounting) -> Dataset:
    """The recordings as a sensor that is mounted as in training would have measured them.

    Args:
        dataset: recordings of a turned sensor.
        mounting: how it is turned.

    Raises:
        SetupError: if a sensor of the recordings has not all three axes.
    """
    if mounting == AS_TRAINED:
        return dataset
    correct = MountingCorrection(mounting, dataset.channels)
    recordings = tuple(replace(each, signals=correct(each.signals)) for each in dataset.recordings)
    return replace(dataset, recordings=recordings)
