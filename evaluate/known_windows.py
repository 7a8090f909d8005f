"""Which windows a model knows, from recordings, and from which distance on others are unfamiliar.

The limit is that of people who are not among the prototypes: each wearer is measured by the prototypes of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError, KnownWindows, ModelContract, nearest, window_statistics
from deseptr.contract.counts import counted
from deseptr.data import Dataset
from deseptr.evaluate.predictor import windows_for

PROTOTYPES = 16
"""Prototypes of a class."""
GROUPS = 10
_MOST_WINDOWS = 2000
_ROUNDS = 20
# Added to standard deviations of statistics: nobody holds a sensor truer than that.
_LEAST_SCALE = 0.02
Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Familiar:
    """Known windows, and what they were found in.

    Args:
        known: for the contract.
        subjects: the wearers.
        windows: number of their windows.
    """

    known: KnownWindows
    subjects: tuple[str, ...]
    windows: int

    def __str__(self) -> str:
        """As a sentence without an end."""
        return (
            f"{counted(len(self.known.table), 'prototype')} of {counted(self.windows, 'window')} of "
            f"{counted(len(self.subjects), 'wearer')}, which know "
            f"{self.known.share:.1%} of other wearers' windows"
        )

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "limit": self.known.limit,
            "share": self.known.share,
            "prototypes": len(self.known.table),
            "subjects": list(self.subjects),
            "windows": self.windows,
        }


def known_subjects(contract: ModelContract, dataset: Dataset, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wearers whose windows a model knows: those wanted, else all but those held out of its training."""
    if wanted:
        return wanted
    held_out = contract.held_out.among(dataset.subjects) if contract.held_out else dataset.test_subjects
    return tuple(each for each in dataset.subjects if each not in held_out)


def find_known_windows(contract: ModelContract, dataset: Dataset, share: float, seed: int = 0) -> Familiar:
    """Prototypes of the labelled windows of recordings, and the limit that a share of other people's windows keep.

    Args:
        contract: the model's.
        dataset: recordings of the wearers.
        share: of the windows of each group of wearers, by the prototypes of the others.
        seed: of the first prototypes, which are drawn from the windows (Lloyd, IEEE Trans. Inf. Theory 28, 1982).

    Raises:
        DataError: if there are fewer than two wearers, no labelled windows, or neither accelerometer nor gyroscope.
    """
    windows = windows_for(contract, dataset)
    names = np.unique(windows.subjects)
    if len(names) < 2:
        raise DataError(
            dataset.name,
            found=f"windows of {len(names)} wearer",
            expected="two wearers or more, each of whom is compared with the others",
            next_step="choose other recordings or --subjects, or leave out --known",
        )
    rows = window_statistics(windows.signals[:, contract.history :], contract.channels)
    if not rows.shape[1]:
        raise DataError(
            dataset.name,
            found=f"the channels {', '.join(contract.channels)}",
            expected="an accelerometer or a gyroscope with three axes",
            next_step="leave out --known",
        )
    rng = np.random.default_rng(seed)
    distances = [_of_group(rows, windows.labels, np.isin(windows.subjects, group), rng) for group in _groups(names)]
    scale, table = prototypes_of(rows, windows.labels, rng)
    limit = float(np.quantile(np.concatenate(distances), share))
    return Familiar(KnownWindows.of(scale.tolist(), table, limit, share), tuple(names.tolist()), len(rows))


def _groups(names: NDArray[Any]) -> list[NDArray[Any]]:
    return np.array_split(names, min(GROUPS, len(names)))


def _of_group(rows: Rows, labels: NDArray[np.int64], own: NDArray[np.bool_], rng: np.random.Generator) -> Rows:
    """Distances of some wearers' windows from the prototypes of the others."""
    scale, table = prototypes_of(rows[~own], labels[~own], rng)
    return nearest(rows[own] / scale, table)


def prototypes_of(rows: Rows, labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Scale ``[statistic]`` of each statistic within a class, and prototypes ``[prototype, statistic]`` over it."""
    classes = [rows[labels == each] for each in np.unique(labels)]
    scale = np.sqrt(np.mean([each.var(axis=0) for each in classes], axis=0)) + _LEAST_SCALE
    return scale, np.concatenate([_centres(each / scale, rng) for each in classes])


def _centres(rows: Rows, rng: np.random.Generator) -> Rows:
    """Centres ``[prototype, statistic]`` of a class by k-means."""
    rows = rows[rng.permutation(len(rows))[:_MOST_WINDOWS]]
    centres = rows[:PROTOTYPES].copy()
    for _ in range(_ROUNDS):
        away = np.square(centres).sum(1) - 2 * rows @ centres.T
        nearest_one = away.argmin(axis=1)
        for number in np.unique(nearest_one):
            centres[number] = rows[nearest_one == number].mean(axis=0)
    return centres
