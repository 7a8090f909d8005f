"""The recorded wearer that comes with the package, for trying a model without data and without a sensor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from importlib.resources import as_file, files

from deseptr.contract import DataError

from .npz import read_npz
from .recording import Dataset

SAMPLE = "sample"


def load_sample() -> Dataset:
    """Two minutes of a MotionSense wearer whom the packaged model has not learned from, 20 s of each activity.

    Source and licence: ``data/samples/LICENSE.md``.

    Raises:
        DataError: if this installation has no such file.

        >>> load_sample().subjects
        ('5',)
    """
    with as_file(files("deseptr.data") / "samples" / "motionsense.npz") as path:
        if not path.is_file():
            raise DataError(
                SAMPLE, found="no recording in this installation", expected=str(path), next_step="install deseptr again"
            )
        return replace(read_npz(path), name=SAMPLE)


def wearer_for(labels: Collection[str]) -> str:
    """Name of the wearer to simulate for a model: the recorded one if the model knows its activities.

    >>> wearer_for(["lying", "upright"])
    'synthetic'
    """
    return SAMPLE if set(load_sample().label_names) <= set(labels) else "synthetic"
