"""The confusion of the lab's best cell and teachers, from predictions written here by hand."""

from pathlib import Path
from typing import Any

import numpy as np

from deseptr.data import Dataset, Recording
from deseptr.evaluate.lab.confused_cells import confused_cells
from deseptr.train.predictions import Predictions

NAMES = ("sit", "walk")


def save(folder: Path, given: list[int]) -> None:
    folder.mkdir(parents=True)
    Predictions(
        logits=np.eye(2, dtype=np.float32)[given],
        int8_logits=np.empty((0, 2), np.float32),
        labels=np.array([0, 0, 1, 1]),
        subjects=np.array(["eve"] * 4),
        label_names=np.array(NAMES),
    ).save(folder / "predictions.npz")


def row(distillation: str | None, mean: float, seeds: list[int]) -> dict[str, Any]:
    cell = {"distillation": distillation, "stem": distillation and "own", "temperature": distillation and 2.0}
    head = "class" if distillation else None
    return {**cell, "head": head, "kind": "float", "seeds": seeds, "macro_f1": {"mean": mean}}


def test_seeds_are_pooled_for_the_best_cell_and_the_teachers(tmp_path: Path):
    labels = np.repeat(np.array([0, 1], np.int16), 40)
    signals = np.arange(80 * 6, dtype=np.float32).reshape(80, 6)
    dataset = Dataset(tuple(Recording(signals, 20.0, name, labels) for name in ("ada", "eve")), NAMES)
    save(tmp_path / "seed-0" / "soft-t2-own", [0, 0, 1, 0])
    save(tmp_path / "seed-3" / "soft-t2-own", [0, 1, 1, 0])
    save(tmp_path / "seed-0" / "teacher", [0, 0, 1, 1])
    summary: dict[str, Any] = {
        "dataset": "made",
        "data": "d",
        "head": "class",
        "rows": [row(None, 0.9, [0]), row("none", 0.5, [0, 3]), row("soft", 0.6, [0, 3])],
        "protocol": {
            "name": "held out",
            "folds": [{"name": "test", "test_subjects": ["eve"]}],
            "window_s": 1.0,
            "overlap": 0.0,
            "labels": list(NAMES),
        },
    }
    best, teacher = confused_cells(summary, tmp_path, dataset)
    assert (best.name, best.counts) == ("soft T=2 own, class head", [[3, 1], [2, 2]])
    assert best.confused is not None
    assert [(pair.true, pair.given, pair.windows, len(pair.examples)) for pair in best.confused.pairs] == [
        (1, 0, 2, 1),
        (0, 1, 1, 1),
    ]
    assert best.confused.pairs[0].examples[0].start_s == 3.0
    assert (teacher.name, teacher.counts) == ("teacher", [[2, 0], [0, 2]])
    summary["rows"] = summary["rows"][1:]
    assert [each.name for each in confused_cells(summary, tmp_path, dataset)] == ["soft T=2 own, class head"]
