"""How much an example of each class counts in the loss, so that rare activities are not given up for common ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def class_weights(labels: NDArray[np.int64], classes: int, kind: str) -> NDArray[np.float32] | None:
    """Weights ``[class]`` whose mean over the examples is 1, or None where all examples count the same.

    Args:
        labels: ``[example]`` class of each; every class occurs.
        classes: number of classes.
        kind: ``"none"``; ``"balanced"``, by which each class counts the same in all: n / (classes · count); or
            ``"sqrt"``, in proportion to the square root of that.

    Reference: ``sklearn.utils.class_weight.compute_class_weight``; King and Zeng, Logistic Regression in Rare Events
    Data, Political Analysis 2001.
    """
    if kind == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    weights = len(labels) / (classes * counts)
    if kind == "sqrt":
        weights = np.sqrt(weights)
        weights /= np.average(weights, weights=counts)
    return weights.astype(np.float32)
