"""Class weights of the loss, so that rare activities are not sacrificed to common ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def class_weights(labels: NDArray[np.int64], classes: int, kind: str) -> NDArray[np.float32] | None:
    """Weights ``[class]`` with a mean of 1 over the examples, or None if all examples count the same.

    A class that does not occur has no weight.

    Args:
        labels: ``[example]`` class indices.
        classes: number of classes.
        kind: ``"none"``; ``"balanced"``, where each class has the same total weight: n / (classes · count); or
            ``"sqrt"``, proportional to the square root of that.

    Reference: ``sklearn.utils.class_weight.compute_class_weight``; King and Zeng, Logistic Regression in Rare Events
    Data, Political Analysis 2001.
    """
    if kind == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = present * len(labels) / (present.sum() * np.maximum(counts, 1))
    if kind == "sqrt":
        weights = np.sqrt(weights)
        weights /= np.average(weights, weights=counts)
    return weights.astype(np.float32)
