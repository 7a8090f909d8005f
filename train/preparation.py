"""Recordings to training data: windows of three groups of subjects, and the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from deseptr.contract import DataError, HeldOut, InputViews, ModelContract, ModelError, sensors_of, units_of
from deseptr.data import Dataset, Split, Windows, cut_windows
from deseptr.data.run_peaks import run_peaks

from .config import TrainConfig
from .few_labels import FewLabels, few_labels
from .full_scale import choose_full_scales, parse_full_scale
from .models.registry import MODELS
from .mounting_reference import mounting_reference
from .provenance import package_versions
from .recordings_check import check_recordings, nominal_rate
from .run_folder import RunFolder
from .window_statistics import input_range

_SHARED_WITH_TEACHER = {"labels", "rate_hz", "window_length", "channels", "units", "stft", "views"}
_VIEWS = InputViews()
# Do not change what is learned, and runs of earlier versions have others.
_MAY_DIFFER = {"versions", "acc_full_scale_g", "gyro_full_scale_dps", "mag_full_scale_ut"}
_OF_LATER_VERSIONS = {"held_out", "mounting"}
_PACKAGES = ("deseptr", "keras", "tensorflow", "numpy")


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
        ModelError: if the window is too short for the model.
        SetupError: if there are recordings without labels, and the settings use none.
    """
    split, rate = check_recordings(dataset, config, test_subjects)
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


def make_contract(
    dataset: Dataset, data: TrainingData, config: TrainConfig, teachers: Sequence[RunFolder]
) -> ModelContract:
    """The contract of a run; with given teachers, on their front end.

    Raises:
        ModelError: if a teacher cannot be used.
    """
    rate = nominal_rate(dataset)
    own = data.training.own_signals
    scales = choose_full_scales(
        run_peaks(dataset, data.split.train), parse_full_scale(config.full_scale), sensors_of(dataset.channels)
    )
    contract = ModelContract(
        labels=data.training.label_names,
        rate_hz=rate,
        window_length=config.window_length(rate),
        hop_length=config.hop_length(rate),
        channels=dataset.channels,
        units=units_of(dataset.channels),
        input_range=input_range(own),
        acc_full_scale_g=scales.acc_g,
        gyro_full_scale_dps=scales.gyro_dps,
        mag_full_scale_ut=scales.mag_ut,
        stft=config.stft(rate),
        model=MODELS[config.model].name(config),
        versions=package_versions(_PACKAGES),
        views=_VIEWS if config.views else None,
        held_out=_held_out(data),
        mounting=mounting_reference(data.training),
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
        if name not in _MAY_DIFFER and not (name in _OF_LATER_VERSIONS and getattr(before, name) is None):
            raise ModelError(
                f"{folder.contract}: {name}",
                found=f"{getattr(contract, name)} from this data",
                expected=f"{getattr(before, name)}, as when the run began",
                next_step="resume with the same data and subjects, or start again with --overwrite",
            )
