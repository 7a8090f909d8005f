"""From logits to a label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError


@dataclass(frozen=True, slots=True)
class Classification:
    """The model's result for a window.

    Args:
        index: class index.
        label: class name.
        confidence: its probability.
        probabilities: float32 ``[classes]``.
    """

    index: int
    label: str
    confidence: float
    probabilities: NDArray[np.float32]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of ``logits [..., classes]`` along the last axis, safe for large values.

    >>> softmax(np.array([0, 0], np.float32)).tolist()
    [0.5, 0.5]
    """
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(-1, keepdims=True)
    return probabilities


def classify_logits(logits: NDArray[np.float32], labels: tuple[str, ...]) -> Classification:
    """The most probable class of ``logits [classes]``; ties go to the first.

    Raises:
        ModelError: if a logit is not a number.

    >>> classify_logits(np.array([0, 2], np.float32), ("rest", "walking")).label
    'walking'
    """
    probabilities = softmax(logits)
    index = int(probabilities.argmax())
    confidence = float(probabilities[index])
    if not math.isfinite(confidence):
        raise ModelError(
            "the model's output",
            found=f"logits {np.array2string(logits, precision=3)}",
            expected="finite numbers",
            next_step="check the recording for NaN, then train and convert again",
        )
    return Classification(index, labels[index], confidence, probabilities)
