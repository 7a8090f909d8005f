"""Whether a wearer's correction helps the wearer, told from what they recorded alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .correction import fit_correction
from .recorded import Recorded

# Parts that the windows of a label are held out in.
PARTS = 5


@dataclass(frozen=True)
class SelfCheck:
    """Shares of a wearer's own windows that are right, averaged over labels; each with the rest of the recordings.

    Args:
        windows: number of windows that could be held out.
        before: share with the model as it is, of its own labels; None if none could be measured.
        after: the same with the correction.
        new: share of each new label with the correction, by its number among them.
    """

    windows: int
    before: float | None
    after: float | None
    new: dict[int, float]

    @property
    def worse(self) -> bool:
        """Whether the model's own labels would be told worse than without the correction."""
        return self.before is not None and self.after is not None and self.after < self.before


def check_itself(recorded: Recorded, temperature: float, new_labels: int, window_length: int) -> SelfCheck:
    """Hold out each part of each label in turn, with whatever shares samples with it.

    A label whose windows all overlap cannot be measured.

    Args:
        recorded: the windows.
        temperature: of the model.
        new_labels: number of labels that the model lacks.
        window_length: samples of a window, as ``places`` counts them.
    """
    predicted = np.full(len(recorded), -1)
    for part in _parts(recorded):
        rest = ~_touched(recorded, part, window_length)
        if not np.isin(recorded.labels[part], recorded.labels[rest]).all():
            continue
        fitted = fit_correction(recorded.take(rest), temperature, new_labels)
        held_out = recorded.take(part)
        logits = held_out.logits / temperature
        features = held_out.embeddings if held_out.embeddings.shape[1] else logits
        predicted[part] = fitted.apply(logits, features, held_out.statistics).argmax(axis=1)
    measured = predicted >= 0
    own = measured & (recorded.labels < recorded.classes)
    before = recorded.logits.argmax(axis=1) == recorded.labels
    after = predicted == recorded.labels
    fresh = {
        number: float(after[measured & (recorded.labels == recorded.classes + number)].mean())
        for number in range(new_labels)
        if (measured & (recorded.labels == recorded.classes + number)).any()
    }
    if not own.any():
        return SelfCheck(int(measured.sum()), None, None, fresh)
    labels = recorded.labels[own]
    return SelfCheck(int(measured.sum()), _by_label(before[own], labels), _by_label(after[own], labels), fresh)


def _parts(recorded: Recorded) -> list[NDArray[np.int64]]:
    parts: list[NDArray[np.int64]] = []
    for label in np.unique(recorded.labels):
        parts += [part for part in np.array_split(np.flatnonzero(recorded.labels == label), PARTS) if len(part)]
    return parts


def _touched(recorded: Recorded, part: NDArray[np.int64], window_length: int) -> NDArray[np.bool_]:
    """Mask of the windows that share a sample with one of ``part``, or are it."""
    same = recorded.stretches[:, None] == recorded.stretches[part]
    near = np.abs(recorded.places[:, None] - recorded.places[part]) < window_length
    touched: NDArray[np.bool_] = (same & near).any(axis=1)
    return touched


def _by_label(right: NDArray[np.bool_], labels: NDArray[np.int64]) -> float:
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))
