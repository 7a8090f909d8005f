"""Recordings to training data: windows of three groups of subjects, and the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from deseptr.contract import DataError, HeldOut, InputViews, ModelContract, ModelError
from deseptr.data import Dataset, Split, Windows, cut_windows, subject_split

from .config import TrainConfig
from .few_labels import FewLabels, few_labels
from .models.registry import MODELS
from .provenance import package_versions
from .run_folder import RunFolder
from .window_statistics import full_scales, input_range

_SHARED_WITH_TEACHER = {"labels", "rate_hz", "window_length", "channels", "units", "stft", "views"}
_VIEWS = InputViews()
# Do not change what is learned, and runs of earlier versions have others.
_MAY_DIFFER = {"versions", "acc_full_scale_g", "gyro_full_scale_dps"}
_PACKAGES = ("deseptr", "keras", "tensorflow", "numpy")
_USUAL_RATES_HZ = (10.0, 12.5, 20.0, 25.0, 26.0, 31.25, 40.0, 50.0, 52.0, 64.0, 100.0, 104.0, 125.0, 200.0, 208.0)


@dataclass(frozen=True)
class TrainingData:
    """Windows of the three parts of a subject-wise split, with the history that the model's views need."""

    training: Windows
    validation: Windows
    test: Windows
    split: Split
    margined: Windows
    """The training windows with samples around them, out of which augmentation cuts."""
    few: FewLabels | None = None
    """Whose labels are learned from and what without labels, if not all training subjects' labels and nothing else."""

    @property
    def epoch_windows(self) -> int:
        """Windows of an epoch: as if all training subjects had labels, so that fewer do not train for fewer steps."""
        return round(len(self.training) / self.few.share) if self.few else len(self.training)


def prepare(dataset: Dataset, config: TrainConfig, test_subjects: tuple[str, ...] | None = None) -> TrainingData:
    """Split by subject and cut windows.

    Raises:
        DataError: if the split is impossible, a class has no training window although all labels are used, or a part
            has no windows.
        SetupError: if there are recordings without labels, and the settings use none.
    """
    split = subject_split(dataset, test_subjects=test_subjects, validation=config.validation, seed=config.seed)
    rate = nominal_rate(dataset)
    cut: dict[str, Any] = {
        "window_length": config.window_length(rate),
        "hop_length": config.hop_length(rate),
        "rate_hz": rate,
        "history": _VIEWS.history if config.views else 0,
        "margin": config.shift_samples,
    }
    windows = cut_windows(dataset, **cut)
    few = few_labels(dataset, split, windows, config, cut)
    learned = few.labelled if few else split.train
    margined = windows.of_subjects(learned)
    windows = windows.without_margin(config.shift_samples)
    parts = [windows.of_subjects(subjects) for subjects in (learned, split.validation, split.test)]
    if not config.labelled_subjects:
        parts[0].check_classes(f"{dataset.name}: training windows")
    for name, part in zip(("validation", "test"), parts[1:], strict=True):
        if not len(part) and getattr(split, name):
            raise DataError(
                f"{dataset.name}: {name} windows",
                found=f"none from subjects {', '.join(getattr(split, name))}",
                expected=f"labelled runs of at least {config.window_s} s",
                next_step="hold out other subjects or shorten the window",
            )
    return TrainingData(parts[0], parts[1], parts[2], split, margined, few)


def nominal_rate(dataset: Dataset) -> float:
    """Sample rate at which a dataset is windowed: the median of the recordings, or a common rate within 2 % of it.

    Because of clock errors every recording has a slightly different measured rate; the sensor on the wearable is
    configured to a nominal one.
    """
    median = float(np.median([recording.rate_hz for recording in dataset.recordings]))
    nearest = min(_USUAL_RATES_HZ, key=lambda rate: abs(rate - median))
    return nearest if abs(median - nearest) <= 0.02 * nearest else median


def make_contract(
    dataset: Dataset, data: TrainingData, config: TrainConfig, teachers: Sequence[RunFolder]
) -> ModelContract:
    """The contract of a run; with given teachers, on their front end.

    Raises:
        ModelError: if the window is too short for the model, or a teacher cannot be used.
    """
    rate = nominal_rate(dataset)
    window_length = config.window_length(rate)
    shortest = MODELS[config.model].shortest_window
    if window_length < shortest:
        raise ModelError(
            f"window of {config.window_s:g} s",
            found=f"{window_length} samples at {rate:g} Hz",
            expected=f"at least {shortest} samples for the model {config.model}",
            next_step=f"choose a window of at least {shortest / rate:.2f} s",
        )
    own = data.training.own_signals
    acc_full_scale, gyro_full_scale = full_scales(own)
    contract = ModelContract(
        labels=data.training.label_names,
        rate_hz=rate,
        window_length=window_length,
        hop_length=config.hop_length(rate),
        input_range=input_range(own),
        acc_full_scale_g=acc_full_scale,
        gyro_full_scale_dps=gyro_full_scale,
        stft=config.stft(rate),
        model=MODELS[config.model].name(config),
        versions=package_versions(_PACKAGES),
        views=_VIEWS if config.views else None,
        held_out=_held_out(data),
    )
    for teacher in teachers:
        contract = _as_teacher(contract, teacher, fixed=teacher is not teachers[0])
    return contract


def _held_out(data: TrainingData) -> HeldOut:
    """The test subjects; the salt is of their signals, so that the same data gives the same contract."""
    return HeldOut.of(data.split.test, blake2b(data.test.own_signals.tobytes(), digest_size=16).digest())


def _as_teacher(contract: ModelContract, teacher: RunFolder, *, fixed: bool) -> ModelContract:
    """The contract with the teacher's input range, or an error if the two cannot share a front end.

    ``fixed`` is set if another teacher has decided the input range.
    """
    other = ModelContract.load(teacher.contract)
    for name in contract.differences(other):
        if name in _SHARED_WITH_TEACHER or (fixed and name == "input_range"):
            raise ModelError(
                f"{teacher.path}: {name} of the teacher",
                found=getattr(other, name),
                expected=f"{getattr(contract, name)}, as in this run",
                next_step="use a teacher with the same data and window, or train one by leaving --teacher out",
            )
    return replace(contract, input_range=other.input_range)


def check_same_data(folder: RunFolder, contract: ModelContract) -> None:
    """Refuse to resume a run on other data, which is detected by its contract.

    Raises:
        ModelError: if the run's contract differs from the contract of this data.
    """
    if not folder.contract.exists():
        return
    before = ModelContract.load(folder.contract)
    for name in contract.differences(before):
        if name not in _MAY_DIFFER and not (name == "held_out" and before.held_out is None):
            raise ModelError(
                f"{folder.contract}: {name}",
                found=f"{getattr(contract, name)} from this data",
                expected=f"{getattr(before, name)}, as when the run began",
                next_step="resume with the same data and subjects, or start again with --overwrite",
            )
