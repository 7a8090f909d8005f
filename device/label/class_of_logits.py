"""From logits to a label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, softmax


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


def classify_logits(logits: NDArray[np.float32], labels: tuple[str, ...]) -> Classification:
    """The most probable class of ``logits [classes]``; ties go to the first.

    Raises:
        ModelError: if a logit is not a number.

    >>> classify_logits(np.array([0, 2], np.float32), ("rest", "walking")).label
    'walking'
    """
    probabilities = softmax(logits, np.float32)
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
