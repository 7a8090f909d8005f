"""The training loop: linear, resumable after any epoch, reproducible from the seed.

An epoch depends only on the seed, its number and the state it starts from, so that a resumed run gives the same result
as an uninterrupted one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, Scores, atomic_path, atomic_write, read_json, read_npz_arrays, score
from deseptr.data import Windows

from .averaged_adamw import AveragedAdamW
from .classifier import WindowClassifier
from .epoch_order import epoch_order, one_hot, steps_of
from .objective import Objective

if TYPE_CHECKING:
    from .jax_epochs import JaxEpochs

_PREDICT_BATCH = 512
SEED_STATE = "seed_generator_state"


class Reporter(Protocol):
    """Receives the progress of a training run."""

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins; ``done`` of its epochs are complete, and an epoch has ``windows`` windows."""

    def batch(self, windows: int) -> None:
        """A step over ``windows`` windows is complete."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is complete; ``row`` is its row of the history."""

    def stopped(self, epochs: int) -> None:
        """The stage ends early after ``epochs`` epochs: the validation score no longer improves."""


@dataclass(frozen=True)
class Stage:
    """Training settings of one model.

    Args:
        name: ``"teacher"`` or ``"student"``.
        epochs: passes over the data.
        learning_rate: peak learning rate.
        batch_size: windows in a step.
        weight_decay: weight decay of AdamW.
        warmup: fraction of the steps in which the learning rate rises; then it falls as a cosine to zero.
        averaging: horizon of the weights' moving average, as a fraction of the steps done.
        seed: seed of the order of examples and of all random operations of the model.
        patience: the stage ends after this many epochs without a higher validation macro-F1; 0 turns this off.
        clip_norm: largest norm of the gradient of all weights together; 0 limits that of each weight to 1 instead.
        unlabelled_share: share of unlabelled windows in a step, if there are any.
    """

    name: str
    epochs: int
    learning_rate: float
    batch_size: int
    weight_decay: float
    warmup: float
    averaging: float
    seed: int
    patience: int = 0
    clip_norm: float = 0.0
    unlabelled_share: float = 0.0

    def optimizer(self, windows: int) -> AveragedAdamW:
        """AdamW with the learning rate schedule over all steps and a moving average of the weights."""
        steps = self.epochs * steps_of(windows, self.batch_size)
        warmup = max(1, round(self.warmup * steps))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warmup), warmup_target=self.learning_rate, warmup_steps=warmup
        )
        clip = {"global_clipnorm": self.clip_norm} if self.clip_norm else {"clipnorm": 1.0}
        return AveragedAdamW(rate, self.averaging, weight_decay=self.weight_decay, **clip)

    def over(self, history: list[dict[str, Any]]) -> bool:
        """Whether all epochs are done, or the last ``patience`` epochs brought no higher score."""
        if len(history) >= self.epochs:
            return True
        scores = [row["val_macro_f1"] for row in history if "val_macro_f1" in row]
        earlier, later = scores[: -self.patience], scores[-self.patience :]
        return bool(self.patience and earlier) and max(later) <= max(earlier)


def fit(
    objective: Objective,
    training: Windows,
    validation: Windows,
    stage: Stage,
    *,
    best_path: Path,
    state_folder: Path,
    reporter: Reporter,
    keep: Callable[[list[dict[str, Any]]], None] = lambda history: None,
    epoch_windows: int | None = None,
) -> list[dict[str, Any]]:
    """Fit ``objective.classifier``, save the best epoch to ``best_path`` and return the history.

    Scores and saved weights are those of the moving average of the weights, which generalises better and varies less.
    The best epoch has the highest macro-F1 on the validation subjects; ties go to the later epoch. Without validation
    windows the last epoch is saved and the history has no scores. Evaluation and saved model are always float32, even
    if the classifier is trained in bfloat16.

    Args:
        objective: the objective to minimise; contains the classifier.
        training: windows to learn from; unlabelled ones come last.
        validation: windows of other subjects, which select the best epoch; may be empty.
        stage: settings.
        best_path: ``.keras`` file of the best epoch so far, replaced atomically.
        state_folder: folder of the state after the last epoch; a stage that finds one continues from it.
        reporter: receives the progress.
        keep: called with the stage's history after each epoch, before the state is saved.
        epoch_windows: windows that an epoch learns from; by default all once.
    """
    count = len(training) if epoch_windows is None else epoch_windows
    steps = steps_of(count, stage.batch_size)
    # JAX is slow without XLA; TensorFlow is slower with XLA, which runs these convolutions on one core.
    on_jax = keras.backend.backend() == "jax"
    objective.compile(optimizer=stage.optimizer(count), jit_compile=on_jax)
    build_objective(objective, training)
    history = _restore(objective, state_folder)
    epochs = _jax_epochs(objective, training) if on_jax else None
    kept = objective.classifier.in_precision("float32")
    best = max((row.get("val_macro_f1", 0.0) for row in history), default=0.0)
    reporter.stage(stage.name, stage.epochs, len(history), count)
    while not stage.over(history):
        epoch = len(history)
        began = time.perf_counter()
        reseed(objective, stage.seed, epoch)
        losses = []
        order = epoch_order(training, stage, epoch, steps)
        if epochs is not None:
            losses = epochs.run(order)
            reporter.batch(order.size)
        else:
            for chosen in order:
                losses.append(_step(objective, training, chosen))
                reporter.batch(len(chosen))
        seconds = time.perf_counter() - began
        loss = _finite_mean(losses, stage, epoch)
        with averaged_weights(objective):
            _carry_weights(objective.classifier, kept)
            scores = _validate(kept, validation)
            if scores.get("val_macro_f1", best) >= best:
                best = scores.get("val_macro_f1", best)
                save_classifier(kept, best_path)
        row = {
            "stage": stage.name,
            "epoch": epoch + 1,
            "loss": loss,
            **scores,
            "seconds": seconds,
            "windows_per_s": len(losses) * stage.batch_size / seconds,
            "learning_rate": float(objective.optimizer.learning_rate),
            "time": time.time(),
        }
        history.append(row)
        keep(history)
        save_state(objective, history, state_folder)
        reporter.epoch(row)
    if len(history) < stage.epochs:
        reporter.stopped(len(history))
    return history


def _jax_epochs(objective: Objective, training: Windows) -> JaxEpochs:
    """Epochs of one dispatch; imported here because only this backend needs JAX."""
    from .jax_epochs import JaxEpochs

    return JaxEpochs(objective, training)


def _validate(classifier: WindowClassifier, windows: Windows) -> dict[str, float]:
    """Validation scores as columns of the history; none without validation windows."""
    if not len(windows):
        return {}
    scores = score_classifier(classifier, windows)
    return {"val_macro_f1": scores.macro_f1, "val_accuracy": scores.accuracy}


def score_classifier(classifier: WindowClassifier, windows: Windows) -> Scores:
    """Score a classifier on labelled windows."""
    predicted = predict_logits(classifier, windows.signals).argmax(axis=1)
    return score(windows.labels, predicted, windows.label_names, windows.subjects)


def predict_logits(classifier: WindowClassifier, signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits ``[window, classes]`` of raw windows ``[window, window_length, channels]``."""
    batch = fixed_batch(classifier) or _PREDICT_BATCH
    return np.asarray(classifier.predict(signals, batch_size=batch, verbose=0))


def fixed_batch(model: Any) -> int | None:
    """The number of windows that a plain Keras model takes at once; None if it takes any."""
    shape = getattr(model, "input_shape", None)
    return shape[0] if isinstance(shape, tuple) else None


def save_classifier(classifier: WindowClassifier, path: Path) -> None:
    """Write a ``.keras`` checkpoint atomically."""
    with atomic_path(path) as temporary:
        classifier.save(temporary)


def build_objective(objective: Any, training: Windows) -> None:
    """Build an objective and its optimizer for windows like these."""
    objective.build({"windows": (None, *training.signals.shape[1:]), "targets": (None, len(training.label_names))})
    objective.optimizer.build(objective.trainable_variables)


def _step(objective: Any, training: Windows, chosen: NDArray[np.int64]) -> float:
    batch = {"windows": training.signals[chosen], "targets": one_hot(training, chosen)}
    return float(objective.train_on_batch(batch))


def reseed(objective: Any, seed: int, epoch: int) -> None:
    """Set every random generator of the model to a state that depends on seed and epoch only."""
    states = [v for v in objective.variables if v.path.endswith(SEED_STATE)]
    for index, state in enumerate(states):
        state.assign(np.random.SeedSequence((seed, epoch, index)).generate_state(2, np.uint32).astype(state.dtype))


@contextmanager
def averaged_weights(objective: Any) -> Iterator[None]:
    """Use the moving average of the weights in the block."""
    variables = objective.trainable_variables
    weights = [np.array(variable) for variable in variables]
    _assign(variables, objective.optimizer.averages)
    try:
        yield
    finally:
        _assign(variables, weights)


def _carry_weights(classifier: WindowClassifier, kept: WindowClassifier) -> None:
    """Copy the weights into the float32 copy ``kept``; nothing to do if ``kept`` is the classifier itself."""
    if kept is not classifier:
        kept.set_weights(classifier.get_weights())


def _assign(variables: Sequence[Any], values: Sequence[NDArray[np.float32]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _state_variables(objective: Any) -> list[Any]:
    return [*objective.classifier.variables, *objective.optimizer.variables]


def save_state(objective: Any, history: list[dict[str, Any]], folder: Path) -> None:
    """Save what a stage needs to continue after the last epoch of its history."""
    values: dict[str, Any] = {f"{i:04d}": np.asarray(v) for i, v in enumerate(_state_variables(objective))}
    with atomic_path(folder / f"state-{len(history)}.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, **values)
    atomic_write(folder / "history.json", json.dumps(history))
    (folder / f"state-{len(history) - 1}.npz").unlink(missing_ok=True)


def finished_epochs(folder: Path) -> int:
    """Epochs that a stage's state is after; 0 if there is none that can be read."""
    try:
        history = read_json(folder / "history.json")
    except (OSError, ValueError):
        return 0
    return len(history) if isinstance(history, list) else 0


def _restore(objective: Any, folder: Path) -> list[dict[str, Any]]:
    """Load the state after the last epoch, if there is one, and return the history up to it."""
    if not (folder / "history.json").exists():
        return []
    try:
        history: list[dict[str, Any]] = read_json(folder / "history.json")
        values = read_npz_arrays(folder / f"state-{len(history)}.npz")
        for name, variable in zip(sorted(values), _state_variables(objective), strict=True):
            variable.assign(values[name])
    except Exception as error:  # keras raises different exceptions for values that do not fit
        raise ModelError(
            folder,
            found=f"a state that cannot be resumed ({error})",
            expected="the state of the last epoch",
            next_step="train again with --overwrite",
        ) from error
    return history


def _finite_mean(losses: list[float], stage: Stage, epoch: int) -> float:
    mean = float(np.mean(losses))
    if not np.isfinite(mean):
        raise ModelError(
            f"epoch {epoch + 1} of the {stage.name}",
            found=f"a loss of {mean}",
            expected="a finite loss",
            next_step="look at the data with `deseptr data info`, or train with another --seed",
        )
    return mean
