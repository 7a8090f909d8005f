"""How far a classifier's confidence can be believed: reliability curve and expected calibration error.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equations 2, 3 and 5. Measuring
alone: nothing here makes a model better calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width over (0, 1].

    Args:
        counts: ``[bin]`` windows whose confidence, the largest probability, falls into the bin.
        confidence: ``[bin]`` mean confidence of these; NaN where there is none.
        accuracy: ``[bin]`` share of these that are right; NaN where there is none.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error (equation 3): the mean gap, weighted with the windows of each bin."""
        return float(np.nansum(self.counts * self.gaps) / max(1, self.counts.sum()))

    @property
    def mce(self) -> float:
        """Maximum calibration error (equation 5): the widest gap of any bin."""
        return float(np.nanmax(self.gaps)) if self.counts.any() else 0.0

    @property
    def gaps(self) -> NDArray[np.float64]:
        """``[bin]`` distance between accuracy and confidence."""
        return np.abs(self.accuracy - self.confidence)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values; a bin without a window has no confidence and no accuracy."""
        return {
            "ece": self.ece,
            "mce": self.mce,
            "bins": [
                {"windows": int(n), "confidence": float(c) if n else None, "accuracy": float(a) if n else None}
                for n, c, a in zip(self.counts, self.confidence, self.accuracy, strict=True)
            ],
        }


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Probabilities ``[window, class]`` of logits of that shape."""
    shifted = np.asarray(logits, np.float64)
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def reliability(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = BINS
) -> Reliability:
    """Reliability curve of predicted probabilities.

    A confidence on the edge of two bins belongs to the lower one, as in the paper's ((m − 1)/M, m/M].

    Args:
        probabilities: ``[window, class]``, each row a distribution.
        labels: ``[window]`` true classes.
        bins: how many.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    upper = np.linspace(0, 1, bins + 1)[1:]
    index = np.minimum(np.searchsorted(upper, confidence, side="left"), bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = (np.bincount(index, weights=values, minlength=bins) for values in (confidence, right))
    means = (np.where(counts, total / np.maximum(counts, 1), np.nan) for total in sums)
    return Reliability(counts, *means)
