"""Logits of the two heads of a distilled model for the same windows, so that no head needs its own training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deseptr.train.array_file import ArrayFile

HEADS = ("class", "distillation", "mean")
_BATCH = 512


@dataclass(frozen=True, eq=False)
class HeadLogits(ArrayFile):
    """Logits of both heads.

    Args:
        of_class: float32 ``[window, class]`` of the class head.
        of_distillation: float32 ``[window, class]`` of the distillation head.
    """

    KIND = "logits of two heads"
    EXPECTED = "the file of a finished cell of the lab"
    NEXT_STEP = "remove the cell's result.json and run the same command again"

    of_class: NDArray[np.float32]
    of_distillation: NDArray[np.float32]

    def of(self, head: str) -> NDArray[np.float32]:
        """Logits of ``"class"``, ``"distillation"`` or the ``"mean"`` of both."""
        if head == "mean":
            return np.asarray(0.5 * (self.of_class + self.of_distillation))
        return self.of_class if head == "class" else self.of_distillation

    @classmethod
    def predict(cls, classifier: Any, signals: NDArray[np.float32]) -> Self:
        """Logits of a classifier with two heads for raw windows ``[window, input_length, channels]``."""
        batches = (signals[start : start + _BATCH] for start in range(0, len(signals), _BATCH))
        pairs = [classifier.network(classifier.front_end(batch), training=False) for batch in batches]
        of_class, of_distillation = (np.concatenate([np.asarray(pair[i]) for pair in pairs]) for i in (0, 1))
        return cls(of_class, of_distillation)
