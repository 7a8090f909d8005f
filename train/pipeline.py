"""``deseptr train`` as a function: recordings in, a run folder out."""

from __future__ import annotations

import platform
import shutil
import time
from pathlib import Path
from typing import Any

import keras

from deseptr.contract import ModelContract
from deseptr.data import Dataset, Windows

from .checkpoint import load_checkpoint
from .classifier import WindowClassifier
from .config import TrainConfig
from .fit import Reporter, Stage, fit, score_classifier, write_history
from .front_end import DftSpectrogram
from .models import DeSepTr, ResNet18
from .objective import Augmentation, DistillationObjective, SupervisedObjective
from .preparation import TrainingData, check_same_data, make_contract, prepare
from .run_folder import RunFolder, check_run, choose_calibration, open_run, read_metrics
from .statistics import whitening_gain

_NOISE = 0.01


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
    check_run(folder, config, resume, overwrite)
    if resume and folder.metrics.exists():
        return read_metrics(folder)
    data = prepare(dataset, config, test_subjects)
    open_run(folder, config, overwrite)
    teacher_source = RunFolder(teacher_run) if teacher_run else folder
    contract = make_contract(dataset, data, config, teacher_source if teacher_run else None)
    check_same_data(folder, contract)
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


def _seed(seed: int) -> None:
    """Start a stage from the seed alone, whatever was drawn before it: a resumed run skips what it has."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


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
    return Stage(
        name,
        epochs,
        learning_rate,
        batch_size=config.batch_size,
        weight_decay=config.weight_decay,
        warmup=config.warmup,
        averaging=config.averaging,
        seed=config.seed,
    )


def _measure(classifier: WindowClassifier, windows: Windows) -> dict[str, Any]:
    return {
        "model": classifier.network.name,
        "parameters": int(classifier.network.count_params()),
        **score_classifier(classifier, windows).to_dict(),
    }
