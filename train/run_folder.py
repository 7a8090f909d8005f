"""The folder that a training run writes: its files and how to read them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, SetupError, atomic_write, read_json
from deseptr.data import Windows

from .array_file import ArrayFile
from .config import FEATURE_MODELS, TrainConfig
from .models.registry import MODELS

CALIBRATION_WINDOWS = 512
HELD_OUT_WINDOWS = 4096


@dataclass(frozen=True)
class RunFolder:
    """Paths of the files of a run folder."""

    path: Path

    @property
    def model(self) -> Path:
        """The best checkpoint of the run's model; the student's if there is a teacher."""
        return self.path / "model.keras"

    @property
    def forest(self) -> Path:
        """The run's model if it is a random forest, instead of a checkpoint."""
        return self.path / "model.npz"

    @property
    def holds_forest(self) -> bool:
        """Whether the settings name a random forest; other files of the folder do not count.

        Raises:
            ModelError: if the settings cannot be read.
        """
        return self.config.exists() and TrainConfig.model_name(self.config) in FEATURE_MODELS

    @property
    def trained_model(self) -> Path:
        """The run's model of the kind that the settings name, a checkpoint if there are no settings.

        Raises:
            ModelError: if the settings cannot be read.
        """
        return self.forest if self.holds_forest else self.model

    @property
    def teacher(self) -> Path:
        """The teacher's best checkpoint."""
        return self.path / "teacher.keras"

    def teacher_of(self, member: str, members: Sequence[str]) -> Path:
        """The checkpoint of one of the models that teach; a single teacher has no name of its own."""
        return self.teacher if len(members) == 1 else self.path / f"teacher-{member}.keras"

    def lent_teachers(self) -> dict[str, Path]:
        """Teachers for another run by name: this run's teachers, or its model if that has no teacher.

        Raises:
            ModelError: if the folder has no settings.
        """
        config = TrainConfig.load(self.config)
        family = MODELS[config.model]
        if not family.distilled:
            return {family.name(config): self.model}
        return {MODELS[name].name(config): self.teacher_of(name, config.members) for name in config.members}

    @property
    def contract(self) -> Path:
        """The contract of the model and its teacher."""
        return self.path / "contract.json"

    @property
    def calibration(self) -> Path:
        """Windows for calibrating and verifying quantized models."""
        return self.path / "calibration.npz"

    @property
    def predictions(self) -> Path:
        """Logits of the run's model on the held-out windows."""
        return self.path / "predictions.npz"

    @property
    def teacher_predictions(self) -> Path:
        """Logits of the teacher on the held-out windows."""
        return self.path / "teacher_predictions.npz"

    @property
    def metrics(self) -> Path:
        """The metrics."""
        return self.path / "metrics.json"

    @property
    def history(self) -> Path:
        """The history, one row per epoch."""
        return self.path / "history.csv"

    @property
    def labelled(self) -> Path:
        """Whose labels and whose unlabelled windows are learned from, if not the labels of all training subjects."""
        return self.path / "labelled.json"

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.json"

    def state(self, stage: str) -> Path:
        """Folder of a stage's last complete epoch, until the run is finished."""
        return self.path / "state" / stage

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write ``metrics.json``."""
        atomic_write(self.metrics, json.dumps(metrics, indent=2) + "\n")


@dataclass(frozen=True)
class CalibrationWindows(ArrayFile):
    """Windows for quantization, saved with a run.

    Args:
        windows: ``[n, history + window_length, channels]`` training windows for activation ranges; every prefix is
            balanced over the classes.
        held_out_windows: ``[m, history + window_length, channels]`` windows of subjects the model has not seen, for
            verifying the quantized model.
        held_out_labels: ``[m]`` their true classes.
        held_out_subjects: ``[m]`` their subjects.
    """

    KIND = "calibration windows"
    EXPECTED = "the file that `deseptr train` writes beside a checkpoint"
    NEXT_STEP = "convert with --data RECORDINGS, or train again"

    windows: NDArray[np.float32]
    held_out_windows: NDArray[np.float32]
    held_out_labels: NDArray[np.int64]
    held_out_subjects: NDArray[np.str_]


def choose_calibration(training: Windows, held_out: Windows, seed: int) -> CalibrationWindows:
    """Draw calibration windows evenly from the classes, and held-out windows evenly from all there are.

    Calibration windows alternate between the classes, and within a class between the subjects, so that any prefix can
    be used as a smaller set.
    """
    share = max(1, CALIBRATION_WINDOWS // len(training.label_names))
    kept = held_out.take(evenly(len(held_out), HELD_OUT_WINDOWS))
    drawn = _in_turns(training, share, np.random.default_rng(seed))
    return CalibrationWindows(training.signals[drawn], kept.signals, kept.labels, kept.subjects)


def _in_turns(windows: Windows, share: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Window indices, at most ``share`` per class; every prefix is balanced over classes and subjects."""
    drawn = rng.permutation(len(windows))
    names, subjects = np.unique(windows.subjects[drawn], return_inverse=True)
    subjects, labels = rng.permutation(len(names))[subjects], windows.labels[drawn]
    turns = _turns(labels * len(names) + subjects)
    order = np.lexsort((subjects, turns, labels))
    turns, drawn, labels = _turns(labels[order]), drawn[order], labels[order]
    return drawn[np.lexsort((labels, turns))][: int((turns < share).sum())]


def _turns(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank of each element within its group, in order of occurrence."""
    order = np.argsort(groups, kind="stable")
    _, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    turns = np.empty(len(groups), np.int64)
    turns[order] = np.arange(len(groups)) - np.repeat(first, counts)
    return turns


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most ``most`` evenly spaced indices below ``count``, including the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def check_run(folder: RunFolder, config: TrainConfig, resume: bool, overwrite: bool) -> None:
    """Refuse a folder with other files, or with a run if neither ``resume`` nor ``overwrite`` is set.

    Raises:
        SetupError: if the folder is in use.
        ModelError: if the run to resume has other settings.
    """
    if not folder.path.exists():
        return
    if not folder.path.is_dir() or (not folder.config.exists() and any(folder.path.iterdir())):
        raise SetupError(folder.path, found="other files", expected="a new folder", next_step="choose another -o")
    if folder.config.exists() and not overwrite:
        if not resume:
            raise SetupError(
                folder.path,
                found="a run",
                expected="a new folder",
                next_step="add --resume to continue it, --overwrite to start again, or choose another -o",
            )
        _check_same(folder, config)


def open_run(folder: RunFolder, config: TrainConfig, overwrite: bool) -> None:
    """Prepare the folder for writing; an old run is removed only now, when the new one is known to be possible."""
    if overwrite and folder.config.exists():
        shutil.rmtree(folder.path)
    config.save(folder.config)


def _check_same(folder: RunFolder, config: TrainConfig) -> None:
    before = TrainConfig.load(folder.config)
    for name in TrainConfig.__dataclass_fields__:
        if getattr(before, name) != getattr(config, name):
            raise ModelError(
                f"{folder.config}: {name}",
                found=getattr(config, name),
                expected=f"{getattr(before, name)}, as when the run began",
                next_step="resume with the same options, or start again with --overwrite",
            )


def read_metrics(folder: RunFolder) -> dict[str, Any]:
    """Read ``metrics.json`` of a run.

    Raises:
        ModelError: if there is none.
    """
    try:
        content: dict[str, Any] = dict(read_json(folder.metrics))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            folder.metrics, found="no metrics", expected="a finished run", next_step="finish it with --resume"
        ) from error
    return content
