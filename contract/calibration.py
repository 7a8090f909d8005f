"""Calibration of a classifier's confidence: reliability curve and expected calibration error.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017: equations 2, 3 and 5, and the
temperature of section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

BINS = 15
# Beyond these a model is either always right on the windows or not better than chance.
COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width over (0, 1].

    Args:
        counts: ``[bin]`` windows whose confidence (largest probability) is in the bin.
        confidence: ``[bin]`` mean confidence of these windows; NaN for an empty bin.
        accuracy: ``[bin]`` accuracy of these windows; NaN for an empty bin.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error (equation 3): the mean gap, weighted by the windows of each bin."""
        return float(np.nansum(self.counts * self.gaps) / max(1, self.counts.sum()))

    @property
    def mce(self) -> float:
        """Maximum calibration error (equation 5): the largest gap of any bin."""
        return float(np.nanmax(self.gaps)) if self.counts.any() else 0.0

    @property
    def gaps(self) -> NDArray[np.float64]:
        """``[bin]`` distance between accuracy and confidence."""
        return np.abs(self.accuracy - self.confidence)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values; confidence and accuracy of an empty bin are None."""
        return {
            "ece": self.ece,
            "mce": self.mce,
            "bins": [
                {"windows": int(n), "confidence": float(c) if n else None, "accuracy": float(a) if n else None}
                for n, c, a in zip(self.counts, self.confidence, self.accuracy, strict=True)
            ],
        }


def softmax(logits: NDArray[np.floating[Any]], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Probabilities ``[…, class]`` of logits of that shape, safe for large values.

    Args:
        logits: ``[…, class]``.
        dtype: floating-point type of the computation and the result.

    >>> softmax(np.array([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    shifted = np.asarray(logits, dtype)
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def reliability(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = BINS
) -> Reliability:
    """Reliability curve of predicted probabilities.

    A confidence on the edge of two bins belongs to the lower one, as in the paper: ((m − 1)/M, m/M].

    Args:
        probabilities: ``[window, class]``; each row sums to 1.
        labels: ``[window]`` true classes.
        bins: number of bins.

    >>> curve = reliability(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    >>> round(curve.ece, 3)
    0.45
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    upper = np.linspace(0, 1, bins + 1)[1:]
    index = np.minimum(np.searchsorted(upper, confidence, side="left"), bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = (np.bincount(index, weights=values, minlength=bins) for values in (confidence, right))
    means = (np.where(counts, total / np.maximum(counts, 1), np.nan) for total in sums)
    return Reliability(counts, *means)


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Divisor of logits that makes the true classes most likely; 1 if the logits are calibrated.

    The likelihood has one maximum, found by bisection of its slope with respect to the inverse temperature (Guo et al.,
    section 4.2). The class with the largest logit stays the same.

    Args:
        logits: ``[window, class]``.
        labels: ``[window]`` true classes.

    Returns:
        A number from ``COLDEST`` to ``HOTTEST``.

    >>> fit_temperature(np.array([[3.0, 0.0]] * 4), np.array([0, 0, 0, 1])) > 2
    True
    """
    exact = np.asarray(logits, np.float64)
    true = exact[np.arange(len(labels)), labels].mean()

    def slope(inverse: float) -> float:
        """Of the mean log-likelihood: the true logit minus the one that is expected."""
        return float(true - (softmax(exact * inverse) * exact).sum(axis=1).mean())

    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) >= 0 else (low, middle)
    return 2 / (low + high)
