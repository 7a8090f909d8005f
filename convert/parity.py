"""Parity: whether a converted model is still the trained model, from their logits, and the gate that it must pass.

All functions here work on arrays; :mod:`deseptr.tflite.installed_engines` computes the logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import (
    DataError,
    Interval,
    Scores,
    accuracy,
    macro_f1,
    score,
    seeds_interval,
    softmax,
    subject_confusions,
)
from deseptr.contract.counts import counted

LEVEL = 0.95
# Shares of windows are sums of floats: they are compared with this tolerance.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class LogitError:
    """Differences between the logits of a candidate and of the reference.

    Args:
        lsb: step of the candidate's output; the errors are in these steps. None if they are in logits.
        maximum: maximum of the absolute errors.
        mean: mean of the absolute errors.
        p99: 99th percentile of the absolute errors.
    """

    lsb: float | None
    maximum: float
    mean: float
    p99: float


@dataclass(frozen=True)
class Difference:
    """Difference between a score of the candidate and of the reference.

    Args:
        value: candidate minus reference.
        interval: 95 % confidence interval by paired bootstrap; None for a single window.
    """

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Parity:
    """Comparison of a candidate with its reference on the same labelled windows.

    Args:
        candidate: the candidate and its engine.
        agreement: fraction of windows on which both predict the same class.
        agreement_interval: Wilson's 95 % interval of the agreement, treating windows as independent.
        error: errors of the logits.
        reference: scores of the reference.
        scores: scores of the candidate.
        accuracy: difference of the accuracies.
        macro_f1: difference of the macro-F1s.
        resampled: unit of the bootstrap: ``subjects``, or ``windows`` if there is a single subject; such intervals do
            not extend to other wearers.
        hesitation: part of the disagreement, as a fraction of the windows, that is the reference's own hesitation: a
            window counts 1 − (p − q), with p the probability that the reference gives its class and q what it gives the
            candidate's. Where it is certain of its class a differing window counts 0, where it is a tie 1.
        embedding_sqnr_db: of the embeddings, see :func:`.embedding_noise.embedding_sqnr_db`; None without them.
    """

    candidate: str
    agreement: float
    agreement_interval: Interval
    error: LogitError
    reference: Scores
    scores: Scores
    accuracy: Difference
    macro_f1: Difference
    resampled: str
    hesitation: float = 0.0
    embedding_sqnr_db: float | None = None

    @property
    def decisive_agreement(self) -> float:
        """Fraction of windows on which both predict the same class or the reference hesitates between the two."""
        return min(1.0, self.agreement + self.hesitation)

    @property
    def windows(self) -> int:
        """Number of windows compared."""
        return self.scores.windows

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        error = self.error
        return {
            "candidate": self.candidate,
            "windows": self.windows,
            "agreement": self.agreement,
            "decisive_agreement": self.decisive_agreement,
            "agreement_interval": _bounds(self.agreement_interval),
            "logit_error": {"lsb": error.lsb, "max": error.maximum, "mean": error.mean, "p99": error.p99},
            "accuracy_difference": self.accuracy.value,
            "accuracy_difference_interval": _bounds(self.accuracy.interval),
            "macro_f1_difference": self.macro_f1.value,
            "macro_f1_difference_interval": _bounds(self.macro_f1.interval),
            "resampled": self.resampled,
            "embedding_sqnr_db": _finite(self.embedding_sqnr_db),
            "reference": self.reference.to_dict(),
            "scores": self.scores.to_dict(),
        }


def compare(
    candidate: str,
    logits: NDArray[np.floating[Any]],
    reference: NDArray[np.floating[Any]],
    true: NDArray[np.integer[Any]],
    subjects: NDArray[Any],
    labels: tuple[str, ...],
    *,
    lsb: float | None = None,
    resamples: int = 2000,
) -> Parity:
    """Compare a candidate's logits with a reference's.

    Args:
        candidate: the candidate and its engine, for reports.
        logits: ``[window, class]`` of the candidate, as real numbers.
        reference: ``[window, class]`` of the reference, in floating point.
        true: ``[window]`` true classes.
        subjects: ``[window]`` subject of each window.
        labels: class names.
        lsb: step of the candidate's output, as the unit of its errors; None if it is not quantised.
        resamples: number of bootstrap resamples.

    Raises:
        DataError: if there is no window, or if the arrays differ in length or number of classes.
    """
    shape = len(true), len(labels)
    if not len(true) or not logits.shape == reference.shape == shape or len(subjects) != len(true):
        raise DataError(
            candidate,
            found=f"logits {list(logits.shape)} against {list(reference.shape)} and "
            f"{counted(len(subjects), 'subject')}",
            expected=f"{list(shape)} for both, with at least one window, and a subject for each",
            next_step="compare on the same windows",
        )
    classes, expected = logits.argmax(axis=1), reference.argmax(axis=1)
    agreeing = int((classes == expected).sum())
    scores, wanted = (score(true, c, labels, subjects) for c in (classes, expected))
    # A single subject has no spread over subjects: windows are resampled instead.
    alone = len(np.unique(subjects)) == 1
    units = np.arange(len(true)) if alone else subjects
    confusions = [subject_confusions(true, c, units, len(labels))[None] for c in (classes, expected)]

    def interval(statistic: Any) -> Interval | None:
        return seeds_interval(*confusions, level=LEVEL, resamples=resamples, statistic=statistic)

    return Parity(
        candidate=candidate,
        agreement=agreeing / len(true),
        agreement_interval=wilson_interval(agreeing, len(true)),
        error=_logit_error(logits, reference, lsb),
        reference=wanted,
        scores=scores,
        accuracy=Difference(scores.accuracy - wanted.accuracy, interval(accuracy)),
        macro_f1=Difference(scores.macro_f1 - wanted.macro_f1, interval(macro_f1)),
        resampled="windows" if alone else "subjects",
        hesitation=_hesitation(reference, classes, expected),
    )


def _hesitation(
    reference: NDArray[np.floating[Any]], classes: NDArray[np.integer[Any]], expected: NDArray[np.integer[Any]]
) -> float:
    differing = np.flatnonzero(classes != expected)
    probabilities = softmax(np.asarray(reference[differing], np.float64))
    rows = np.arange(len(differing))
    margins = probabilities[rows, expected[differing]] - probabilities[rows, classes[differing]]
    return float((1 - margins).sum() / len(expected))


def wilson_interval(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """Score interval of a proportion (Wilson 1927), which is also valid near 0 and 1."""
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = successes / trials
    centre = share + z2 / (2 * trials)
    half = sqrt(z2 * (share * (1 - share) + z2 / (4 * trials)) / trials)
    low, high = ((centre + side * half) / (1 + z2 / trials) for side in (-1, 1))
    return Interval(max(0.0, min(low, share)), min(1.0, max(high, share)), level)


@dataclass(frozen=True)
class Gate:
    """Limits that a quantised model must meet.

    The noise of an embedding is judged beside the distances between windows: at 10 dB, they grow by a twentieth, which
    leaves the nearest of a few prototypes what it was. A model whose embedding is noisier goes without.

    A window on which the two differ counts by how far the reference preferred its class: where it hesitates between two
    classes, the other one is not an error. A loss of score beyond the limit counts only if the paired interval excludes
    no loss, unless it is more than twice the limit. With few windows, a single one may exceed the limits; one differing
    window is always allowed.

    Args:
        agreement: smallest fraction of windows on which the model predicts the reference's class, or one between which
            and its own the reference hesitates (:attr:`Parity.decisive_agreement`).
        loss: largest loss of accuracy and of macro-F1 against the reference, as a fraction of 1.
        embedding_db: smallest signal to quantisation noise of the embedding, dB.
    """

    agreement: float = 0.99
    loss: float = 0.005
    embedding_db: float = 10.0

    def failures(self, parity: Parity) -> tuple[str, ...]:
        """Limits that are not met, each with the value found and the value expected."""
        found = []
        differing = round((1 - parity.agreement) * parity.windows)
        if differing > 1 and not parity.decisive_agreement >= self.agreement - _ROUNDING:
            without = f", {parity.decisive_agreement:.2%} without its hesitation" if parity.hesitation else ""
            found.append(
                f"agreement with the reference: found {parity.agreement:.2%} "
                f"({parity.windows - differing} of {parity.windows} windows{without}), "
                f"expected at least {self.agreement:.2%} (--agreement)"
            )
        for name, difference, one in (
            ("accuracy", parity.accuracy, 1 / parity.windows),
            ("macro-F1", parity.macro_f1, _f1_of_a_window(parity.scores)),
        ):
            limit = max(self.loss, one)
            if not difference.value >= -limit - _ROUNDING and not _may_be_none(difference, limit):
                found.append(
                    f"{name}: found {-100 * difference.value:.2f} points below the reference, "
                    f"expected at most {100 * self.loss:.2f} (--loss)"
                )
        return tuple(found)

    def embedding_failure(self, parity: Parity) -> str | None:
        """The limit of the embedding if it is not met, with the value found and the value expected; else None."""
        found = parity.embedding_sqnr_db
        if found is None or found >= self.embedding_db:
            return None
        return f"embedding: found {found:.1f} dB above its noise, expected at least {self.embedding_db:g} dB"


def _may_be_none(difference: Difference, limit: float) -> bool:
    """Whether a loss is at most twice the limit and its interval includes none."""
    return (
        difference.interval is not None and difference.interval.high >= 0 and difference.value >= -2 * limit - _ROUNDING
    )


def _f1_of_a_window(scores: Scores) -> float:
    """Approximate effect of one misclassified window on the macro-F1: its share of the two smallest classes."""
    support = sorted(count for row in scores.confusion if (count := sum(row)))
    return sum(1 / (2 * count) for count in support[:2]) / len(support)


def _logit_error(
    logits: NDArray[np.floating[Any]], reference: NDArray[np.floating[Any]], lsb: float | None
) -> LogitError:
    errors = np.abs(np.asarray(logits, np.float64) - reference) / (1.0 if lsb is None else lsb)
    return LogitError(lsb, float(errors.max()), float(errors.mean()), float(np.quantile(errors, 0.99)))


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _bounds(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
