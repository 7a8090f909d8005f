"""The confusion of the lab's best cell and of its teachers, with the windows that they confused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deseptr.data import Dataset
from deseptr.evaluate.confused_windows import ALL_EXAMPLES, Confused
from deseptr.evaluate.finished_run import Setting
from deseptr.evaluate.run_windows import confused_by, recut_windows
from deseptr.train.predictions import Predictions

from .grid import Cell


class CellConfusion(NamedTuple):
    """A confusion matrix of the lab.

    Args:
        name: of the cell, or ``teacher``.
        counts: ``[true][given]`` windows, all seeds pooled.
        confused: the windows behind it.
    """

    name: str
    counts: list[list[int]]
    confused: Confused | None


def best_row(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a cell with the highest macro-F1 in float, at the head that the students are read at."""
    rows = [row for row in summary["rows"] if row["distillation"] and row["kind"] == "float"]
    read: list[dict[str, Any]] = [row for row in rows if row["head"] == summary["head"]]
    return max(read, key=lambda row: float(row["macro_f1"]["mean"]))


def confused_cells(summary: Mapping[str, Any], out: Path, dataset: Dataset) -> list[CellConfusion]:
    """The best cell and, if there are any, the teachers.

    Args:
        summary: content of ``lab.json``.
        out: folder of the lab.
        dataset: its recordings.

    Raises:
        ModelError: if predictions are missing.
        DataError: if the recordings are others.
    """
    best = best_row(summary)
    cell = Cell(best["distillation"], best["stem"], best["temperature"])
    folders = {f"{cell.method} {cell.stem}, {best['head']} head": (cell.folder, best["seeds"])}
    teachers = [row["seeds"] for row in summary["rows"] if row["distillation"] is None]
    if teachers:
        folders["teacher"] = ("teacher", teachers[0])
    return [_pooled(name, *where, summary, out, dataset) for name, where in folders.items()]


def _pooled(
    name: str, folder: str, seeds: Sequence[int], summary: Mapping[str, Any], out: Path, dataset: Dataset
) -> CellConfusion:
    found = [Predictions.load(out / f"seed-{seed}" / folder / "predictions.npz") for seed in seeds]
    setting = _setting(summary, found[0])
    origin = recut_windows(setting, dataset)
    counts = np.sum([each.scores("float").confusion for each in found], axis=0)
    return CellConfusion(
        name, counts.tolist(), confused_by(found, "float", setting.window_s, origin, ALL_EXAMPLES // 2)
    )


def _setting(summary: Mapping[str, Any], predictions: Predictions) -> Setting:
    protocol = summary["protocol"]
    labels = tuple(protocol["labels"])
    return Setting(
        dataset=summary["dataset"],
        data=summary["data"],
        protocol=protocol["name"],
        folds=tuple((fold["name"], tuple(fold["test_subjects"])) for fold in protocol["folds"]),
        subjects=(),
        window_s=protocol["window_s"],
        overlap=protocol["overlap"],
        labels=labels,
        windows=tuple(np.bincount(predictions.labels, minlength=len(labels)).tolist()),
    )
