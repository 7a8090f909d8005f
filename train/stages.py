"""Stages of a run: a teacher, a student distilled from it, a network without teacher, or a forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.data import Windows

from .augment import Augmentation
from .class_weights import class_weights
from .classifier import WindowClassifier
from .config import TrainConfig
from .history import History, write_history
from .models.registry import MODELS, needs_teacher
from .objective import DistillationObjective, Objective, SupervisedObjective, TwoHeadObjective
from .precision import POLICIES, dtype_policy
from .preparation import TrainingData
from .run_folder import RunFolder
from .training_loop import Reporter, Stage, fit


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


def train_teacher(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train a ResNet-18 and save it as the run's teacher."""
    _seed(run.config.seed)
    teacher = WindowClassifier(front_end, _network("resnet18", run.classes, run.config))
    return _fit(run, _supervised(run, teacher), _teacher_stage(run.config), [])


def train_student(
    run: TrainingRun, front_end: keras.layers.Layer, teacher: WindowClassifier | None, before: History
) -> History:
    """Train the run's model by distillation; ``teacher`` may be None if the settings use nothing of it.

    With the precision bfloat16, the teacher is used as a copy that computes in bfloat16, too.
    """
    _seed(run.config.seed)
    student = build_student(front_end, teacher, run.data.training, run.config)
    return _fit(run, _distilled(run, student, teacher), _student_stage(run.config), before)


def train_alone(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train the run's model without a teacher, with the student's settings; ResNet-18 with the teacher's."""
    _seed(run.config.seed)
    model = WindowClassifier(front_end, _network(run.config.model, run.classes, run.config))
    stage = _student_stage(run.config)
    if run.config.model == "resnet18":
        stage = replace(_teacher_stage(run.config), name="student")
    return _fit(run, _supervised(run, model), stage, [])


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
    front_end: keras.layers.Layer, teacher: WindowClassifier | None, training: Windows, config: TrainConfig
) -> WindowClassifier:
    """A new student, on the teacher's stem (same layer and weights) if family and settings require it.

    A frozen stem is not trained and its batch norm keeps the teacher's statistics.

    Raises:
        ValueError: if there is no teacher and the settings need one.
    """
    if teacher is None and needs_teacher(config):
        raise ValueError(f"`teacher` must be given unless the settings use none. Received: config={config}")
    family = MODELS[config.model]
    if teacher is not None:
        config = replace(config, teacher_width=teacher.network.width)
    network = _network(config.model, len(training.label_names), config)
    student = WindowClassifier(front_end, network, config.prediction)
    student.build((None, *training.signals.shape[1:]))
    if teacher is not None and family.teacher_stem and config.stem != "own":
        network.stem.set_weights(teacher.network.stem.get_weights())
        network.stem.trainable = config.stem != "shared-frozen"
    return student


def build_augmentation(front_end: keras.layers.Layer, config: TrainConfig) -> Augmentation:
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
    )


def _seed(seed: int) -> None:
    """Start a stage from the seed alone, independent of earlier stages: a resumed run skips those that are complete."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _network(model: str, classes: int, config: TrainConfig) -> Any:
    """A network by name, computing in the precision of the settings; the classifier around it stays float32."""
    with dtype_policy(POLICIES[config.precision]):
        return MODELS[model].build(classes, config)


def _supervised(run: TrainingRun, classifier: WindowClassifier) -> SupervisedObjective:
    augmentation = build_augmentation(classifier.front_end, run.config)
    return SupervisedObjective(classifier, augmentation, run.config.label_smoothing, run.class_weights)


def _distilled(run: TrainingRun, student: WindowClassifier, teacher: WindowClassifier | None) -> Objective:
    config, augmentation = run.config, build_augmentation(student.front_end, run.config)
    if teacher is None or config.distillation == "none":
        return TwoHeadObjective(student, augmentation, config.label_smoothing, run.class_weights)
    return DistillationObjective(
        student,
        teacher.in_precision(config.precision),
        augmentation,
        distillation=config.distillation,
        temperature=config.temperature,
        label_smoothing=config.label_smoothing,
        class_weights=run.class_weights,
    )


def _teacher_stage(config: TrainConfig) -> Stage:
    return _stage("teacher", config, config.teacher_epochs, config.teacher_learning_rate)


def _student_stage(config: TrainConfig) -> Stage:
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
    )


def _fit(run: TrainingRun, objective: Objective, stage: Stage, before: History) -> History:
    return before + fit(
        objective,
        run.data.training,
        run.data.validation,
        stage,
        best_path=run.folder.teacher if stage.name == "teacher" else run.folder.model,
        state_folder=run.folder.state(stage.name),
        reporter=run.reporter,
        keep=lambda rows: write_history(before + rows, run.folder.history),
    )
