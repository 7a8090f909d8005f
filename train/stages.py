"""Stages of a run: a teacher, a student distilled from it, a network without teacher, or a forest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, ModelContract, ModelError, sensors_of
from deseptr.data import Windows

from .augment import Augmentation
from .class_weights import class_weights
from .classifier import WindowClassifier
from .config import TrainConfig
from .history import History, write_history
from .models.registry import MODELS, needs_teacher
from .objective import (
    DistillationObjective,
    Objective,
    SelfTrainingObjective,
    SupervisedObjective,
    TwoHeadObjective,
)
from .precision import POLICIES, dtype_policy
from .preparation import TrainingData
from .run_folder import RunFolder, evenly
from .teachers import Teacher
from .training_loop import Reporter, Stage, fit

MEASURED_WINDOWS = 2048


@dataclass(frozen=True)
class TrainingRun:
    """Inputs that all stages of a run share."""

    folder: RunFolder
    contract: ModelContract
    data: TrainingData
    config: TrainConfig
    reporter: Reporter

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.contract.labels)

    @property
    def class_weights(self) -> NDArray[np.float32] | None:
        """Weight of a training window of each class."""
        return class_weights(self.data.training.labels, self.classes, self.config.class_weights)


def train_teachers(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train the models that teach, one after the other, and save them as the run's teachers."""
    history: History = []
    members = run.config.members
    for member in members:
        seed_stage(run.config.seed)
        teacher = WindowClassifier(front_end, new_network(member, run.classes, run.config))
        stage = teacher_stage(run.config)
        state = stage.name if len(members) == 1 else f"{stage.name}-{member}"
        best = run.folder.teacher_of(member, members)
        history = _fit(run, supervised_objective(run, teacher), stage, history, best, run.folder.state(state))
    return history


def train_student(run: TrainingRun, front_end: keras.layers.Layer, teacher: Teacher | None, before: History) -> History:
    """Train the run's model by distillation; ``teacher`` may be None if the settings use nothing of it.

    With the precision bfloat16, the teacher is used as a copy that computes in bfloat16, too.
    """
    seed_stage(run.config.seed)
    student = build_student(front_end, teacher, run.data.training, run.config)
    return _fit_model(run, distilled_objective(run, student, teacher), student_stage(run.config), before)


def train_alone(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train the run's model without a teacher, with the student's settings; ResNet-18 with the teacher's."""
    seed_stage(run.config.seed)
    model = WindowClassifier(front_end, new_network(run.config.model, run.classes, run.config))
    stage = student_stage(run.config)
    if run.config.model == "resnet18":
        stage = replace(teacher_stage(run.config), name="student")
    return _fit_model(run, supervised_objective(run, model), stage, [])


def fit_forest(run: TrainingRun) -> History:
    """Fit the run's model on features; there are no epochs and no history."""
    training = run.data.training
    run.reporter.stage("student", 1, 0, len(training))
    forest = MODELS[run.config.model].build(run.classes, run.config)
    forest.fit(training.signals, training.labels, training.rate_hz).save(run.folder.forest)
    write_history([], run.folder.history)
    run.reporter.batch(len(training))
    return []


def build_student(
    front_end: keras.layers.Layer, teacher: Teacher | None, training: Windows, config: TrainConfig
) -> WindowClassifier:
    """A new student, on the teacher's stem (same layer and weights) if family and settings require it.

    A frozen stem is not trained and its batch norm keeps the teacher's statistics. A network that measures something of
    its input, such as gains, measures it in the training windows.

    Raises:
        ModelError: if the teacher has no stem and the student is to start with it.
        ValueError: if there is no teacher and the settings need one.
    """
    if teacher is None and needs_teacher(config):
        raise ValueError(f"`teacher` must be given unless the settings use none. Received: config={config}")
    family = MODELS[config.model]
    stem_from = teacher if family.teacher_stem and config.stem != "own" else None
    if stem_from is not None:
        config = replace(config, teacher_width=_network_with_stem(stem_from).width)
    network = new_network(config.model, len(training.label_names), config)
    student = WindowClassifier(front_end, network, config.prediction)
    student.build((None, *training.signals.shape[1:]))
    if hasattr(network, "adapt"):
        network.adapt(np.asarray(front_end(training.signals[evenly(len(training), MEASURED_WINDOWS)])))
    if stem_from is not None:
        teacher_stem = _network_with_stem(stem_from).stem
        network.stem.set_weights(teacher_stem.get_weights())
        network.stem.trainable = config.stem != "shared-frozen"
    return student


def _network_with_stem(teacher: Teacher) -> Any:
    network = getattr(teacher, "network", None)
    if not hasattr(network, "stem") or not hasattr(network, "width"):
        raise ModelError(
            "teacher",
            found="a network without ResNet-18's stem",
            expected="a ResNet-18, on whose stem the student starts",
            next_step="use another teacher or the student's own stem",
        )
    return network


def build_augmentation(
    front_end: keras.layers.Layer, config: TrainConfig, window_length: int, channels: Sequence[str] = CHANNELS
) -> Augmentation:
    """The augmentation of the settings; the noise is a fraction of each channel's range."""
    noise = [config.noise * value for value in front_end.input_range]
    return Augmentation(
        front_end,
        noise,
        shift=config.shift,
        mirror=config.mirror,
        rotation_degrees=config.rotation_degrees,
        gain=config.gain,
        rate_jitter=config.rate_jitter,
        dropped_samples=config.dropped,
        warp=config.warp,
        mask=config.mask,
        cutmix_rate=config.cutmix,
        shift_samples=config.shift_samples,
        time_warp_samples=config.time_warp * window_length,
        mixup_rate=config.mixup,
        sensor_rate=config.sensor_rate,
        axial=[sensor == "gyro" for sensor in sensors_of(channels)],
    )


def seed_stage(seed: int) -> None:
    """Start a stage from the seed alone, independent of earlier stages: a resumed run skips those that are complete."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def new_network(model: str, classes: int, config: TrainConfig) -> Any:
    """A network by name, computing in the precision of the settings; the classifier around it stays float32."""
    with dtype_policy(POLICIES[config.precision]):
        return MODELS[model].build(classes, config)


def supervised_objective(run: TrainingRun, classifier: WindowClassifier) -> SupervisedObjective:
    """The objective of a classifier that learns from labels."""
    augmentation = build_augmentation(
        classifier.front_end, run.config, run.contract.window_length, run.contract.channels
    )
    return SupervisedObjective(classifier, augmentation, run.config.label_smoothing, run.class_weights)


def distilled_objective(run: TrainingRun, student: WindowClassifier, teacher: Teacher | None) -> Objective:
    """The objective of a student with or without a teacher."""
    config = run.config
    augmentation = build_augmentation(student.front_end, config, run.contract.window_length, run.contract.channels)
    if teacher is None or config.distillation == "none":
        return TwoHeadObjective(student, augmentation, config.label_smoothing, run.class_weights)
    kind = DistillationObjective if run.data.few is None or run.data.few.unlabelled is None else SelfTrainingObjective
    return kind(
        student,
        teacher.in_precision(config.precision),
        augmentation,
        distillation=config.distillation,
        temperature=config.temperature,
        label_smoothing=config.label_smoothing,
        class_weights=run.class_weights,
        teacher_share=config.teacher_share,
    )


def training_windows(run: TrainingRun, objective: Objective) -> Windows:
    """Windows that an objective learns from, with margins; unlabelled ones, if it learns from such, come last."""
    few = run.data.few
    if few is None or few.unlabelled is None or not isinstance(objective, SelfTrainingObjective):
        return run.data.margined
    return run.data.margined.followed_by(few.unlabelled)


def teacher_stage(config: TrainConfig) -> Stage:
    """Training settings of a teacher."""
    return _stage("teacher", config, config.teacher_epochs, config.teacher_learning_rate)


def student_stage(config: TrainConfig) -> Stage:
    """Training settings of the run's model."""
    return _stage("student", config, config.student_epochs, config.student_learning_rate)


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
        patience=config.patience,
        clip_norm=config.clip_norm,
        unlabelled_share=config.unlabelled_share,
    )


def _fit_model(run: TrainingRun, objective: Objective, stage: Stage, before: History) -> History:
    return _fit(run, objective, stage, before, run.folder.model, run.folder.state(stage.name))


def _fit(
    run: TrainingRun, objective: Objective, stage: Stage, before: History, best_path: Path, state_folder: Path
) -> History:
    return before + fit(
        objective,
        training_windows(run, objective),
        run.data.validation,
        stage,
        best_path=best_path,
        state_folder=state_folder,
        reporter=run.reporter,
        keep=lambda rows: write_history(before + rows, run.folder.history),
        epoch_windows=run.data.epoch_windows,
    )
