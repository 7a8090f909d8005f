"""``deseptr train`` as a function: recordings in, a run folder out."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deseptr.contract import DataError, ModelContract, ModelError, SetupError
from deseptr.data import Dataset, Split, Windows, cut_windows, subject_split

from .classifier import WindowClassifier
from .config import TrainConfig
from .fit import Reporter, Stage, fit, score_classifier, write_history
from .front_end import DftSpectrogram
from .models import DeSepTr, ResNet18
from .objective import Augmentation, DistillationObjective, SupervisedObjective
from .run_folder import RunFolder, choose_calibration, load_checkpoint
from .statistics import full_scales, input_range, whitening_gain

_NOISE = 0.01
_USUAL_RATES_HZ = (10.0, 12.5, 20.0, 25.0, 26.0, 31.25, 40.0, 50.0, 52.0, 64.0, 100.0, 104.0, 125.0, 200.0, 208.0)
_PACKAGES = ("deseptr", "keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class TrainingData:
    """The windows of the three parts of a subject-wise split."""

    training: Windows
    validation: Windows
    test: Windows
    split: Split


def train(
    dataset: Dataset,
    run: Path,
    config: TrainConfig,
    *,
    reporter: Reporter,
    test_subjects: tuple[str, ...] | None = None,
    teacher_run: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train a teacher, distil a student, evaluate both on held-out subjects and leave everything in ``run``.

    Interrupted at any moment, ``run`` holds the best student so far with its contract and calibration windows, if there
    was one yet, and ``resume`` goes on from the last whole epoch.

    Args:
        dataset: labelled recordings of at least three subjects.
        run: folder to write.
        config: settings.
        reporter: who is told.
        test_subjects: whom to hold out; by default the dataset's own choice, else a quarter.
        teacher_run: run folder whose teacher to take instead of training one.
        resume: go on with what is in ``run``.
        overwrite: begin anew where ``run`` holds a run.

    Returns:
        What ``metrics.json`` says.

    Raises:
        DataError: if the data cannot be split or a class has no window in a part that needs it.
        ModelError: if the teacher does not fit, or the run to resume is of other settings.
        SetupError: if ``run`` is in use and neither ``resume`` nor ``overwrite`` is given.
    """
    began = time.perf_counter()
    folder = RunFolder(run)
    _check_run(folder, config, resume, overwrite)
    if resume and folder.metrics.exists():
        return read_metrics(folder)
    data = prepare(dataset, config, test_subjects)
    _open_run(folder, config, overwrite)
    teacher_source = RunFolder(teacher_run) if teacher_run else folder
    contract = _contract(dataset, data, config, teacher_source if teacher_run else None)
    _check_same_data(folder, contract)
    contract.save(folder.contract)
    choose_calibration(data.training, data.test, config.seed).save(folder.calibration)

    front_end = DftSpectrogram(contract.stft, contract.input_range, _gain(data, contract, teacher_source))
    history: list[dict[str, Any]] = []
    if teacher_run is None:
        history = _train_teacher(folder, front_end, data, config, reporter)
    teacher = load_checkpoint(teacher_source.teacher, contract)
    history = _train_student(folder, front_end, teacher, data, config, reporter, history)

    metrics = {
        "dataset": dataset.name,
        "subjects": {part: list(getattr(data.split, part)) for part in ("train", "validation", "test")},
        "windows": {part: len(getattr(data, part)) for part in ("training", "validation", "test")},
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "epochs": {stage: sum(r["stage"] == stage for r in history) for stage in ("teacher", "student")},
        "student": _measure(load_checkpoint(folder.model, contract), data.test),
        "teacher": _measure(teacher, data.test),
        "machine": {"platform": platform.platform(), "python": platform.python_version()},
        "versions": dict(contract.versions),
    }
    folder.write_metrics(metrics)
    shutil.rmtree(folder.path / "state", ignore_errors=True)
    return metrics


def prepare(dataset: Dataset, config: TrainConfig, test_subjects: tuple[str, ...] | None = None) -> TrainingData:
    """Split by subject and cut windows.

    Raises:
        DataError: if the split is impossible, or a class has no window to learn from, or a part has none at all.
    """
    split = subject_split(dataset, test_subjects=test_subjects, validation=config.validation, seed=config.seed)
    rate = nominal_rate(dataset)
    windows = cut_windows(
        dataset,
        window_length=config.window_length(rate),
        hop_length=config.hop_length(rate),
        rate_hz=rate,
    )
    parts = [windows.of_subjects(subjects) for subjects in (split.train, split.validation, split.test)]
    parts[0].check_classes(f"{dataset.name}: training windows")
    for name, part in zip(("validation", "test"), parts[1:], strict=True):
        if not len(part):
            raise DataError(
                f"{dataset.name}: {name} windows",
                found=f"none from subjects {', '.join(getattr(split, name))}",
                expected=f"labelled runs of at least {config.window_s} s",
                next_step="hold out other subjects or shorten the window",
            )
    return TrainingData(parts[0], parts[1], parts[2], split)


def nominal_rate(dataset: Dataset) -> float:
    """The rate a dataset's windows are cut at: the recordings' median, or a usual rate within 2 % of it.

    A clock that is off by a little gives every recording a measured rate of its own; the sensor on the wearable is
    configured to a nominal one.
    """
    median = float(np.median([recording.rate_hz for recording in dataset.recordings]))
    nearest = min(_USUAL_RATES_HZ, key=lambda rate: abs(rate - median))
    return nearest if abs(median - nearest) <= 0.02 * nearest else median


def _check_run(folder: RunFolder, config: TrainConfig, resume: bool, overwrite: bool) -> None:
    if not folder.path.exists():
        return
    if not folder.path.is_dir() or (not folder.config.exists() and any(folder.path.iterdir())):
        raise SetupError(
            folder.path, found="files of something else", expected="a new folder", next_step="choose another -o"
        )
    if folder.config.exists() and not overwrite:
        if not resume:
            raise SetupError(
                folder.path,
                found="a run",
                expected="a new folder",
                next_step="add --resume to go on with it, --overwrite to begin anew, or choose another -o",
            )
        _check_same(folder, config)


def _open_run(folder: RunFolder, config: TrainConfig, overwrite: bool) -> None:
    """Begin to write; nothing of an old run is lost before the new one is known to be possible."""
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
                next_step="resume with the same options, or begin anew with --overwrite",
            )


def _check_same_data(folder: RunFolder, contract: ModelContract) -> None:
    if not folder.contract.exists():
        return
    before = ModelContract.load(folder.contract)
    for name in ModelContract.__dataclass_fields__:
        if name != "versions" and getattr(before, name) != getattr(contract, name):
            raise ModelError(
                f"{folder.contract}: {name}",
                found=f"{getattr(contract, name)} from this data",
                expected=f"{getattr(before, name)}, as when the run began",
                next_step="resume with the same data and subjects, or begin anew with --overwrite",
            )


def _seed(seed: int) -> None:
    """Start a stage from the seed alone, whatever was drawn before it: a resumed run skips what it has."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _contract(dataset: Dataset, data: TrainingData, config: TrainConfig, teacher: RunFolder | None) -> ModelContract:
    rate = nominal_rate(dataset)
    acc_full_scale, gyro_full_scale = full_scales(data.training.signals)
    contract = ModelContract(
        labels=data.training.label_names,
        rate_hz=rate,
        window_length=config.window_length(rate),
        hop_length=config.hop_length(rate),
        input_range=input_range(data.training.signals),
        acc_full_scale_g=acc_full_scale,
        gyro_full_scale_dps=gyro_full_scale,
        stft=config.stft(rate),
        model=config.model_name,
        versions=_versions(),
    )
    return contract if teacher is None else _as_teacher(contract, teacher)


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _as_teacher(contract: ModelContract, teacher: RunFolder) -> ModelContract:
    """The contract with the teacher's input range, or an error where the two cannot share a front end."""
    other = ModelContract.load(teacher.contract)
    for name in ("labels", "rate_hz", "window_length", "channels", "units", "stft"):
        if getattr(other, name) != getattr(contract, name):
            raise ModelError(
                f"{teacher.path}: {name} of the teacher",
                found=getattr(other, name),
                expected=f"{getattr(contract, name)}, as this run's",
                next_step="take a teacher of the same data and window, or train one by leaving --teacher out",
            )
    fields = {name: getattr(contract, name) for name in ModelContract.__dataclass_fields__}
    return ModelContract(**{**fields, "input_range": other.input_range})


def _gain(data: TrainingData, contract: ModelContract, teacher: RunFolder) -> tuple[float, ...]:
    """The teacher's whitening where there is a teacher, since both must see the same spectrogram."""
    if teacher.teacher.exists():
        return tuple(load_checkpoint(teacher.teacher, contract).front_end.gain)
    return whitening_gain(data.training.signals, contract.stft, contract.input_range)


def _augmentation(front_end: DftSpectrogram) -> Augmentation:
    return Augmentation(front_end, [_NOISE * value for value in front_end.input_range])


def _train_teacher(
    folder: RunFolder, front_end: DftSpectrogram, data: TrainingData, config: TrainConfig, reporter: Reporter
) -> list[dict[str, Any]]:
    _seed(config.seed)
    classifier = WindowClassifier(front_end, ResNet18(len(data.training.label_names), config.teacher_width))
    objective = SupervisedObjective(classifier, _augmentation(front_end), config.label_smoothing)
    return fit(
        objective,
        data.training,
        data.validation,
        _stage("teacher", config, config.teacher_epochs, config.teacher_learning_rate),
        best_path=folder.teacher,
        state_folder=folder.state("teacher"),
        reporter=reporter,
        keep=lambda rows: write_history(rows, folder.history),
    )


def _train_student(
    folder: RunFolder,
    front_end: DftSpectrogram,
    teacher: WindowClassifier,
    data: TrainingData,
    config: TrainConfig,
    reporter: Reporter,
    before: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    _seed(config.seed)
    student = build_student(front_end, teacher, data.training, config)
    objective = DistillationObjective(
        student,
        teacher,
        _augmentation(front_end),
        distillation=config.distillation,
        temperature=config.temperature,
        label_smoothing=config.label_smoothing,
    )
    return before + fit(
        objective,
        data.training,
        data.validation,
        _stage("student", config, config.student_epochs, config.student_learning_rate),
        best_path=folder.model,
        state_folder=folder.state("student"),
        reporter=reporter,
        keep=lambda rows: write_history(before + rows, folder.history),
    )


def build_student(
    front_end: DftSpectrogram, teacher: WindowClassifier, training: Windows, config: TrainConfig
) -> WindowClassifier:
    """A student on the teacher's stem: the same layer with the same weights, tuned on with the rest."""
    network = DeSepTr(
        len(training.label_names),
        dim=config.dim,
        heads=config.heads,
        depth=config.depth,
        stem_filters=teacher.network.stem.filters,
    )
    student = WindowClassifier(front_end, network, config.prediction)
    student.build((None, *training.signals.shape[1:]))
    network.stem.set_weights(teacher.network.stem.get_weights())
    return student


def _stage(name: str, config: TrainConfig, epochs: int, learning_rate: float) -> Stage:
    return Stage(name, epochs, learning_rate, config.batch_size, config.weight_decay, config.warmup, config.seed)


def _measure(classifier: WindowClassifier, windows: Windows) -> dict[str, Any]:
    return {
        "model": classifier.network.name,
        "parameters": int(classifier.network.count_params()),
        **score_classifier(classifier, windows).to_dict(),
    }


def read_metrics(folder: RunFolder) -> dict[str, Any]:
    """Read ``metrics.json`` of a run.

    Raises:
        ModelError: if there is none.
    """
    try:
        content: dict[str, Any] = json.loads(folder.metrics.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            folder.metrics, found="no metrics", expected="a finished run", next_step="finish it with --resume"
        ) from error
    return content
