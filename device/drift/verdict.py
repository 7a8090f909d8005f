"""Whether a day differs from the reference of a model, and in what.

Another mix of activities is told apart from drift: what people do in a day is never what they did for a recording.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Literal

from deseptr.contract import ModelContract
from deseptr.contract.drift_reference import CONFIDENCE_EDGES, SIZES, DriftHistogram, DriftReference

from .divergence import expected_shares, middle, stability_index
from .summary import DriftSummary

Word = Literal["too few windows", "not comparable", "as in training", "differs"]
GRAVITY_SHARE = 0.05
"""Relative difference of gravity from the reference's, above the offsets of calibrated sensors, that is drift."""
LEAST_STILL = 30
"""Fewest still windows whose gravity is compared."""
IMPLAUSIBLE_SHARE = 0.05
"""Share of implausible windows that is drift; of recordings of people it is below 0.01."""
LOST_SHARE = 0.05
"""Share of lost samples that is drift."""
SHARE_OF_MIX, SHARE_ALONE = 0.5, 0.8
"""Shares of the commonest class up to which a day has the limits of a mix, and from which on those of that class."""
MIX_LIMIT = 0.25
"""Index of the label shares from which on the mix of activities is told (Siddiqi 2006)."""
_DIRECTIONS = {
    "confidence": ("confidence lower", "confidence higher"),
    "distance": ("embeddings nearer", "embeddings farther"),
    "score": ("windows more familiar", "windows less familiar"),
}


@dataclass(frozen=True)
class DriftVerdict:
    """What a day is, compared with the reference.

    Args:
        word: whether it differs; ``not comparable`` if its windows were counted by another reference, or all have
            labels that the reference lacks.
        findings: in what, the most important first.
        indices: population stability index by the histogram's name, and that of the ``labels``.
        limits: limit of each index for so many windows and such a mix, by the histogram's name.
        mix: in which activity the mix differs most; empty if it is about that of the reference.
    """

    word: Word
    findings: tuple[str, ...]
    indices: dict[str, float]
    limits: dict[str, float]
    mix: str = ""

    def __str__(self) -> str:
        mix = f"other activities: {self.mix}" if self.mix else ""
        word = f"{self.word} from training" if self.word == "differs" else self.word
        return ": ".join(filter(None, (word, ", ".join(filter(None, (*self.findings, mix))))))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON values."""
        made: dict[str, Any] = {"word": self.word, "findings": list(self.findings)}
        if self.mix:
            made["mix"] = self.mix
        return made | {"psi": {name: round(value, 4) for name, value in self.indices.items()}}


def judge(summary: DriftSummary, contract: ModelContract) -> DriftVerdict | None:
    """Compare a day with the reference in a contract; None if the contract has none.

    Args:
        summary: of the day.
        contract: of the model that ran; its labels may be more than the reference's, those of a wearer last.
    """
    reference = contract.drift
    if reference is None:
        return None
    found, limits = _indices(summary, reference, _mix(summary, contract, reference.classes))
    # Rounded: a sum of many hops is not a multiple of one.
    if round(summary.seconds / reference.hop_s) < SIZES[0]:
        least_min = SIZES[0] * reference.hop_s / 60
        why = f"{summary.seconds / 60:.1f} min of at least {least_min:.1f}"
        return DriftVerdict("too few windows", (why,), found, limits)
    findings = [_finding(name, summary, reference, contract) for name in limits if found[name] > limits[name]]
    findings += _of_sensor(summary, reference)
    if findings and summary.unknown_share >= 0.01:
        findings.append(f"{summary.unknown_share:.0%} without a label")
    word: Word = "differs" if findings else "as in training" if limits else "not comparable"
    return DriftVerdict(word, tuple(findings), found, limits, _told_mix(summary, contract, found))


def limit_of(histogram: DriftHistogram, windows: float, mix: Sequence[int]) -> float:
    """Limit of the index of so many windows, between those of the reference's sizes on a logarithmic scale.

    A day may have enough windows, and few of them in a histogram: fewer than the first size vary in proportion to their
    reciprocal. Between the limits of a mix and those of one class, the logarithm changes in proportion to the share of
    that class.

    Args:
        histogram: of the reference.
        windows: number of windows in the day's histogram.
        mix: number of windows of each class; empty for the limits of a mix.

    >>> histogram = DriftHistogram(((1,), (1,)), (0.9, 0.5, 0.4), ((0.9, 0.5, 0.4), (3.6, 2.0, 1.6)))
    >>> limit_of(histogram, 1000, [500, 500])
    0.5
    >>> limit_of(histogram, 100, [50, 50])
    2.7
    >>> round(limit_of(histogram, 1000, [350, 650]), 3)
    1.0
    >>> limit_of(histogram, 1000, [0, 1000])
    2.0
    """
    mixed = _between_sizes(histogram.limits, windows)
    if not histogram.alone or not sum(mix):
        return mixed
    most = max(range(len(mix)), key=mix.__getitem__)
    weight = (mix[most] / sum(mix) - SHARE_OF_MIX) / (SHARE_ALONE - SHARE_OF_MIX)
    weight = min(max(weight, 0.0), 1.0)
    return float(mixed ** (1 - weight) * _between_sizes(histogram.alone[most], windows) ** weight)


def _between_sizes(limits: Sequence[float], windows: float) -> float:
    if windows < SIZES[0]:
        # Of overlapping windows, or by a log that says so, there may be less than one.
        return limits[0] * SIZES[0] / max(windows, 1.0)
    for (few, many), (before, after) in zip(pairwise(SIZES), pairwise(limits), strict=True):
        if windows <= many:
            share = math.log(windows / few) / math.log(many / few)
            return before + share * (after - before)
    return limits[-1]


def _mix(summary: DriftSummary, contract: ModelContract, classes: int) -> list[int]:
    return [summary.labels[label] for label in contract.labels[:classes]]


def _indices(
    summary: DriftSummary, reference: DriftReference, mix: Sequence[int]
) -> tuple[dict[str, float], dict[str, float]]:
    """Index and limit by name."""
    found, limits = {}, {}
    # A turned sensor may make every window look like one activity. The wider limits would hide it, but for the score.
    of_limit = mix if any(summary.histograms.get("score", ())) else ()
    # Windows that overlap more say no more.
    hops = summary.seconds / (summary.windows * reference.hop_s) if summary.windows else 1.0
    for name, histogram in reference.histograms.items():
        counts = summary.histograms.get(name, [])
        if sum(counts):
            expected = expected_shares(histogram.counts, mix)
            found[name] = stability_index(counts, expected, reference.windows)
            limits[name] = limit_of(histogram, sum(counts) * min(1.0, hops), of_limit)
    if sum(mix):
        shares = [count / reference.windows for count in reference.labels]
        found["labels"] = stability_index(mix, shares, reference.windows)
    return found, limits


def _finding(name: str, summary: DriftSummary, reference: DriftReference, contract: ModelContract) -> str:
    expected = expected_shares(reference.histograms[name].counts, _mix(summary, contract, reference.classes))
    counts = summary.histograms[name]
    text = _DIRECTIONS[name][middle(counts) > middle(expected)]
    return f"{text} ({_where(counts, expected)})" if name == "confidence" else text


def _where(counts: Sequence[int], expected: Sequence[float]) -> str:
    """The bound of confidence at which the cumulative shares differ most, and these."""
    found = [share / sum(counts) for share in accumulate(counts)]
    wanted = list(accumulate(expected))
    most = max(range(len(CONFIDENCE_EDGES)), key=lambda place: abs(found[place] - wanted[place]))
    return f"{found[most]:.0%} below {CONFIDENCE_EDGES[most]}, expected {wanted[most]:.0%}"


def _of_sensor(summary: DriftSummary, reference: DriftReference) -> list[str]:
    findings = []
    gravity = summary.mean_gravity
    if gravity is not None and reference.gravity is not None and summary.still >= LEAST_STILL:
        off = gravity / reference.gravity - 1
        if abs(off) > GRAVITY_SHARE:
            findings.append(f"gravity {gravity:.2f} m/s² ({off:+.0%})")
    if summary.implausible > IMPLAUSIBLE_SHARE * summary.windows:
        findings.append(f"{summary.implausible / summary.windows:.0%} implausible")
    return findings


def _told_mix(summary: DriftSummary, contract: ModelContract, found: dict[str, float]) -> str:
    reference = contract.drift
    if reference is None or found.get("labels", 0.0) <= MIX_LIMIT:
        return ""
    mix = _mix(summary, contract, reference.classes)
    now = [count / sum(mix) for count in mix]
    then = [count / reference.windows for count in reference.labels]
    most = max(range(len(now)), key=lambda place: abs(now[place] - then[place]))
    return f"{contract.labels[most]} {now[most]:.0%}, in training {then[most]:.0%}"
