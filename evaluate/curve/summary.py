"""Summary of a curve of few labels: macro-F1 of each arm at each number of labelled wearers, and differences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import accuracy, macro_f1, seeds_interval, subject_confusions
from deseptr.data import FoldProtocol
from deseptr.evaluate.crossval_summary import commits_of, versions_of
from deseptr.evaluate.fold_job import FoldResult
from deseptr.evaluate.mean_and_std import mean_and_std
from deseptr.train.config import TrainConfig

from .arms import ALONE, ARMS, CNN_HAR, SELF_TRAINED, TAUGHT, Arm

VARIED = ("labelled_subjects", "seed")
CONTRASTS = ((TAUGHT, ALONE), (SELF_TRAINED, TAUGHT), (SELF_TRAINED, ALONE), (TAUGHT, CNN_HAR), (SELF_TRAINED, CNN_HAR))


class Cell(NamedTuple):
    """All folds of an arm with a number of labelled wearers, 0 for all, and a seed."""

    labelled: int
    arm: Arm
    seed: int


Results = Mapping[Cell, Sequence[FoldResult]]
Confusions = Mapping[int, NDArray[np.int64]]


def summarise(
    results: Results, protocol: FoldProtocol, config: TrainConfig, dataset: str, command: str = ""
) -> dict[str, Any]:
    """Figures of the seeds that have finished all folds, as plain JSON values; empty if there is none.

    Args:
        results: finished folds of each cell that was asked for.
        protocol: the folds.
        config: settings of the student.
        dataset: name of the dataset.
        command: command line to record.
    """
    every = [result for of_cell in results.values() for result in of_cell]
    points: dict[tuple[int, Arm], dict[int, Sequence[FoldResult]]] = {}
    for cell, of_cell in results.items():
        if len(of_cell) == len(protocol.folds):
            points.setdefault((cell.labelled, cell.arm), {})[cell.seed] = of_cell
    if not points:
        return {}
    confusions = {key: {seed: _confusions(folds) for seed, folds in seeds.items()} for key, seeds in points.items()}
    settings = {name: value for name, value in asdict(config).items() if name not in VARIED}
    return {
        "command": command,
        "dataset": dataset,
        "data": every[0].job.data,
        "protocol": protocol.to_dict(),
        "finished": len(every),
        "wanted": len(results) * len(protocol.folds),
        "arms": {arm.name: arm.title for arm in ARMS},
        "points": [_point(labelled, arm, seeds, confusions) for (labelled, arm), seeds in points.items()],
        "differences": _differences(confusions),
        "minutes": round(sum(result.figures["minutes"] for result in every), 2),
        "config": json.loads(json.dumps(settings)),
        "versions": versions_of(every),
        "commits": commits_of(every),
        "machine": every[0].figures["machine"],
    }


def _point(
    labelled: int, arm: Arm, seeds: Mapping[int, Sequence[FoldResult]], confusions: Mapping[tuple[int, Arm], Confusions]
) -> dict[str, Any]:
    counts = confusions[labelled, arm]
    whole = np.stack([counts[seed] for seed in sorted(counts)])
    folds = [np.mean([fold.figures["float"]["macro_f1"] for fold in seeds[seed]]) for seed in sorted(seeds)]
    of_all = next(iter(seeds.values()))
    first = of_all[0].figures
    people = [len(fold.figures["subjects"].get("labelled", fold.figures["subjects"]["train"])) for fold in of_all]
    return {
        "labelled": labelled or "all",
        "wearers": float(np.mean(people)),
        "arm": arm.name,
        "model": first["model"],
        "parameters": first["parameters"],
        "macs": first.get("macs"),
        "seeds": sorted(counts),
        "macro_f1": _over_seeds(macro_f1(whole.sum(axis=1)), seeds_interval(whole)),
        "accuracy": _over_seeds(accuracy(whole.sum(axis=1))),
        "over_folds": _over_seeds(folds),
        "labelled_subjects": {
            str(seed): {f.job.fold.name: f.figures["subjects"].get("labelled") for f in folds}
            for seed, folds in seeds.items()
        },
    }


def _differences(confusions: Mapping[tuple[int, Arm], Confusions]) -> list[dict[str, Any]]:
    found = []
    for labelled in dict.fromkeys(labelled for labelled, _ in confusions):
        for arm, other in CONTRASTS:
            one, two = confusions.get((labelled, arm), {}), confusions.get((labelled, other), {})
            seeds = sorted(one.keys() & two.keys())
            if not seeds:
                continue
            first, second = (np.stack([counts[seed] for seed in seeds]) for counts in (one, two))
            values = macro_f1(first.sum(axis=1)) - macro_f1(second.sum(axis=1))
            found.append(
                {
                    "labelled": labelled or "all",
                    "first": arm.name,
                    "second": other.name,
                    "seeds": seeds,
                    "macro_f1": _over_seeds(values, seeds_interval(first, second)),
                }
            )
    return found


def _over_seeds(values: Sequence[Any] | NDArray[np.float64], interval: Any = None) -> dict[str, Any]:
    numbers = [float(value) for value in values]
    between = {"interval": interval._asdict()} if interval else {"interval": None}
    return {**mean_and_std(numbers), "per_seed": numbers, **between}


def _confusions(folds: Sequence[FoldResult]) -> NDArray[np.int64]:
    """Counts ``[subject, true, predicted]`` of the test subjects of all folds, in the order of the folds."""
    return np.concatenate([_of_fold(fold) for fold in folds])


def _of_fold(fold: FoldResult) -> NDArray[np.int64]:
    truth = fold.predictions
    return subject_confusions(truth.labels, truth.logits.argmax(1), truth.subjects, len(truth.label_names))
