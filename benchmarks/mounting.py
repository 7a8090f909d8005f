"""Is a turned sensor found, by its right name, and how many minutes of wear does that need?

    python benchmarks/mounting.py ../shared/data -o benchmarks/mounting.json

Every wearer is a test wearer once: the reference is made of the windows of the wearers of four other fifths, as
training makes it. A trial is a test wearer's recordings one after another, unlabelled stretches too, from some moment
on for at most ten minutes, of which at least five are there, measured by a sensor that is not turned, and by one that
is turned by the next of the 23 turns. Windows of 2.56 s, one after another.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, CHANNELS, MOUNTINGS, Mounting, MountingReference
from deseptr.data import Dataset, cut_windows, load_dataset
from deseptr.device import MountingCorrection, describe_machine
from deseptr.device.mounting.estimator import CLEAR_LEAD, COUNTED_WINDOWS, LEAST_WINDOWS, MountingEstimator
from deseptr.device.mounting.watch import LONGEST_S
from deseptr.train.mounting_reference import mounting_reference

BASIC = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")
# On whom no limit of the estimate was chosen.
UNSEEN = {"hapt": None, "motionsense": ("5", "10", "12", "22")}
SETS = {"hapt": BASIC, "motionsense": None}
FOLDS, LENGTH = 5, 128
EVERY_S, LEAST_S = 120.0, 300.0
# Columns of gravity among the 26 features, and among the 10 of an accelerometer alone.
GRAVITY = {26: slice(2, 5), 10: slice(1, 4)}


@dataclass(frozen=True)
class Trial:
    """What was found of one turned sensor."""

    subject: str
    turn: Mounting
    named: tuple[Mounting, ...]
    minutes: float

    @property
    def right(self) -> bool:
        """Whether the turn is among those that are named."""
        return self.turn in self.named


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    result: dict[str, Any] = {
        "settings": {
            "clear_lead": CLEAR_LEAD,
            "counted_windows": COUNTED_WINDOWS,
            "least_windows": LEAST_WINDOWS,
            "longest_s": LONGEST_S,
        },
        "sets": {name: measure(chosen.data / f"{name}.npz", labels) for name, labels in SETS.items()},
        "machine": describe_machine(),
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def measure(path: Path, labels: tuple[str, ...] | None) -> dict[str, Any]:
    """Results of one data set: with six channels, with the accelerometer alone, and by gravity alone."""
    dataset = load_dataset(path)
    known = dataset if labels is None else dataset.select(labels=labels)
    six = list(trials(dataset, known, CHANNELS))
    unseen = UNSEEN[dataset.name] or dataset.test_subjects
    return {
        "six": summary(six),
        "unseen": summary([each for each in six if each.subject in unseen]),
        "acc": summary(list(trials(dataset, known, CHANNELS[:3]))),
        "gravity": summary(list(trials(dataset, known, CHANNELS, gravity_alone=True))),
    }


def trials(
    dataset: Dataset, known: Dataset, channels: tuple[str, ...], *, gravity_alone: bool = False
) -> Iterator[Trial]:
    """The trials of all test wearers."""
    turns = cycle(MOUNTINGS[1:])
    windows = cut_windows(known, window_length=LENGTH, hop_length=LENGTH // 2, rate_hz=50.0).with_channels(channels)
    subjects = np.random.default_rng(0).permutation(sorted(dataset.subjects))
    for fold in range(FOLDS):
        tested = subjects[fold::FOLDS]
        reference = mounting_reference(windows.of_subjects([each for each in subjects if each not in tested]))
        assert reference is not None
        if gravity_alone:
            reference = _gravity_alone(reference)
        for subject in tested:
            samples = np.concatenate([each.signals for each in dataset.select(subjects=(str(subject),)).recordings])
            for start in range(0, len(samples) - round(LEAST_S * 50), round(EVERY_S * 50)):
                worn = samples[start : start + round(LONGEST_S * 50), : len(channels)]
                for turn in (AS_TRAINED, next(turns)):
                    yield _trial(str(subject), reference, channels, turn, worn)


def _trial(
    subject: str,
    reference: MountingReference,
    channels: tuple[str, ...],
    turn: Mounting,
    worn: NDArray[np.float32],
) -> Trial:
    estimator = MountingEstimator(reference, channels)
    measured = MountingCorrection(turn.inverse(), channels)(worn)
    for start in range(0, len(measured) - LENGTH + 1, LENGTH):
        estimator.add(measured[start : start + LENGTH])
        found = estimator.found()
        if found.clear:
            return Trial(subject, turn, found.turns, (start + LENGTH) / 50 / 60)
    return Trial(subject, turn, (), len(measured) / 50 / 60)


def _gravity_alone(reference: MountingReference) -> MountingReference:
    """The reference without what motion says of the axes: strength of motion and gravity are left."""
    classes = []
    for each in reference.classes:
        wide = np.full(len(each.deviation), 1e5)
        kept = GRAVITY[len(wide)]
        wide[: kept.stop] = each.deviation[: kept.stop]
        classes.append(replace(each, deviation=tuple(wide.tolist())))
    return replace(reference, classes=tuple(classes))


def summary(found: list[Trial]) -> dict[str, Any]:
    """Shares of the trials with a turn, of those by 90° among them, and of those without."""
    return {
        "turned": _shares([each for each in found if each.turn != AS_TRAINED]),
        "by_90": _shares([each for each in found if each.turn.degrees == 90]),
        "none": _shares([each for each in found if each.turn == AS_TRAINED]),
    }


def _shares(found: list[Trial]) -> dict[str, Any]:
    if not found:
        return {"trials": 0}
    named = [each for each in found if each.named]
    minutes = sorted(each.minutes for each in named)
    wrong = Counter(each.named[0].name for each in named if not each.right)
    return {
        "trials": len(found),
        "right": sum(each.right for each in named) / len(found),
        "wrong": sum(not each.right for each in named) / len(found),
        "unknown": 1 - len(named) / len(found),
        "either_way": sum(len(each.named) > 1 for each in named) / len(found),
        "minutes_median": float(np.median(minutes)),
        "minutes_90": float(np.percentile(minutes, 90)),
        "wrong_names": dict(wrong.most_common(5)),
    }


if __name__ == "__main__":
    main()
