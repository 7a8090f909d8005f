"""Confidence interval of macro-F1 over wearers: the windows of one person stand or fall together."""

from __future__ import annotations

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
        confusions: ``[subject, true, predicted]`` counts of windows; or ``[model, subject, true, predicted]`` of
            several models, such as one of each seed, on the same subjects, for the mean of their macro-F1.
        level: share of the resamples inside.
        resamples: how many.
        seed: draws them.

    Returns:
        The interval, or None of fewer than two subjects, of which no spread can be said.
    """
    count, classes = confusions.shape[-3:-1]
    if count < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    pooled = (drawn @ confusions.reshape(-1, count, classes**2)).reshape(-1, resamples, classes, classes)
    low, high = np.quantile(macro_f1(pooled).mean(axis=0), ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high), level)
