"""Training of several folds at once on JAX: one program, compiled once, with the folds as an axis of its arrays.

The folds differ only in their data: windows, input range, gains of the spectrogram and class weights, all of which are
arrays of the program. Each fold's run folder is left as if its stages had been trained alone, so that ``train`` with
``resume`` only measures it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SetupError
from deseptr.contract.counts import counted

from .augment import GaussianNoise
from .checkpoint import load_checkpoint
from .classifier import WindowClassifier
from .config import TrainConfig
from .epoch_order import epoch_order, one_hot, steps_of
from .jax_epochs import State, assign_state, epoch_function, state_of
from .models.registry import MODELS, needs_teacher
from .run_folder import evenly
from .stages import (
    MEASURED_WINDOWS,
    TrainingRun,
    build_student,
    distilled_objective,
    new_network,
    seed_stage,
    student_stage,
    supervised_objective,
    teacher_stage,
    training_windows,
)
from .teachers import joined
from .training_loop import (
    SEED_STATE,
    Stage,
    averaged_weights,
    build_objective,
    finished_epochs,
    reseed,
    save_classifier,
    save_state,
)
from .view_encoder import ViewEncoder


@dataclass(frozen=True)
class _Paths:
    """Where a stage of a fold leaves its checkpoint and its state."""

    best: Path
    state: Path


def check_together(config: TrainConfig) -> None:
    """Refuse settings with which folds cannot be trained at once.

    Raises:
        SetupError: naming the setting.
    """
    input_of = MODELS[config.model].input
    found = {
        "backend": (keras.backend.backend(), "jax", keras.backend.backend() == "jax"),
        "views": (config.views, "a model on views", config.views and input_of in ("views", "window")),
        "validation": (config.validation, "0, all subjects trained on", config.validation == 0),
        "precision": (config.precision, "float32", config.precision == "float32"),
    }
    for name, (value, expected, fits) in found.items():
        if not fits:
            raise SetupError(
                f"folds together: {name}",
                found=value,
                expected=expected,
                next_step="change this setting (the backend is KERAS_BACKEND=jax), or leave --together out",
            )


def train_together(runs: Sequence[TrainingRun], report: Callable[[str], None] = lambda text: None) -> None:
    """Train all stages of runs with the same settings, at once.

    Args:
        runs: of equal settings, each with its own data and folder.
        report: called with a line of text after each stage.
    """
    config, folders = runs[0].config, [run.folder for run in runs]
    check_together(config)
    encoder = ViewEncoder(runs[0].contract.input_range)
    teachers: list[tuple[str, WindowClassifier, list[list[NDArray[Any]]]]] = []
    distilled = MODELS[config.model].distilled
    members = config.members if distilled and needs_teacher(config) else ()
    for member in members:
        seed_stage(config.seed)
        classifier = WindowClassifier(encoder, new_network(member, runs[0].classes, config))
        objective = supervised_objective(runs[0], classifier)
        state = "teacher" if len(members) == 1 else f"teacher-{member}"
        paths = [_Paths(folder.teacher_of(member, members), folder.state(state)) for folder in folders]
        folds = _Folds(objective, encoder, runs, [])
        values = folds.fit(teacher_stage(config), paths, report)
        teachers.append((member, classifier, values))
    seed_stage(config.seed)
    if distilled:
        teacher = joined([(name, classifier) for name, classifier, _ in teachers]) if teachers else None
        student = build_student(encoder, teacher, runs[0].data.training, config)
        objective = distilled_objective(runs[0], student, teacher)
    else:
        network = new_network(config.model, runs[0].classes, config)
        objective = supervised_objective(runs[0], WindowClassifier(encoder, network))
    given = [(classifier, values) for _, classifier, values in teachers]
    paths = [_Paths(folder.model, folder.state("student")) for folder in folders]
    _Folds(objective, encoder, runs, given).fit(student_stage(config), paths, report)


class _Folds:
    """One stage of all folds.

    Args:
        objective: the objective of the first fold, whose variables get each fold's values in turn.
        encoder: the front end of all its classifiers.
        runs: the folds.
        teachers: classifiers inside the objective, each with its variables' values in every fold.
    """

    def __init__(
        self,
        objective: Any,
        encoder: ViewEncoder,
        runs: Sequence[TrainingRun],
        teachers: Sequence[tuple[WindowClassifier, list[list[NDArray[Any]]]]],
    ) -> None:
        self._objective = objective
        self._encoder = encoder
        self._runs = runs
        self._teachers = teachers

    def fit(self, stage: Stage, paths: Sequence[_Paths], report: Callable[[str], None]) -> list[list[NDArray[Any]]]:
        """Train the stage and write each fold's files; the averaged weights of each fold's classifier.

        A stage that all folds have finished before is not trained again.
        """
        if all(_finished(stage, each) for each in paths):
            report(f"{stage.name}: finished before in {counted(len(paths), 'fold')}")
            loaded = [load_checkpoint(each.best, run.contract) for each, run in zip(paths, self._runs, strict=True)]
            return [[np.array(weight) for weight in classifier.get_weights()] for classifier in loaded]
        began = time.perf_counter()
        margined = [training_windows(run, self._objective) for run in self._runs]
        steps = max(steps_of(run.data.epoch_windows, stage.batch_size) for run in self._runs)
        self._objective.compile(optimizer=stage.optimizer(steps * stage.batch_size))
        build_objective(self._objective, margined[0])
        program = jax.jit(jax.vmap(self._epoch()), donate_argnums=0)
        state = jax.device_put(_stacked([self._initial(index) for index in range(len(self._runs))]))
        data = jax.device_put((_padded([w.signals for w in margined]), _padded([one_hot(w) for w in margined])))
        settings = jax.device_put((self._class_weights(), self._noise()))
        history = []
        for epoch in range(stage.epochs):
            state = self._reseeded(state, stage.seed, epoch)
            order = np.stack([epoch_order(windows, stage, epoch, steps) for windows in margined]).astype(np.int32)
            state, losses = program(state, *data, order, *settings)
            history.append(losses)
        means = np.stack([np.asarray(each).mean(axis=1) for each in history])
        seconds = time.perf_counter() - began
        report(
            f"{stage.name}: {counted(stage.epochs, 'epoch')} of {counted(len(self._runs), 'fold')} in {seconds:.1f} s"
        )
        whole = jax.tree.map(np.asarray, state)
        rate = len(self._runs) * steps * stage.batch_size * stage.epochs / seconds
        left = []
        for index, losses in enumerate(means.T):
            rows = [_row(stage, epoch, float(loss), seconds, rate) for epoch, loss in enumerate(losses)]
            own = jax.tree.map(lambda value, i=index: value[i], whole)
            left.append(self._leave(index, own, rows, paths[index]))
        return left

    def _epoch(self) -> Callable[..., tuple[State, Any]]:
        epoch = epoch_function(self._objective)

        def with_settings(
            state: State, windows: Any, targets: Any, order: Any, class_weights: Any, noise: Any
        ) -> tuple[State, Any]:
            with _settings(self._objective, class_weights, noise):
                return epoch(state, windows, targets, order)

        return with_settings

    def _initial(self, index: int) -> State:
        """The state in which a fold begins: the same weights, its own input range, gains and teachers."""
        run = self._runs[index]
        self._encoder.set_range(run.contract.input_range)
        network = self._objective.classifier.network
        if hasattr(network, "adapt"):
            training = run.data.training
            chosen = training.signals[evenly(len(training), MEASURED_WINDOWS)]
            network.adapt(np.asarray(self._encoder(chosen)))
        for classifier, values in self._teachers:
            classifier.set_weights(values[index])
        return state_of(self._objective)

    def _class_weights(self) -> NDArray[np.float32]:
        each = [run.class_weights for run in self._runs]
        return np.stack([np.ones(self._runs[0].classes, np.float32) if w is None else w for w in each])

    def _noise(self) -> NDArray[np.float32]:
        return np.stack([run.config.noise * np.asarray(run.contract.input_range, np.float32) for run in self._runs])

    def _reseeded(self, state: State, seed: int, epoch: int) -> State:
        """The state with every random generator as an epoch begins with it, the same in all folds."""
        reseed(self._objective, seed, epoch)
        trained, fixed, optimizer = state
        pairs = zip(self._objective.non_trainable_variables, fixed, strict=True)
        seeded = [
            np.broadcast_to(np.asarray(variable), value.shape) if variable.path.endswith(SEED_STATE) else value
            for variable, value in pairs
        ]
        return trained, seeded, optimizer

    def _leave(self, index: int, state: State, rows: list[dict[str, Any]], paths: _Paths) -> list[NDArray[Any]]:
        """Write a fold's checkpoint, state and history; the averaged weights of its classifier."""
        run, classifier = self._runs[index], self._objective.classifier
        self._encoder.set_range(run.contract.input_range)
        assign_state(self._objective, state)
        with averaged_weights(self._objective):
            save_classifier(classifier, paths.best)
            values = [np.array(weight) for weight in classifier.get_weights()]
        save_state(self._objective, rows, paths.state)
        return values


def _finished(stage: Stage, paths: _Paths) -> bool:
    """Whether a fold has the files of the whole stage."""
    return paths.best.exists() and finished_epochs(paths.state) == stage.epochs


def _row(stage: Stage, epoch: int, loss: float, seconds: float, rate: float) -> dict[str, Any]:
    """A row of a fold's history; time and rate are those of all folds together."""
    return {
        "stage": stage.name,
        "epoch": epoch + 1,
        "loss": loss,
        "seconds": seconds / stage.epochs,
        "windows_per_s": rate,
        "learning_rate": stage.learning_rate,
        "time": time.time(),
    }


@contextmanager
def _settings(objective: Any, class_weights: Any, noise: Any) -> Iterator[None]:
    """Use a fold's class weights and noise levels while its program is traced."""
    layers = [layer for layer in objective.augmentation.on_windows if isinstance(layer, GaussianNoise)]
    before = objective.class_weights, [layer.stddev for layer in layers]
    objective.class_weights = class_weights
    for layer in layers:
        layer.stddev = noise
    try:
        yield
    finally:
        objective.class_weights = before[0]
        for layer, stddev in zip(layers, before[1], strict=True):
            layer.stddev = stddev


def _padded(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Arrays of different length as one, ``[fold, window, …]``; what is added is never read."""
    longest = max(map(len, arrays))
    whole = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), np.float32)
    for index, array in enumerate(arrays):
        whole[index, : len(array)] = array
    return whole


def _stacked(states: Sequence[State]) -> State:
    stacked: State = jax.tree.map(lambda *values: np.stack(values), *states)
    return stacked
