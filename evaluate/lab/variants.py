"""The variants that the lab compares: a model at one of its heads, over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import macro_f1, seeds_interval, subject_confusions
from deseptr.evaluate.fold_job import FoldResult
from deseptr.evaluate.heads import HEADS
from deseptr.evaluate.mean_and_std import mean_and_std

from .grid import Cell


@dataclass(frozen=True, eq=False)
class Variant:
    """A model at one head, as confusion matrices by seed and subject.

    Args:
        cell: settings of its training; None for the teacher.
        head: head used for predictions, one of ``HEADS``; ``""`` for the teacher, which has only one.
        kind: ``"float"`` or ``"int8"``.
        confusions: by seed, ``[subject, true, predicted]`` counts of windows, with the same subjects for every seed.
    """

    cell: Cell | None
    head: str
    kind: str
    confusions: Mapping[int, NDArray[np.int64]]

    def at(self, seeds: Sequence[int]) -> NDArray[np.int64]:
        """Confusion matrices ``[seed, subject, true, predicted]``."""
        return np.stack([self.confusions[seed] for seed in seeds])

    def figures(self) -> dict[str, Any]:
        """Macro-F1 and accuracy over the seeds, with a bootstrap interval over seeds and subjects, as JSON values."""
        every = self.at(sorted(self.confusions))
        pooled = every.sum(axis=1)
        hits = np.trace(pooled, axis1=1, axis2=2) / pooled.sum(axis=(1, 2))
        interval = seeds_interval(every)
        return {
            "distillation": self.cell.distillation if self.cell else None,
            "temperature": self.cell.temperature if self.cell else None,
            "stem": self.cell.stem if self.cell else None,
            "head": self.head or None,
            "kind": self.kind,
            "seeds": sorted(self.confusions),
            "macro_f1": {**over_seeds(macro_f1(pooled)), "interval": interval._asdict() if interval else None},
            "accuracy": over_seeds(hits),
        }


def over_seeds(values: NDArray[np.float64]) -> dict[str, Any]:
    """Mean and standard deviation over the seeds, and each seed's value."""
    return {**mean_and_std(values), "per_seed": values.tolist()}


def student_variants(cell: Cell, results: Mapping[int, FoldResult]) -> Iterable[Variant]:
    """The variants of a cell, one per head, and the int8 model if every seed has one."""
    for head in HEADS:
        yield Variant(cell, head, "float", {s: _confusions(r, r.heads.of(head)) for s, r in results.items()})
    if all("int8" in result.predictions.kinds for result in results.values()):
        spoken = next(iter(results.values())).job.config.prediction
        yield Variant(cell, spoken, "int8", {s: _confusions(r, r.predictions.int8_logits) for s, r in results.items()})


def teacher_variant(results: Mapping[int, FoldResult]) -> Variant:
    """The variant of the teachers."""
    return Variant(None, "", "float", {s: _confusions(r, r.predictions.logits) for s, r in results.items()})


def _confusions(result: FoldResult, logits: NDArray[np.float32]) -> NDArray[np.int64]:
    truth = result.predictions
    return subject_confusions(truth.labels, logits.argmax(1), truth.subjects, len(truth.label_names))
