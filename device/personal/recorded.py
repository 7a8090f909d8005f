"""What a model gave for the windows that a wearer recorded, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Recorded:
    """Windows of a wearer as a model sees them.

    Args:
        logits: float32 ``[window, class]``, not divided by the model's temperature.
        embeddings: float32 ``[window, width]``; of width 0 for a model that has none.
        labels: int64 ``[window]``: a class of the model, or from their number on a new label.
        stretches: int64 ``[window]``, non-decreasing: windows of different stretches share no sample.
        places: int64 ``[window]``, first sample in its stretch.
        statistics: float32 ``[window, statistic]`` of the samples, as
            :func:`deseptr.contract.familiar_statistics.window_statistics` gives them.
        mounting: name of the turn for which the samples were corrected, ``none`` if they are as measured; None if that
            is not known, or differs between windows.
    """

    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    stretches: NDArray[np.int64]
    places: NDArray[np.int64]
    statistics: NDArray[np.float32]
    mounting: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of the model's classes."""
        return int(self.logits.shape[1])

    @property
    def features(self) -> NDArray[np.float32]:
        """``[window, feature]``: the embeddings, or the logits of a model without."""
        return self.embeddings if self.embeddings.shape[1] else self.logits

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Recorded:
        """The windows selected by a mask or by indices."""
        return Recorded(
            self.logits[chosen],
            self.embeddings[chosen],
            self.labels[chosen],
            self.stretches[chosen],
            self.places[chosen],
            self.statistics[chosen],
            self.mounting,
        )


def joined(parts: Sequence[Recorded]) -> Recorded:
    """The windows of several sessions of one wearer, at least one."""
    offsets = np.cumsum([0, *(1 + int(part.stretches.max(initial=-1)) for part in parts[:-1])])
    return Recorded(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.stretches + offset for part, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.statistics for part in parts]),
        parts[0].mounting if len({part.mounting for part in parts}) == 1 else None,
    )
