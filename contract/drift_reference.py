"""What a model's windows looked like on people whom it was not trained on: what later days are compared with.

All figures are by the class that the model found, so that a day with more sitting than the recordings had is compared
with their sitting.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE_EDGES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Bounds of the bins of the confidence, narrow where that of a model usually is."""
SCORE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
"""Bounds of the bins of the score of unfamiliar windows, whose limit is 1."""
DECILES = 10
BINS = {"confidence": len(CONFIDENCE_EDGES) + 1, "distance": DECILES, "score": len(SCORE_EDGES) + 1}
"""Number of bins of each histogram by its name; those of the distance are deciles of the reference."""
SIZES = (300, 1000, 3000)
"""Numbers of windows, a hop of the reference apart, that limits are for; fewer than the first are too few."""
STEPS = 256
"""Steps of a mean's values in one deviation."""
_MOST_COUNT = 2**53


@dataclass(frozen=True)
class EmbeddingReference:
    """Means of the embeddings of each class, and how far from them embeddings are.

    Args:
        scale: deviation of each value of the embedding within a class.
        means: of each class over ``scale``, int16 little-endian in steps of 1/256, one class after the other, base64.
        edges: for each class, the nine deciles of the distances, ascending; the distance is the root of the mean square
            of an embedding's differences from the mean of its class, over ``scale``.

    Raises:
        ModelError: if a value is out of its range, or the means are not whole.
    """

    scale: tuple[float, ...]
    means: str
    edges: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        right = bool(self.scale) and all(1e-9 < each < 1e9 for each in self.scale)
        _require(right, "embedding.scale", self.scale, "positive deviations")
        try:
            size = len(base64.b64decode(self.means, validate=True))
        except (ValueError, binascii.Error):
            size = -1
        whole = 2 * len(self.scale) * len(self.edges)
        _require(size == whole, "embedding.means", f"{size} bytes", f"{whole} bytes in base64")
        right = all(
            len(row) == DECILES - 1 and all(map(math.isfinite, row)) and list(row) == sorted(row) for row in self.edges
        )
        _require(right, "embedding.edges", "other values", f"{DECILES - 1} ascending distances of each class")

    @classmethod
    def of(
        cls, scale: Sequence[float], means: NDArray[np.floating[Any]], edges: Sequence[Sequence[float]]
    ) -> EmbeddingReference:
        """A reference with means ``[class, value]`` over ``scale``, rounded to steps and saturated."""
        import numpy as np

        steps = np.clip(np.rint(np.asarray(means) * STEPS), -(2**15), 2**15 - 1).astype("<i2")
        rows = tuple(tuple(map(float, row)) for row in edges)
        return cls(tuple(map(float, scale)), base64.b64encode(steps.tobytes()).decode(), rows)

    @property
    def table(self) -> NDArray[np.float32]:
        """Means float32 ``[class, value]`` over ``scale``."""
        import numpy as np

        steps = np.frombuffer(base64.b64decode(self.means), "<i2").reshape(-1, len(self.scale))
        return steps.astype(np.float32) / np.float32(STEPS)


@dataclass(frozen=True)
class DriftHistogram:
    """A histogram of the reference, and how much those of other people differ from it.

    Args:
        counts: number of windows by class and bin.
        limits: for each of :data:`SIZES`, the population stability index that so many windows of a person who is not
            in the reference rarely exceed.
        alone: the same for days mostly of one class, a row for each class; empty if ``limits`` hold for such days too.
    """

    counts: tuple[tuple[int, ...], ...]
    limits: tuple[float, ...]
    alone: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class DriftReference:
    """What later days are compared with.

    Args:
        wearers: number of people.
        windows: number of their windows.
        hop_s: time from one of them to the next, seconds.
        gravity: mean acceleration of their still windows, m/s^2; None if there were none.
        confidence: of the most probable class, by :data:`CONFIDENCE_EDGES`.
        distance: of the embedding, by its deciles; None of a model without embedding.
        score: of unfamiliar windows, by :data:`SCORE_EDGES`; None of a model without known windows.
        embedding: what the distance is from; None as ``distance``.

    Raises:
        ModelError: if parts are missing, or differ in their number of classes or bins.
    """

    wearers: int
    windows: int
    hop_s: float
    gravity: float | None
    confidence: DriftHistogram
    distance: DriftHistogram | None = None
    score: DriftHistogram | None = None
    embedding: EmbeddingReference | None = None

    def __post_init__(self) -> None:
        _require(self.wearers >= 2, "wearers", self.wearers, "two or more")
        _require(0 < self.windows < _MOST_COUNT, "windows", self.windows, "a number of windows")
        _require(0 < self.hop_s < 1e6, "hop_s", self.hop_s, "seconds")
        _require(self.gravity is None or 1 < self.gravity < 100, "gravity", self.gravity, "about 9.8 m/s^2, or none")
        for name, histogram in self.histograms.items():
            self._check(name, histogram)
        counted = sum(self.labels)
        _require(self.windows == counted, "windows", self.windows, f"{counted}, those of the confidence")
        together = (self.embedding is None) == (self.distance is None)
        fits = together and (self.embedding is None or len(self.embedding.edges) == self.classes)
        _require(fits, "embedding", "another than the distance's", "one for the distance, of as many classes")

    def _check(self, name: str, histogram: DriftHistogram) -> None:
        right = len(histogram.counts) == self.classes and all(len(row) == BINS[name] for row in histogram.counts)
        _require(right, name, "other counts", f"{BINS[name]} bins of each class")
        right = all(0 <= each < _MOST_COUNT for row in histogram.counts for each in row)
        _require(right and any(map(sum, histogram.counts)), name, "other numbers", "numbers of windows")
        _require(_are_limits(histogram.limits), f"{name}.limits", histogram.limits, f"{len(SIZES)} positive limits")
        right = len(histogram.alone) in (0, self.classes) and all(map(_are_limits, histogram.alone))
        _require(right, f"{name}.alone", "other limits", f"{len(SIZES)} positive limits of each class, or none")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.confidence.counts)

    @property
    def histograms(self) -> dict[str, DriftHistogram]:
        """The histograms that there are, by name."""
        found = {"confidence": self.confidence, "distance": self.distance, "score": self.score}
        return {name: histogram for name, histogram in found.items() if histogram is not None}

    @property
    def labels(self) -> tuple[int, ...]:
        """Number of windows of each class."""
        return tuple(map(sum, self.confidence.counts))

    @property
    def key(self) -> str:
        """Eight hexadecimal digits that tell this reference from others."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]

    @classmethod
    def from_dict(cls, content: Any) -> DriftReference:
        """A reference from plain JSON values, all fields by name.

        Raises:
            ValueError: if a field is missing, unknown, or of another type.
            ModelError: if a value is out of its range.
        """
        names = {"wearers", "windows", "hop_s", "gravity", "confidence", "distance", "score", "embedding"}
        if not isinstance(content, dict) or content.keys() != names:
            raise ValueError(f"drift has not the fields {', '.join(sorted(names))}")
        read = {name: _histogram(content[name]) for name in BINS}
        if read["confidence"] is None:
            raise ValueError("drift: no confidence")
        return cls(
            _whole(content["wearers"]),
            _whole(content["windows"]),
            _number(content["hop_s"]),
            None if content["gravity"] is None else _number(content["gravity"]),
            read["confidence"],
            read["distance"],
            read["score"],
            _embedding(content["embedding"]),
        )


def _histogram(content: Any) -> DriftHistogram | None:
    if content is None:
        return None
    # The first contracts of format 11 lack what was measured on days of one class.
    content = {"alone": [], **content} if isinstance(content, dict) else content
    if not isinstance(content, dict) or content.keys() != {"counts", "limits", "alone"}:
        raise ValueError("drift: a histogram is counts, limits and those of days of a class alone")
    rows = tuple(tuple(map(_whole, _list(row))) for row in _list(content["counts"]))
    alone = tuple(tuple(map(_number, _list(row))) for row in _list(content["alone"]))
    return DriftHistogram(rows, tuple(map(_number, _list(content["limits"]))), alone)


def _embedding(content: Any) -> EmbeddingReference | None:
    if content is None:
        return None
    if not isinstance(content, dict) or content.keys() != {"scale", "means", "edges"}:
        raise ValueError("drift: an embedding is scale, means and edges")
    if not isinstance(content["means"], str):
        raise ValueError("drift: means are text")
    edges = tuple(tuple(map(_number, _list(row))) for row in _list(content["edges"]))
    return EmbeddingReference(tuple(map(_number, _list(content["scale"]))), content["means"], edges)


def _are_limits(values: Sequence[float]) -> bool:
    return len(values) == len(SIZES) and all(0 < each < 1e3 for each in values)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("drift: not a list")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"drift: {value!r} is not a whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"drift: {value!r} is not a number")
    return float(value)


def _require(condition: bool, name: str, found: object, expected: str) -> None:
    if not condition:
        raise ModelError(
            f"contract.drift.{name}", found=found, expected=expected, next_step="run `deseptr calibrate --drift` again"
        )
