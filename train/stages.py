"""The stages of a run: a teacher, a student on it, a network alone, or a forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.data import Windows

from .class_weights import class_weights
from .classifier import WindowClassifier
from .config import TrainConfig
from .fit import Reporter, Stage, fit, write_history
from .models import ResNet18
from .models.registry import MODELS
from .objective import Augmentation, DistillationObjective, Objective, SupervisedObjective
from .preparation import TrainingData
from .run_folder import RunFolder

_NOISE = 0.01
History = list[dict[str, Any]]


@dataclass(frozen=True)
class TrainingRun:
    """What every stage of a run needs."""

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
        """How much a training window of each class counts."""
        return class_weights(self.data.training.labels, self.classes, self.config.class_weights)


def train_teacher(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train a ResNet-18 and keep it as the run's teacher."""
    _seed(run.config.seed)
    teacher = WindowClassifier(front_end, ResNet18(run.classes, run.config.teacher_width))
    return _fit(run, _supervised(run, teacher), _teacher_stage(run.config), [])


def train_student(
    run: TrainingRun, front_end: keras.layers.Layer, teacher: WindowClassifier, before: History
) -> History:
    """Distil the run's model from a teacher."""
    _seed(run.config.seed)
    objective = DistillationObjective(
        build_student(front_end, teacher, run.data.training, run.config),
        teacher,
        _augmentation(front_end, run.config),
        distillation=run.config.distillation,
        temperature=run.config.temperature,
        label_smoothing=run.config.label_smoothing,
        class_weights=run.class_weights,
    )
    return _fit(run, objective, _student_stage(run.config), before)


def train_alone(run: TrainingRun, front_end: keras.layers.Layer) -> History:
    """Train the run's model without a teacher: as a student is trained, or ResNet-18 as a teacher is."""
    _seed(run.config.seed)
    model = WindowClassifier(front_end, MODELS[run.config.model].build(run.classes, run.config))
    stage = _student_stage(run.config)
    if run.config.model == "resnet18":
        stage = replace(_teacher_stage(run.config), name="student")
    return _fit(run, _supervised(run, model), stage, [])


def fit_forest(run: TrainingRun) -> History:
    """Fit the run's model on features, which takes no epochs and has no history."""
    training = run.data.training
    run.reporter.stage("student", 1, 0, len(training))
    forest = MODELS[run.config.model].build(run.classes, run.config)
    forest.fit(training.signals, training.labels, training.rate_hz).save(run.folder.forest)
    write_history([], run.folder.history)
    run.reporter.batch(len(training))
    return []


def build_student(
    front_end: keras.layers.Layer, teacher: WindowClassifier, training: Windows, config: TrainConfig
) -> WindowClassifier:
    """A student, where its family says so on the teacher's stem: the same layer and weights, tuned on with the rest."""
    family = MODELS[config.model]
    config = replace(config, teacher_width=teacher.network.width)
    network = family.build(len(training.label_names), config)
    student = WindowClassifier(front_end, network, config.prediction)
    student.build((None, *training.signals.shape[1:]))
    if family.teacher_stem:
        network.stem.set_weights(teacher.network.stem.get_weights())
    return student


def _seed(seed: int) -> None:
    """Start a stage from the seed alone, whatever was drawn before it: a resumed run skips what it has."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _augmentation(front_end: Any, config: TrainConfig) -> Augmentation:
    noise = [_NOISE * value for value in front_end.input_range]
    return Augmentation(front_end, noise, config.rotation_degrees)


def _supervised(run: TrainingRun, classifier: WindowClassifier) -> SupervisedObjective:
    augmentation = _augmentation(classifier.front_end, run.config)
    return SupervisedObjective(classifier, augmentation, run.config.label_smoothing, run.class_weights)


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
