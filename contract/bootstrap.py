"""Confidence intervals of scores over wearers, whose windows are not independent, and over training seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scores import macro_f1


class Interval(NamedTuple):
    """Bounds of a confidence interval; ``level`` of the resamples are between them."""

    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}"


def subject_confusions(
    true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], subjects: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """One confusion matrix per subject, ``[subject, true, predicted]``, with subjects in sorted order."""
    names, index = np.unique(subjects, return_inverse=True)
    confusions = np.zeros((len(names), classes, classes), np.int64)
    np.add.at(confusions, (index, true, predicted), 1)
    return confusions


def macro_f1_interval(
    confusions: NDArray[np.int64], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval | None:
    """Percentile bootstrap of macro-F1, resampling subjects with replacement (Efron and Tibshirani 1993, chapter 13).

    Windows of one wearer are similar: resampling windows would give a far too narrow interval. With few subjects even
    this interval is somewhat too narrow.

    Args:
        confusions: ``[subject, true, predicted]`` counts of windows.
        level: fraction of the resamples inside the interval.
        resamples: number of resamples.
        seed: seed of the resampling.

    Returns:
        The interval, or None for fewer than two subjects, which have no spread.

    >>> confusions = np.array([[[9, 1], [2, 8]], [[10, 0], [0, 10]], [[7, 3], [3, 7]]])
    >>> print(macro_f1_interval(confusions))
    0.700 to 1.000
    """
    return seeds_interval(confusions[None], level=level, resamples=resamples, seed=seed)


def seeds_interval(
    confusions: NDArray[np.int64],
    against: NDArray[np.int64] | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]] = macro_f1,
) -> Interval | None:
    """Percentile bootstrap of a score's mean over training seeds, or of its difference to another model's.

    Seeds and subjects are resampled independently with replacement, since every seed is tested on every subject (Owen
    2007, The pigeonhole bootstrap). Both models of a difference use the same resamples, so that the effects of a
    difficult wearer or an unlucky seed cancel. A single seed is not resampled.

    Args:
        confusions: ``[seed, subject, true, predicted]`` counts of windows.
        against: counts of the other model, for the same seeds and subjects; then the interval is of the difference.
        level: fraction of the resamples inside the interval.
        resamples: number of resamples.
        seed: seed of the resampling.
        statistic: score of confusion matrices ``[…, true, predicted]``.

    Returns:
        The interval, or None for fewer than two subjects, which have no spread.
    """
    runs, count = confusions.shape[:2]
    if count < 2:
        return None
    rng = np.random.default_rng(seed)
    of_subjects, of_runs = (rng.multinomial(n, np.full(n, 1 / n), size=resamples) for n in (count, runs))
    values = _resampled(confusions, of_subjects, of_runs, statistic)
    if against is not None:
        values = values - _resampled(against, of_subjects, of_runs, statistic)
    low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high), level)


def subjects_interval(
    subjects: int,
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Percentile bootstrap of any figure, resampling subjects with replacement.

    Args:
        subjects: their number.
        statistic: the figure ``[resample]`` from how often each subject was drawn, ``[resample, subject]``; NaN where
            those drawn leave it undefined, which the interval passes over.
        level: fraction of the resamples inside the interval.
        resamples: number of resamples.
        seed: seed of the resampling.

    Returns:
        The interval, or None for fewer than two subjects, or if none of the resamples defines the figure.

    >>> falls, hours = np.array([3, 0, 1]), np.array([2.0, 2.5, 1.5])
    >>> print(subjects_interval(3, lambda drawn: drawn @ falls / (drawn @ hours)))
    0.000 to 1.500
    """
    if subjects < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples)
    values = statistic(drawn)
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high), level)


def _resampled(
    confusions: NDArray[np.int64],
    of_subjects: NDArray[np.int64],
    of_runs: NDArray[np.int64],
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Mean score ``[resample]``; each seed and subject is weighted by how often it was drawn, ``[resample, …]``."""
    runs, count, classes, _ = confusions.shape
    pooled = of_subjects @ confusions.reshape(runs, count, -1)
    scores = statistic(pooled.reshape(runs, -1, classes, classes))
    return np.asarray((scores * of_runs.T).sum(0) / runs)
