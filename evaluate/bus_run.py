"""What a model gives for windows over the bus, beside what it gives for the same samples passed directly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, Scores, score, subject_confusions
from deseptr.data import Dataset, Windows

from .confused_windows import ALL_EXAMPLES, Confused, Origin, confused_windows

_LISTED = 50


class WrongWindow(NamedTuple):
    """A window that was taken for another class over the bus.

    Args:
        number: index of the window in the run.
        probabilities: float32 ``[class]``, over the bus.
        signals: float32 ``[sample, channel]``, as recorded, or turned back if the run corrects a turned sensor.
    """

    number: int
    probabilities: NDArray[np.float32]
    signals: NDArray[np.float32]


@dataclass
class BusRun:
    """Windows that were received over the bus, with their true classes and the engine's result for the same samples.

    Args:
        labels: labels of the model.
        true: true class of each window.
        predicted: predicted class over the bus.
        straight: predicted class of the same samples passed directly to the engine.
        subjects: subject of each window.
        places: recording and first sample of each window, at the model's rate.
        differences: ``[window, class]`` differences between the probabilities of both paths.
        margins: difference between the two largest probabilities of the engine for each window.
        wrong: the windows that were taken for another class over the bus.
        gaps: number of gaps on the bus.
        lost_samples: number of samples lost in them.
        mountings: number of recordings by the mounting that was found in them; empty if none was asked for.
    """

    labels: tuple[str, ...]
    true: list[int] = field(default_factory=list)
    predicted: list[int] = field(default_factory=list)
    straight: list[int] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    differences: list[NDArray[np.float32]] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    wrong: list[WrongWindow] = field(default_factory=list)
    gaps: int = 0
    lost_samples: int = 0
    mountings: dict[str, int] = field(default_factory=dict)

    def scores(self) -> Scores:
        """Scores of the predictions over the bus."""
        return score(np.array(self.true), np.array(self.predicted), self.labels, np.array(self.subjects))

    def confusions(self) -> NDArray[np.int64]:
        """One confusion matrix per subject, ``[subject, true, predicted]``."""
        return subject_confusions(
            np.array(self.true), np.array(self.predicted), np.array(self.subjects), len(self.labels)
        )

    def confused(self, contract: ModelContract, dataset: Dataset, limit: int = ALL_EXAMPLES) -> Confused:
        """The windows that were taken for another class over the bus, with their places in the recordings.

        Args:
            contract: the model's.
            dataset: the recordings.
            limit: number of examples at most.
        """
        # Windows that were not confused are in no pair of classes.
        chosen = np.array([each.number for each in self.wrong], np.int64)
        places = np.array(self.places, np.int64).reshape(-1, 2)[chosen]
        signals = np.array([each.signals for each in self.wrong], np.float32)
        windows = Windows(
            signals.reshape(-1, contract.window_length, len(contract.channels)),
            np.array(self.true, np.int64)[chosen],
            np.array(self.subjects, np.str_)[chosen],
            places[:, 0],
            places[:, 1],
            self.labels,
            contract.rate_hz,
            channels=contract.channels,
        )
        probabilities = np.array([each.probabilities for each in self.wrong]).reshape(-1, len(self.labels))
        # Logarithms of probabilities are logits of them; that of zero is minus infinity, whose probability is zero.
        with np.errstate(divide="ignore"):
            logits = np.log(probabilities)
        return confused_windows(windows.labels, logits, windows.subjects, Origin(windows, dataset), limit=limit)

    def agreement(self) -> dict[str, Any]:
        """Agreement of the two paths as plain JSON values; the first windows that differ are listed."""
        differences = np.abs(np.array(self.differences))
        differ = [
            index for index, pair in enumerate(zip(self.predicted, self.straight, strict=True)) if len(set(pair)) > 1
        ]
        return {
            "windows": len(self.predicted),
            "share": 1 - len(differ) / len(self.predicted),
            "largest_difference": round(float(differences.max()), 6),
            "mean_difference": round(float(differences.mean()), 6),
            "pairs": [
                {"straight": self.labels[straight], "bus": self.labels[predicted], "windows": count}
                for (straight, predicted), count in Counter(
                    (self.straight[i], self.predicted[i]) for i in differ
                ).most_common()
            ],
            "differing": [
                {
                    "recording": self.places[index][0],
                    "sample": self.places[index][1],
                    "straight": self.labels[self.straight[index]],
                    "bus": self.labels[self.predicted[index]],
                    "largest_difference": round(float(differences[index].max()), 6),
                    "straight_margin": round(self.margins[index], 6),
                }
                for index in differ[:_LISTED]
            ],
        }
