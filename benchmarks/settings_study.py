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
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import deseptr
from deseptr.contract import f1_by_class, seeds_interval, subject_confusions
from deseptr.data.recording import UNLABELLED
from deseptr.train.models.registry import VIEWS_RECIPE

# What the recipe says of input, augmentation and loss; the rest of it is of teachers and of the student's size.
SHARED = (
    *("views", "student_learning_rate", "class_weights", "mixup", "shift_samples", "time_warp", "sensor_rate"),
    *("gain", "warp", "mask", "cutmix"),
)
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
CLASSES_OF = {
    "periodic": ("walking", "walking_upstairs", "walking_downstairs"),
    "static": ("sitting", "standing", "laying"),
    "transition": ("stand_to_sit", "sit_to_stand", "sit_to_lie", "lie_to_sit", "stand_to_lie", "lie_to_stand"),
}


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
    found: dict[str, list[NDArray[np.int64]]] = {}
    for name in ["default", *(name for name in names if name != "default")]:
        for seed in range(seeds):
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
            runs = trained(dataset, out, f"{name}-{seed}", folds, {**settings, **CHANGES[name], "seed": seed})
            found.setdefault(name, []).append(confusions(runs, dataset.label_names))
    counts = {name: np.stack(of_seeds) for name, of_seeds in found.items()}
    summary = {name: compared(own, counts["default"], dataset.label_names) for name, own in counts.items()}
    told = {"data": data.name, "folds": folds, "seeds": seeds, "epochs": epochs, "longest_s": longest}
    told["subjects"] = len(dataset.subjects)
    click.echo(json.dumps({**told, "windows": int(found["default"][0].sum()), "changes": summary}, indent=1))


def thinned(dataset: deseptr.Dataset, longest_s: float) -> deseptr.Dataset:
    """The training subjects' recordings; of each stretch of an activity the middle keeps its label."""
    held_out = set(dataset.test_subjects or ())
    kept = tuple(
        replace(recording, labels=shortened(recording, int(longest_s * recording.rate_hz)))
        for recording in dataset.recordings
        if recording.subject not in held_out
    )
    return replace(dataset, recordings=kept, test_subjects=())


def shortened(recording: deseptr.Recording, longest: int) -> NDArray[np.int16]:
    """Labels ``[sample]`` in which no run of a class is longer than a number of samples; the rest is unlabelled."""
    result = np.full_like(recording.labels, UNLABELLED)
    for start, stop, label in recording.segments():
        margin = max(0, stop - start - longest) // 2
        result[start + margin : stop - margin] = label
    return result


def trained(dataset: deseptr.Dataset, out: Path, name: str, folds: int, settings: dict[str, Any]) -> list[Path]:
    """Run folders of a change, trained where they are not yet finished."""
    runs = []
    for fold in range(folds):
        run = out / name.replace(" ", "-") / f"fold-{fold}"
        if not (run / "predictions.npz").exists():
            deseptr.fit(dataset, run, test_subjects=dataset.subjects[fold::folds], if_exists="resume", **settings)
        runs.append(run)
    return runs


def confusions(runs: list[Path], labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Counts ``[subject, true, predicted]`` of the windows of all folds."""
    parts = [dict(np.load(run / "predictions.npz")) for run in runs]
    true, logits, subject = (np.concatenate([part[key] for part in parts]) for key in ("labels", "logits", "subjects"))
    return subject_confusions(true, logits.argmax(axis=1), subject, len(labels))


def compared(
    own: NDArray[np.int64], default: NDArray[np.int64], labels: tuple[str, ...]
) -> dict[str, dict[str, float | None]]:
    """Macro-F1 of all classes and of groups, and its difference to the default's with an interval over subjects.

    Args:
        own: counts ``[seed, subject, true, predicted]`` of a change.
        default: those of the default recipe.
        labels: names of the classes.
    """
    return {
        group: _difference(own, default, [labels.index(label) for label in of])
        for group, of in {"all": labels, **CLASSES_OF}.items()
        if set(of) <= set(labels)
    }


def _difference(own: NDArray[np.int64], default: NDArray[np.int64], classes: list[int]) -> dict[str, float | None]:
    def mean_f1(of: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(np.nanmean(f1_by_class(of)[..., classes], axis=-1))

    score, rival = (float(mean_f1(each.sum(axis=1)).mean()) for each in (own, default))
    interval = seeds_interval(own, default, statistic=mean_f1)
    low, high = (None, None) if interval is None else (round(100 * interval.low, 2), round(100 * interval.high, 2))
    points = round(100 * (score - rival), 2)
    return {"macro_f1": round(score, 4), "minus_default": points, "low": low, "high": high}


if __name__ == "__main__":
    main()
