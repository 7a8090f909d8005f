"""The folder a training run leaves behind, and how to read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, ModelError, atomic_path, atomic_write
from deseptr.data import Windows

CALIBRATION_WINDOWS = 512
HELD_OUT_WINDOWS = 4096


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run folder."""

    path: Path

    @property
    def model(self) -> Path:
        """The student's best checkpoint."""
        return self.path / "model.keras"

    @property
    def teacher(self) -> Path:
        """The teacher's best checkpoint."""
        return self.path / "teacher.keras"

    @property
    def contract(self) -> Path:
        """The contract of both."""
        return self.path / "contract.json"

    @property
    def calibration(self) -> Path:
        """Windows that quantization and its proof need."""
        return self.path / "calibration.npz"

    @property
    def metrics(self) -> Path:
        """What was measured."""
        return self.path / "metrics.json"

    @property
    def history(self) -> Path:
        """A line for each epoch."""
        return self.path / "history.csv"

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.json"

    def state(self, stage: str) -> Path:
        """Where a stage keeps its last epoch until the run is complete."""
        return self.path / "state" / stage

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write ``metrics.json``."""
        atomic_write(self.metrics, json.dumps(metrics, indent=2) + "\n")


@dataclass(frozen=True)
class Calibration:
    """Windows that travel with a run.

    Args:
        windows: ``[n, window_length, channels]`` training windows, balanced over the classes, for activation ranges.
        held_out_windows: ``[m, window_length, channels]`` windows of subjects the model has not seen, for the proof
            that the int8 model is the same model.
        held_out_labels: ``[m]`` their true classes.
        held_out_subjects: ``[m]`` their subjects.
    """

    windows: NDArray[np.float32]
    held_out_windows: NDArray[np.float32]
    held_out_labels: NDArray[np.int64]
    held_out_subjects: NDArray[np.str_]

    def save(self, path: Path) -> None:
        """Write a compressed ``.npz``."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing or not such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        except Exception as error:  # zipfile, zlib and numpy each have their own for a broken archive
            raise ModelError(
                path,
                found=f"no calibration windows ({error})",
                expected="what `deseptr train` writes beside a checkpoint",
                next_step="convert a run folder that has one, or train again",
            ) from error


def choose_calibration(training: Windows, held_out: Windows, seed: int) -> Calibration:
    """Draw calibration windows evenly from the classes, and held-out windows evenly from all there are."""
    rng = np.random.default_rng(seed)
    share = max(1, CALIBRATION_WINDOWS // len(training.label_names))
    drawn = [
        rng.permutation(np.flatnonzero(training.labels == index))[:share] for index in range(len(training.label_names))
    ]
    kept = held_out.take(_evenly(len(held_out), HELD_OUT_WINDOWS))
    return Calibration(training.signals[np.concatenate(drawn)], kept.signals, kept.labels, kept.subjects)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def load_checkpoint(path: Path, contract: ModelContract) -> Any:
    """Load a ``.keras`` checkpoint and check it against its contract.

    Raises:
        ModelError: if the file is missing, no checkpoint, or its shapes or weights contradict the contract.
    """
    import keras

    from .classifier import WindowClassifier

    if not path.is_file():
        raise ModelError(path, found="no file", expected="a .keras checkpoint", next_step="run `deseptr train` first")
    try:
        classifier = keras.saving.load_model(path, compile=False)
    except Exception as error:  # keras, h5py, zipfile and json each raise their own
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            path,
            found=f"an unreadable checkpoint ({reason[0][:120]})",
            expected="a .keras file of `deseptr train`",
            next_step="train again",
        ) from error
    if not isinstance(classifier, WindowClassifier):
        raise ModelError(
            path, found=type(classifier).__name__, expected="a WindowClassifier", next_step="train with `deseptr train`"
        )
    _check_model(classifier, contract, path)
    return classifier


def _check_model(classifier: Any, contract: ModelContract, path: Path) -> None:
    for weight in classifier.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ModelError(
                f"{path}: {weight.path}", found="NaN or infinity", expected="finite weights", next_step="train again"
            )
    expected = (1, len(contract.labels))
    try:
        shape = tuple(classifier(np.zeros((1, contract.window_length, len(contract.channels)), "float32")).shape)
    except (ValueError, TypeError) as error:
        raise ModelError(
            path,
            found=f"a model that takes no {contract.window_length} × {len(contract.channels)} window",
            expected="the contract's window",
            next_step="put the contract of this checkpoint beside it",
        ) from error
    if shape != expected:
        raise ModelError(
            path,
            found=f"output {shape}",
            expected=f"{expected}, one logit a label of the contract",
            next_step="put the contract of this checkpoint beside it",
        )


def load_run(path: Path) -> tuple[Any, ModelContract]:
    """Load a run folder's student, or a ``.keras`` file with ``contract.json`` beside it, and its contract.

    Raises:
        ModelError: if either is missing or unreadable or they contradict each other.
    """
    folder = RunFolder(path if path.is_dir() else path.parent)
    if not path.exists():
        raise ModelError(
            path, found="no such folder or file", expected="a run of `deseptr train`", next_step="check the path"
        )
    contract = ModelContract.load(folder.contract)
    return load_checkpoint(folder.model if path.is_dir() else path, contract), contract
