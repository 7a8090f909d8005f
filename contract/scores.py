"""Scores of a classifier on labelled windows, with the same figures and keys in all reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class Scores:
    """Accuracy and F1 of predicted against true classes.

    Macro-F1 is the mean over the classes that occur in the truth or in the predictions; the F1 of a class that occurs
    in neither is None.

    Args:
        labels: class names in the order of the confusion matrix.
        confusion: ``[true, predicted]`` counts of windows.
        per_subject_f1: macro-F1 of each subject's windows.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    per_subject_f1: dict[str, float]

    def __repr__(self) -> str:
        return (
            f"Scores(macro_f1={self.macro_f1:.4f}, accuracy={self.accuracy:.4f}, windows={self.windows}, "
            f"subjects={len(self.per_subject_f1)}, classes={len(self.labels)})"
        )

    @property
    def windows(self) -> int:
        """Number of windows scored."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of windows whose predicted class is the true one."""
        return float(accuracy(self.confusion))

    @property
    def per_class_f1(self) -> dict[str, float | None]:
        """F1 of each class, by name."""
        return dict(zip(self.labels, _class_f1(self.confusion), strict=True))

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the classes' F1."""
        return float(macro_f1(self.confusion))

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
        subjects: ``[window]`` subject of each window, for the scores by subject.

        >>> score(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ("still", "walking")).accuracy
        0.75
    """
    per_subject = {}
    if subjects is not None:
        for subject in np.unique(subjects):
            chosen = subjects == subject
            per_subject[str(subject)] = float(macro_f1(_confusion(true[chosen], predicted[chosen], len(labels))))
    return Scores(labels, _confusion(true, predicted, len(labels)), per_subject)


def _confusion(true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], classes: int) -> NDArray[np.int64]:
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (true, predicted), 1)
    return confusion


def accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Accuracy ``[…]`` of confusion matrices ``[…, true, predicted]``; 0 for an empty one.

    >>> float(accuracy(np.array([[3, 1], [0, 4]])))
    0.875
    """
    return np.asarray(np.trace(confusion, axis1=-2, axis2=-1) / np.maximum(confusion.sum((-2, -1)), 1))


def macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Macro-F1 ``[…]`` of confusion matrices ``[…, true, predicted]``; 0 for an empty one.

    >>> round(float(macro_f1(np.array([[3, 1], [0, 4]]))), 3)
    0.873
    """
    f1 = f1_by_class(confusion)
    present = ~np.isnan(f1)
    return np.asarray(np.where(present, f1, 0.0).sum(-1) / np.maximum(present.sum(-1), 1))


def f1_by_class(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 ``[…, class]`` of confusion matrices ``[…, true, predicted]``.

    NaN is a class that occurs neither in the truth nor in the predictions.

    >>> f1_by_class(np.array([[3, 1], [0, 4]])).round(3).tolist()
    [0.857, 0.889]
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(-1) + confusion.sum(-2)
    return np.asarray(np.where(total, 2 * hits / np.maximum(total, 1), np.nan))


def _class_f1(confusion: NDArray[np.int64]) -> list[float | None]:
    return [None if np.isnan(f1) else float(f1) for f1 in f1_by_class(confusion)]
