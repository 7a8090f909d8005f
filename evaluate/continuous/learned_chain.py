"""The chain of activities of some recordings: how long each lasts there, and which follows which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ActivityChain, DataError
from deseptr.data import Recording

from .track import NONE, stretches


@dataclass(frozen=True, eq=False)
class LearnedChain:
    """Durations and successions that were seen.

    Args:
        durations_s: mean duration of each class, s.
        successions: ``[class, next class]`` counts; unlabelled parts between two activities are passed over.
    """

    durations_s: tuple[float, ...]
    successions: NDArray[np.int64]

    def chain(self, surprise: float, stages: int, weight: float, floor: float) -> ActivityChain:
        """The chain in which a share ``surprise`` of the successions is any other class instead of one seen."""
        classes = len(self.durations_s)
        others = (1 - np.eye(classes)) / (classes - 1)
        seen = self.successions.sum(axis=1, keepdims=True)
        learned = np.where(seen > 0, self.successions / np.maximum(seen, 1), others)
        following = np.round((1 - surprise) * learned + surprise * others, 6)
        rows = tuple(tuple(map(float, row)) for row in following)
        return ActivityChain(self.durations_s, rows, stages, weight, floor)


def learn_chain(recordings: Sequence[Recording], truths: Sequence[NDArray[Any]], labels: Sequence[str]) -> LearnedChain:
    """Learn from the labels of recordings.

    Args:
        recordings: of the wearers who were trained on.
        truths: the class of each of their samples, ``NONE`` where there is none.
        labels: names of the classes.

    Raises:
        DataError: if a class never occurs.
    """
    durations: list[list[float]] = [[] for _ in labels]
    successions = np.zeros((len(labels), len(labels)), np.int64)
    for recording, truth in zip(recordings, truths, strict=True):
        found = [each for each in stretches(truth) if each.value != NONE]
        for each in found:
            durations[each.value].append((each.stop - each.start) / recording.rate_hz)
        for before, after in pairwise(found):
            successions[before.value, after.value] += before.value != after.value
    missing = [label for label, each in zip(labels, durations, strict=True) if not each]
    if missing:
        raise DataError(
            "durations of activities",
            found=f"no recording of {missing[0]}",
            expected="every class of the model among the wearers who were trained on",
            next_step="pass the recordings of the training",
        )
    return LearnedChain(tuple(round(float(np.mean(each)), 3) for each in durations), successions)
