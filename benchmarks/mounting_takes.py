"""Is a turned sensor found by some seconds of each activity, with labels, as `personalise --mounting auto` does?

    python benchmarks/mounting_takes.py ../shared/data -o benchmarks/mounting_takes.json

Every wearer is a test wearer once, as in `mounting.py`. A session is a take of each of some activities, somewhere in
what the wearer did of it, by a sensor that is turned by the next of 24 turns: what is found of one turn is found of
all, but for its name. The limits were chosen on all of HAPT's wearers and all of MotionSense's but the unseen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from mounting import BASIC, FOLDS

from deseptr.contract import CHANNELS, MOUNTINGS
from deseptr.data import Dataset, Recording, cut_windows, load_dataset
from deseptr.device import default_model, describe_machine
from deseptr.device.mounting.labelled import CLEAR_LEAD, COUNTED_OF_A_CLASS, LEAST_CLASSES, estimate_mounting
from deseptr.device.mounting.recordings import turned_back
from deseptr.tflite import read_tflite
from deseptr.train.mounting_reference import mounting_reference

SESSIONS = {
    "all": (),
    "walking, sitting, standing": ("walking", "sitting", "standing"),
    "walking, standing": ("walking", "standing"),
    "at rest": ("sitting", "standing", "laying"),
    "walking": ("walking",),
}
# On whom no limit was chosen.
UNSEEN: dict[str, tuple[str, ...]] = {"hapt": (), "motionsense": ("5", "10", "12", "22")}
SECONDS = (10.0, 30.0)
TRIALS = 4


@dataclass(frozen=True)
class Session:
    """What was found in the takes of a session."""

    subject: str
    activities: str
    seconds: float
    clear: bool
    right: bool


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    result: dict[str, Any] = {
        "settings": {
            "clear_lead": CLEAR_LEAD,
            "counted_of_a_class": COUNTED_OF_A_CLASS,
            "least_classes": LEAST_CLASSES,
            "trials": TRIALS,
        },
        "sets": {name: measure(chosen.data / f"{name}.npz") for name in ("hapt", "motionsense")},
        "machine": describe_machine(),
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def measure(path: Path) -> list[dict[str, Any]]:
    """Shares of the sessions of each kind, of all wearers and of those on whom no limit was chosen."""
    dataset = load_dataset(path)
    known = dataset.select(labels=BASIC) if dataset.name == "hapt" else dataset
    found = list(sessions(known))
    rows = []
    for seconds in SECONDS:
        for activities in SESSIONS:
            these = [each for each in found if (each.seconds, each.activities) == (seconds, activities)]
            unseen = [each for each in these if each.subject in UNSEEN[dataset.name]]
            for wearers, some in (("all", these), ("unseen", unseen)):
                if some:
                    rows.append({"seconds": seconds, "activities": activities, "wearers": wearers, **_shares(some)})
    return rows


def sessions(known: Dataset) -> Iterator[Session]:
    """The sessions of all test wearers."""
    rng, turns = np.random.default_rng(0), cycle(MOUNTINGS)
    windows = cut_windows(known, window_length=128, hop_length=64, rate_hz=50.0)
    subjects = np.random.default_rng(0).permutation(sorted(known.subjects))
    packaged = read_tflite(default_model()).contract
    for fold in range(FOLDS):
        tested = subjects[fold::FOLDS]
        reference = mounting_reference(windows.of_subjects([each for each in subjects if each not in tested]))
        assert reference is not None
        contract = replace(packaged, labels=known.label_names, mounting=reference)
        for subject in map(str, tested):
            own = known.select(subjects=(subject,))
            for seconds in SECONDS:
                for activities, labels in SESSIONS.items():
                    for _ in range(TRIALS):
                        turn = next(turns)
                        takes = _takes(own, labels or known.label_names, seconds, rng)
                        estimate = estimate_mounting(turned_back(takes, turn.inverse()), contract)
                        # Turns that the training wearers do not tell apart are one.
                        alike = {turn.then(way.inverse()) for way in reference.turns}
                        yield Session(subject, activities, seconds, estimate.clear, bool(alike & {*estimate.turns}))


def _takes(own: Dataset, labels: tuple[str, ...], seconds: float, rng: np.random.Generator) -> Dataset:
    """A take of each label; a shorter one where the wearer never did it for so long."""
    taken = []
    for label in labels:
        if label not in own.label_names:
            continue
        index, runs = own.label_names.index(label), []
        for each in own.recordings:
            edges = np.flatnonzero(np.diff(np.concatenate([[0], each.labels == index, [0]])))
            runs += [each.signals[first:last] for first, last in edges.reshape(-1, 2)]
        count = min(round(seconds * 50), max(map(len, runs)))
        run = rng.choice([number for number, each in enumerate(runs) if len(each) >= count])
        start = rng.integers(0, len(runs[run]) - count + 1)
        signals = runs[run][start : start + count]
        taken.append(Recording(signals, 50.0, own.subjects[0], np.full(count, index, np.int16), channels=CHANNELS))
    return replace(own, recordings=tuple(taken))


def _shares(found: list[Session]) -> dict[str, Any]:
    return {
        "sessions": len(found),
        "right": float(np.mean([each.clear and each.right for each in found])),
        "wrong": float(np.mean([each.clear and not each.right for each in found])),
        "unknown": float(np.mean([not each.clear for each in found])),
    }


if __name__ == "__main__":
    main()
