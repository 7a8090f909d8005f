"""What later days of a model are compared with, from recordings of people whom it was not trained on.

How much a person who is not in the reference differs from it is measured, too: each wearer in turn is compared with the
others, by days that are drawn from that wearer's recordings (:mod:`.drawn_days`). A limit is the bound that the next
person stays below, 19 times in 20, if the logarithms of the indices are normal over people (a prediction interval: Hahn
and Meeker, Statistical Intervals, 1991, chapter 4). People differ more in one activity than in a mix of them, where the
differences even out: days mostly of one have limits of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean, stdev
from typing import Any

import numpy as np

from deseptr.contract import DataError, DriftHistogram, DriftReference, EmbeddingReference, ModelContract
from deseptr.contract.drift_reference import BINS, CONFIDENCE_EDGES, DECILES, SCORE_EDGES, SIZES
from deseptr.data import Dataset
from deseptr.device.drift.divergence import expected_shares, stability_index
from deseptr.tflite import Engine

from .drawn_days import DrawnDays
from .observed_windows import Observed, Places, Rows, observe

LEAST_WEARERS = 3
OF_DAYS, OF_WEARERS = 0.9, 0.95
"""Quantile of a wearer's days, and share of further wearers that stay below the limit."""
# A class with fewer windows has the deciles of all.
_LEAST_OF_CLASS = 50
# The bound of fewer people is so wide that days mostly of their activity would never differ.
_LEAST_OF_PEOPLE = 5
# Below 0.1 an index is no change worth a look (Siddiqi, Credit Risk Scorecards, 2006). Wearers from whose windows the
# prototypes of known windows were made all score alike, so that their own limit would be next to nothing.
_SMALLEST_LIMIT, _LARGEST_LIMIT, _SMALLEST_INDEX = 0.1, 100.0, 1e-6
# Name of a histogram, and class that days are mostly of; None of days of all activities.
_Kind = tuple[str, int | None]
_Limits = tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class FoundDrift:
    """A reference, and whom it is of.

    Args:
        reference: for the contract.
        subjects: the wearers.
    """

    reference: DriftReference
    subjects: tuple[str, ...]

    def __str__(self) -> str:
        """As a sentence without an end."""
        limits = ", ".join(f"{name} {each.limits[1]:.2f}" for name, each in self.reference.histograms.items())
        return (
            f"{self.reference.windows} windows of {len(self.subjects)} wearers; a day of {SIZES[1]} windows differs "
            f"above an index of {limits}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        histograms = self.reference.histograms
        return {
            "subjects": list(self.subjects),
            "windows": self.reference.windows,
            "gravity": self.reference.gravity,
            "sizes": list(SIZES),
            "limits": {name: list(histogram.limits) for name, histogram in histograms.items()},
        }


def find_drift_reference(engine: Engine, contract: ModelContract, dataset: Dataset, seed: int = 0) -> FoundDrift:
    """The reference of a model.

    Args:
        engine: the model.
        contract: that it will have, with its temperature and its known windows.
        dataset: recordings of people whom it was not trained on; labels are not used.
        seed: of the days that are drawn.

    Raises:
        DataError: if there are fewer than three wearers with a minute of windows each.
    """
    seen = {name: observe(engine, contract, dataset.select(subjects=(name,))) for name in dataset.subjects}
    seen = {name: each for name, each in seen.items() if len(each.label) and each.block[-1] > 0}
    if len(seen) < LEAST_WEARERS:
        raise DataError(
            f"wearers of {dataset.name} for drift",
            found=f"{len(seen)} with a minute of windows or more",
            expected=f"{LEAST_WEARERS} wearers or more, each of whom is compared with the others",
            next_step="choose other recordings or --subjects, or leave out --drift",
        )
    return FoundDrift(reference_of(list(seen.values()), contract, seed), tuple(seen))


def reference_of(wearers: Sequence[Observed], contract: ModelContract, seed: int = 0) -> DriftReference:
    """The reference of some wearers, with the limits that each of them gives against the others."""
    rng = np.random.default_rng(seed)
    indices: dict[_Kind, list[list[float]]] = {}
    for number, one in enumerate(wearers):
        others = [each for place, each in enumerate(wearers) if place != number]
        for kind, found in _indices_of_days(one, _Pooled(others, contract), rng).items():
            indices.setdefault(kind, []).append(found)
    limits = {name: _limits(indices, name, len(contract.labels)) for name, label in indices if label is None}
    return _Pooled(wearers, contract).reference(limits)


class _Pooled:
    """Histograms of some wearers; the distances of each are from the means of the others."""

    def __init__(self, wearers: Sequence[Observed], contract: ModelContract) -> None:
        self._wearers, self._classes, self._hop_s = wearers, len(contract.labels), contract.hop_s
        self._has_embedding = contract.embedding_width > 0
        self._has_score = any(np.isfinite(each.score).any() for each in wearers)
        self.scale, self.means = self._means(range(len(wearers)))
        distances = [self._left_out(number) for number in range(len(wearers))] if self._has_embedding else []
        self.edges = self._deciles(distances)
        self.counts = self._counted(distances)

    @property
    def windows(self) -> int:
        """Number of their windows."""
        return sum(len(each.label) for each in self._wearers)

    def places(self, one: Observed) -> dict[str, Places]:
        """The bin of each window of a wearer who is not among these, by the histogram's name; -1 for none."""
        distance = self.distance(one, self.scale, self.means) if self._has_embedding else None
        return self._places(one, distance)

    @staticmethod
    def distance(one: Observed, scale: Rows, means: Rows) -> Rows:
        """Distance of each window's embedding from the mean of its class, as the device takes it."""
        return np.asarray(np.sqrt(np.square(one.embedding / scale - means[one.label]).mean(axis=1)))

    def reference(self, limits: dict[str, _Limits]) -> DriftReference:
        """The reference with these limits."""
        still = np.concatenate([each.gravity[np.isfinite(each.gravity)] for each in self._wearers])
        made = {
            name: DriftHistogram(tuple(tuple(map(int, row)) for row in counts), *limits[name])
            for name, counts in self.counts.items()
        }
        embedding = None
        if self._has_embedding:
            embedding = EmbeddingReference.of(_brief(self.scale), self.means, list(map(_brief, self.edges)))
        return DriftReference(
            len(self._wearers),
            self.windows,
            self._hop_s,
            float(still.mean()) if len(still) else None,
            made["confidence"],
            made.get("distance"),
            made.get("score"),
            embedding,
        )

    def _left_out(self, number: int) -> Rows:
        rest = [place for place in range(len(self._wearers)) if place != number] or [number]
        return self.distance(self._wearers[number], *self._means(rest))

    def _means(self, chosen: Sequence[int]) -> tuple[Rows, Rows]:
        """Deviation of each value within a class, and means ``[class, value]`` over it."""
        rows = np.concatenate([self._wearers[place].embedding for place in chosen])
        labels = np.concatenate([self._wearers[place].label for place in chosen])
        classes = [rows[labels == each] for each in range(self._classes)]
        # A class that is not there is as far away as all are from each other.
        means = np.array([each.mean(axis=0) if len(each) else rows.mean(axis=0) for each in classes])
        within = np.mean([each.var(axis=0) for each in classes if len(each)], axis=0)
        scale = np.sqrt(within) + 1e-3 * rows.std() + 1e-6
        return scale, means / scale

    def _deciles(self, distances: Sequence[Rows]) -> Rows:
        if not self._has_embedding:
            return np.empty((self._classes, 0))
        every = np.concatenate(distances)
        labels = np.concatenate([each.label for each in self._wearers])
        shares = np.arange(1, DECILES) / DECILES
        own = [every[labels == each] for each in range(self._classes)]
        return np.array([np.quantile(each if len(each) >= _LEAST_OF_CLASS else every, shares) for each in own])

    def _counted(self, distances: Sequence[Rows]) -> dict[str, Places]:
        counts: dict[str, Places] = {}
        for number, one in enumerate(self._wearers):
            for name, places in self._places(one, distances[number] if distances else None).items():
                table = counts.setdefault(name, np.zeros((self._classes, BINS[name]), np.int64))
                np.add.at(table, (one.label[places >= 0], places[places >= 0]), 1)
        return counts

    def _places(self, one: Observed, distance: Rows | None) -> dict[str, Places]:
        found = {"confidence": np.searchsorted(CONFIDENCE_EDGES, one.confidence, "right")}
        if distance is not None:
            found["distance"] = (distance[:, None] >= self.edges[one.label]).sum(axis=1)
        if self._has_score:
            score = np.searchsorted(SCORE_EDGES, one.score, "right")
            found["score"] = np.where(np.isfinite(one.score), score, -1)
        return found


def _indices_of_days(one: Observed, others: _Pooled, rng: np.random.Generator) -> dict[_Kind, list[float]]:
    """For each size, the quantile of the index over days of that size, by the kind of the days."""
    drawn = DrawnDays(one, len(others.means))
    tables = {
        name: (others.counts[name].tolist(), drawn.table(places, BINS[name]))
        for name, places in others.places(one).items()
    }
    found: dict[_Kind, list[float]] = {}
    # Without scores, a verdict has no use for limits of one activity.
    for label in (None, *range(len(others.means) if "score" in tables else 0)):
        for size in SIZES:
            days = drawn.mixed(size, rng) if label is None else drawn.alone(label, size, rng)
            if days is None:
                break
            for name, (counts, table) in tables.items():
                indices = [_index(counts, day @ table, day @ drawn.mixes, others.windows) for day in days]
                found.setdefault((name, label), []).append(float(np.quantile(indices, OF_DAYS)))
    return found


def _index(of_class: list[list[int]], counts: Places, mix: Places, windows: int) -> float:
    if not counts.sum():
        return 0.0
    return stability_index(counts.tolist(), expected_shares(of_class, mix.tolist()), windows)


def _limits(indices: dict[_Kind, list[list[float]]], name: str, classes: int) -> _Limits:
    """Limits of a histogram by size, and those of days mostly of each class, which are never narrower."""
    mixed = _bounds(indices[name, None])
    if not any(label is not None for _, label in indices):
        return mixed, ()
    rows = [indices.get((name, label), []) for label in range(classes)]
    alone = [_bounds(found) if len(found) >= _LEAST_OF_PEOPLE else mixed for found in rows]
    return mixed, tuple(tuple(map(max, mixed, each)) for each in alone)


def _bounds(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(_bound([found[size] for found in rows]) for size in range(len(SIZES)))


def _bound(indices: Sequence[float]) -> float:
    """Bound that the index of a further person stays below."""
    logs = [math.log(max(each, _SMALLEST_INDEX)) for each in indices]
    wide = student_quantile(OF_WEARERS, len(logs) - 1) * math.sqrt(1 + 1 / len(logs)) * stdev(logs)
    return min(max(math.exp(mean(logs) + wide), _SMALLEST_LIMIT), _LARGEST_LIMIT)


def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t distribution, right to 1 % from 2 degrees of freedom on.

    The expansion in their reciprocal (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.5).

    >>> round(student_quantile(0.95, 8), 2)
    1.86
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _brief(values: Rows) -> list[float]:
    """Five digits are plenty, and a contract is read by boards."""
    return [float(f"{value:.5g}") for value in values.tolist()]
