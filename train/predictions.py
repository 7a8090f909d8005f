"""Predictions of a run's models on its test windows, saved as logits so that any metric can be computed later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import Interval, Scores, macro_f1_interval, reliability, score, softmax, subject_confusions

from .array_file import ArrayFile


@dataclass(frozen=True, eq=False)
class Predictions(ArrayFile):
    """Logits of the models of a run or fold on its test windows.

    Args:
        logits: float32 ``[window, class]`` of the checkpoint.
        int8_logits: float32 ``[window, class]`` of the int8 model, dequantized; empty if int8 was not evaluated.
        labels: ``[window]`` true classes.
        subjects: ``[window]`` subject of each window.
        label_names: ``[class]``.
        trials: ``[window]`` recording of each window; empty if it is not known.
        starts_s: float64 ``[window]``, its first sample on the clock of the recording; empty if it is not known.

    Raises:
        ValueError: if trials or times are not those of so many windows.
    """

    KIND = "predictions"
    EXPECTED = "the predictions file of a finished run or fold"
    NEXT_STEP = "train again, or remove the fold's result.json and run the same command again"

    logits: NDArray[np.float32]
    int8_logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    label_names: NDArray[np.str_]
    trials: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))
    starts_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        for name, kind in (("trials", "U"), ("starts_s", "f")):
            values = getattr(self, name)
            if values.dtype.kind != kind or values.shape not in ((0,), self.labels.shape):
                raise ValueError(f"{name} of shape {list(values.shape)}, type {values.dtype}")

    def of(self, kind: str) -> NDArray[np.float32]:
        """Logits of ``"float"`` or ``"int8"``."""
        return self.logits if kind == "float" else self.int8_logits

    @property
    def has_places(self) -> bool:
        """Whether recording and time of the windows are known."""
        return self.labels.shape == self.trials.shape == self.starts_s.shape

    @property
    def kinds(self) -> tuple[str, ...]:
        """The models with predictions: ``"float"``, and ``"int8"`` if present."""
        return ("float", "int8") if len(self.int8_logits) else ("float",)

    @property
    def agreement(self) -> float:
        """Fraction of windows on which both models predict the same class."""
        return float((self.logits.argmax(1) == self.int8_logits.argmax(1)).mean())

    def scores(self, kind: str) -> Scores:
        """Scores of ``"float"`` or ``"int8"``."""
        return score(self.labels, self.of(kind).argmax(1), tuple(self.label_names.tolist()), self.subjects)

    def confusions(self, kind: str) -> NDArray[np.int64]:
        """One confusion matrix per subject, ``[subject, true, predicted]``."""
        return subject_confusions(self.labels, self.of(kind).argmax(1), self.subjects, len(self.label_names))

    def interval(self, kind: str, seed: int) -> Interval | None:
        """Bootstrap interval of macro-F1 over subjects; None for a single subject."""
        return macro_f1_interval(self.confusions(kind), seed=seed)

    def figures(self, kind: str) -> dict[str, Any]:
        """Scores and calibration of ``"float"`` or ``"int8"`` as plain JSON values."""
        calibration = reliability(softmax(self.of(kind)), self.labels)
        agreement = {"agreement": self.agreement} if kind == "int8" else {}
        return {**self.scores(kind).to_dict(), "calibration": calibration.to_dict(), **agreement}

    @classmethod
    def pool(cls, parts: Sequence[Predictions]) -> Predictions:
        """The predictions of several folds in one; int8 and places only if every fold has them."""
        known = ["logits", "labels", "subjects"]
        if all(part.has_places for part in parts):
            known += ["trials", "starts_s"]
        arrays = {n: np.concatenate([getattr(p, n) for p in parts]) for n in known}
        width = arrays["logits"].shape[1]
        whole = all(len(part.int8_logits) for part in parts)
        int8 = np.concatenate([p.int8_logits for p in parts]) if whole else np.empty((0, width), np.float32)
        return cls(int8_logits=int8, label_names=parts[0].label_names, **arrays)
