"""Confidence intervals of scores over wearers, whose windows stand or fall together, and over seeds of training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scores import macro_f1


class Interval(NamedTuple):
    """Bounds of a confidence interval and the share of resamples between them."""

    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}"


def subject_confusions(
    true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], subjects: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """A confusion matrix for each subject, ``[subject, true, predicted]``, subjects in sorted order."""
    names, index = np.unique(subjects, return_inverse=True)
    confusions = np.zeros((len(names), classes, classes), np.int64)
    np.add.at(confusions, (index, true, predicted), 1)
    return confusions


def macro_f1_interval(
    confusions: NDArray[np.int64], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval | None:
    """Percentile bootstrap of macro-F1, resampling subjects with replacement (Efron and Tibshirani 1993, chapter 13).

    Windows of one wearer are alike: resampling windows would give an interval that is far too narrow. With few subjects
    even this one is rather too narrow.

    Args:
        confusions: ``[subject, true, predicted]`` counts of windows.
        level: share of the resamples inside.
        resamples: how many.
        seed: draws them.

    Returns:
        The interval, or None of fewer than two subjects, of which no spread can be said.
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
    """Percentile bootstrap of a score's mean over seeds of training, or of how far that is above another model's.

    Seeds and subjects are resampled with replacement, each for itself, since every seed is tested on every subject
    (Owen 2007, The pigeonhole bootstrap). Both models of a difference get the same resamples: what a hard wearer or an
    unlucky seed does to both cancels. Of one seed, that seed stands.

    Args:
        confusions: ``[seed, subject, true, predicted]`` counts of windows.
        against: those of the other model, of the same seeds and subjects; with it the interval is of the difference.
        level: share of the resamples inside.
        resamples: how many.
        seed: draws them.
        statistic: the score of confusion matrices ``[…, true, predicted]``.

    Returns:
        The interval, or None of fewer than two subjects, of which no spread can be said.
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


def _resampled(
    confusions: NDArray[np.int64],
    of_subjects: NDArray[np.int64],
    of_runs: NDArray[np.int64],
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Mean score ``[resample]``, each seed and subject counted as often as it was drawn, ``[resample, …]``."""
    runs, count, classes, _ = confusions.shape
    pooled = of_subjects @ confusions.reshape(runs, count, -1)
    scores = statistic(pooled.reshape(runs, -1, classes, classes))
    return np.asarray((scores * of_runs.T).sum(0) / runs)
