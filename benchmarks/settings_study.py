"""What is each augmentation worth? One setting of the default recipe changed at a time, on training subjects alone.

    python benchmarks/settings_study.py hapt.npz -o runs/settings > settings_study.json

The official test subjects of the recordings take no part. The others are dealt into folds in their order. Of every
stretch of an activity at most `--longest` seconds keep their label, so that a study takes an hour instead of six; short
activities, as transitions, keep all of it. Students learn without a teacher. Finished trainings are kept in OUT and the
same command goes on. Prints JSON: macro-F1 of each change, of all windows of all folds, and its difference to the
default recipe in points, for all classes and by group, with a 95 % interval over subjects (bootstrap, 2,000 draws).
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

import deseptr
from deseptr.train.models.registry import VIEWS_RECIPE

# What the recipe says of input, augmentation and loss; the rest of it is of teachers and of the student's size.
SHARED = ("views", "student_learning_rate", "class_weights", "mixup", "shift_samples", "time_warp", "sensor_rate")
SHARED += ("gain", "warp", "mask", "cutmix")
RIVAL = {"model": "cnn-har", **{name: VIEWS_RECIPE[name] for name in SHARED}}
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "CNN-HAR on the same views and augmentation": RIVAL,
    "no mixup": {"mixup": 0.0},
    "no shift in the recording": {"shift_samples": 0},
    "no warp along time": {"time_warp": 0.0},
    "no rotation": {"rotation_degrees": 0.0},
    "no error of scale": {"gain": 0.0},
    "no noise": {"noise": 0.0},
    "rate jitter 0.05": {"rate_jitter": 0.05},
    "samples dropped 0.1": {"dropped": 0.1},
    "class weights balanced": {"class_weights": "balanced"},
    "class weights none": {"class_weights": "none"},
}
DRAWS = 2_000
CLASSES_OF = {
    "periodic": ("walking", "walking_upstairs", "walking_downstairs"),
    "static": ("sitting", "standing", "laying"),
    "transition": ("stand_to_sit", "sit_to_stand", "sit_to_lie", "lie_to_sit", "stand_to_lie", "lie_to_stand"),
}


class Predicted(NamedTuple):
    """True and predicted class and subject of each window, all folds one after the other."""

    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    subject: NDArray[np.str_]
    labels: tuple[str, ...]


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, metavar="OUT")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=40, show_default=True)
@click.option("--longest", type=click.FloatRange(0), default=6.0, show_default=True, help="Seconds of a stretch.")
@click.option("--changes", default=",".join(CHANGES), help="Names of the changes to try.")
def main(data: Path, out: Path, folds: int, seeds: int, epochs: int, longest: float, changes: str) -> None:
    """Train every change on every fold and print how it compares with the default recipe."""
    dataset = thinned(deseptr.load(str(data)), longest)
    names = [name.strip() for name in changes.split(",")]
    settings = {"distillation": "none", "validation": 0.0, "student_epochs": epochs, "window_s": 3.0}
    found: dict[str, list[Predicted]] = {}
    for name in ["default", *(name for name in names if name != "default")]:
        for seed in range(seeds):
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
            runs = trained(dataset, out, f"{name}-{seed}", folds, {**settings, **CHANGES[name], "seed": seed})
            found.setdefault(name, []).append(collected(runs))
    summary = {name: compared(seeds_of, found["default"]) for name, seeds_of in found.items()}
    told = {"data": data.name, "folds": folds, "seeds": seeds, "epochs": epochs, "longest_s": longest}
    told["subjects"] = len({recording.subject for recording in dataset.recordings})
    click.echo(json.dumps({**told, "windows": len(found["default"][0].true), "changes": summary}, indent=1))


def thinned(dataset: deseptr.Dataset, longest_s: float) -> deseptr.Dataset:
    """The training subjects' recordings; of each stretch of an activity the middle keeps its label."""
    held_out = set(dataset.test_subjects or ())
    kept = tuple(
        replace(recording, labels=shortened(recording.labels, int(longest_s * recording.rate_hz)))
        for recording in dataset.recordings
        if recording.subject not in held_out
    )
    return replace(dataset, recordings=kept, test_subjects=())


def shortened(labels: NDArray[Any], longest: int) -> NDArray[Any]:
    """Labels ``[sample]`` in which no run of a class is longer than a number of samples; the rest is unlabelled."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    result = np.full_like(labels, -1)
    for start, stop in zip(np.r_[0, edges], np.r_[edges, len(labels)], strict=True):
        margin = max(0, stop - start - longest) // 2
        result[start + margin : stop - margin] = labels[start]
    return result


def trained(dataset: deseptr.Dataset, out: Path, name: str, folds: int, settings: dict[str, Any]) -> list[Path]:
    """Run folders of a change, trained where they are not yet finished."""
    subjects = sorted({recording.subject for recording in dataset.recordings}, key=int)
    runs = []
    for fold in range(folds):
        run = out / name.replace(" ", "-") / f"fold-{fold}"
        if not (run / "predictions.npz").exists():
            deseptr.fit(dataset, run, test_subjects=subjects[fold::folds], if_exists="resume", **settings)
        runs.append(run)
    return runs


def collected(runs: list[Path]) -> Predicted:
    """Predictions of all folds."""
    parts = [dict(np.load(run / "predictions.npz")) for run in runs]
    true, logits, subject = (np.concatenate([part[key] for part in parts]) for key in ("labels", "logits", "subjects"))
    return Predicted(true, logits.argmax(axis=1), subject, tuple(str(label) for label in parts[0]["label_names"]))


def f1_by_class(predicted: Predicted, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 ``[class]`` of chosen windows; NaN for a class without a window."""
    count = len(predicted.labels)
    confusion = np.zeros((count, count))
    np.add.at(confusion, (predicted.true[chosen], predicted.predicted[chosen]), 1)
    there = confusion.sum(axis=1)
    both = there + confusion.sum(axis=0)
    return np.where(there > 0, 2 * np.diag(confusion) / np.maximum(both, 1), np.nan)


def groups_of(labels: tuple[str, ...]) -> dict[str, list[int]]:
    """Indices of the classes of each group, and of all."""
    groups = {name: [labels.index(label) for label in of if label in labels] for name, of in CLASSES_OF.items()}
    return {"all": list(range(len(labels))), **{name: of for name, of in groups.items() if of}}


def compared(seeds: list[Predicted], rival: list[Predicted]) -> dict[str, Any]:
    """Macro-F1 by group, and its difference to the rival's with an interval over subjects."""
    groups = groups_of(seeds[0].labels)
    subjects = np.unique(seeds[0].subject)
    windows_of = [np.flatnonzero(seeds[0].subject == subject) for subject in subjects]
    rng = np.random.default_rng(0)
    draws = [np.arange(len(subjects)), *rng.integers(0, len(subjects), (DRAWS, len(subjects)))]
    scores = {name: np.empty((2, len(draws))) for name in groups}
    for number, draw in enumerate(draws):
        chosen = np.concatenate([windows_of[subject] for subject in draw])
        for side, of in enumerate((seeds, rival)):
            by_class = np.mean([f1_by_class(each, chosen) for each in of], axis=0)
            for name, classes in groups.items():
                scores[name][side, number] = np.nanmean(by_class[classes])
    return {name: _told(*values) for name, values in scores.items()}


def _told(own: NDArray[np.float64], rival: NDArray[np.float64]) -> dict[str, float]:
    points = 100 * (own - rival)
    low, high = np.percentile(points[1:], [2.5, 97.5])
    return {
        "macro_f1": round(float(own[0]), 4),
        "minus_default": round(float(points[0]), 2),
        "low": round(float(low), 2),
        "high": round(float(high), 2),
    }


if __name__ == "__main__":
    main()
