"""Scores of a classifier on labelled windows: the same figures and keys wherever they are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Accuracy and F1 of predicted against true classes.

    Macro-F1 averages over the classes that occur in the truth or in the predictions; a class that occurs in neither
    has no F1 and counts as ``None``.

    Args:
        labels: class names in the order of the confusion matrix.
        confusion: ``[true, predicted]`` counts of windows.
        per_subject_f1: macro-F1 of each subject's windows.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    per_subject_f1: dict[str, float]

    @property
    def windows(self) -> int:
        """Number of windows scored."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of windows whose predicted class is the true one."""
        return float(np.trace(self.confusion) / max(1, self.windows))

    @property
    def per_class_f1(self) -> dict[str, float | None]:
        """F1 of each class, by name."""
        return dict(zip(self.labels, _class_f1(self.confusion), strict=True))

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the classes' F1."""
        return _macro_f1(self.confusion)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "windows": self.windows,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "labels": list(self.labels),
            "per_class_f1": self.per_class_f1,
            "per_subject_f1": self.per_subject_f1,
            "confusion": self.confusion.tolist(),
        }


def score(
    true: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    labels: tuple[str, ...],
    subjects: NDArray[Any] | None = None,
) -> Scores:
    """Score predicted against true class indices.

    Args:
        true: ``[window]`` true class indices into ``labels``.
        predicted: ``[window]`` predicted class indices.
        labels: class names.
        subjects: ``[window]`` subject of each window, for the per-subject figures.
    """
    per_subject = {}
    if subjects is not None:
        for subject in np.unique(subjects):
            chosen = subjects == subject
            per_subject[str(subject)] = _macro_f1(_confusion(true[chosen], predicted[chosen], len(labels)))
    return Scores(labels, _confusion(true, predicted, len(labels)), per_subject)


def _confusion(true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], classes: int) -> NDArray[np.int64]:
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (true, predicted), 1)
    return confusion


def _class_f1(confusion: NDArray[np.int64]) -> list[float | None]:
    hits = np.diag(confusion)
    total = confusion.sum(0) + confusion.sum(1)
    return [float(2 * h / t) if t else None for h, t in zip(hits, total, strict=True)]


def _macro_f1(confusion: NDArray[np.int64]) -> float:
    present = [f1 for f1 in _class_f1(confusion) if f1 is not None]
    return float(np.mean(present)) if present else 0.0
