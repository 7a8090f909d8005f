"""``deseptr train`` as a function: recordings in, a run folder out."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import EventRule, ModelContract, ModelError, SetupError
from deseptr.data import Dataset, Windows
from deseptr.data.windows import places_in

from .checkpoint import load_checkpoint, load_run
from .classifier import WindowClassifier
from .config import TrainConfig
from .few_labels import record_labelled
from .front_end import DftSpectrogram
from .history import History
from .macs import window_macs
from .models.registry import MODELS, needs_teacher
from .predictions import Predictions
from .preparation import TrainingData, check_same_data, make_contract, prepare
from .provenance import source_commit
from .reporters import Reporters, Stopwatch
from .run_folder import RunFolder, check_run, choose_calibration, open_run, read_metrics
from .stages import TrainingRun, fit_forest, train_alone, train_student, train_teachers
from .teachers import Named, joined
from .training_loop import Reporter, predict_logits
from .view_encoder import ViewEncoder
from .window_front_end import WindowScale
from .window_statistics import whitening_gain


def train(
    dataset: Dataset,
    run: Path,
    config: TrainConfig,
    *,
    reporter: Reporter,
    test_subjects: tuple[str, ...] | None = None,
    teacher_run: Path | Sequence[Path] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    prepared: Callable[[TrainingData, ModelContract], None] = lambda data, contract: None,
    events: Sequence[EventRule] = (),
) -> dict[str, Any]:
    """Train the model that ``config`` names, evaluate it on held-out subjects and save all results in ``run``.

    A distilled model, here called the student, needs a teacher, which is trained first unless the settings use none. If
    training is interrupted, ``run`` holds the best student so far with its contract and calibration windows (once an
    epoch is complete), and ``resume`` continues after the last complete epoch.

    Args:
        dataset: labelled recordings of at least three subjects.
        run: folder to write.
        config: settings.
        reporter: receives the progress.
        test_subjects: subjects to hold out; by default those that the dataset defines, else a quarter.
        teacher_run: run folder, or several, whose teachers are used instead of training one: a run's own teachers, or
            its model if that has no teacher. Several teach by the mean of their probabilities.
        resume: continue the run in ``run``.
        overwrite: replace a run in ``run``.
        prepared: called with the windows and the contract before the first epoch.
        events: rules of the classes that raise alarms, for the contract.

    Returns:
        The content of ``metrics.json``; ``student`` is the run's model, ``teacher`` is present if there was one.

    Raises:
        DataError: if the data cannot be split, or a class has no window in a part that needs it.
        ModelError: if the teacher does not fit, or the run to resume has other settings.
        SetupError: if ``run`` is in use and neither ``resume`` nor ``overwrite`` is given, or if a teacher is given for
            a model that uses none.
    """
    began = time.perf_counter()
    folder = RunFolder(run)
    given = [RunFolder(path) for path in _paths(teacher_run)]
    _check_teacher_wanted(config, given)
    check_run(folder, config, resume, overwrite)
    if resume and folder.metrics.exists():
        return read_metrics(folder)
    data = prepare(dataset, config, test_subjects)
    open_run(folder, config, overwrite)
    contract = replace(make_contract(dataset, data, config, given), events=tuple(events) or None)
    check_same_data(folder, contract)
    record_labelled(data.few, folder.labelled)
    contract.save(folder.contract)
    choose_calibration(data.training, data.test, config.seed).save(folder.calibration)
    prepared(data, contract)

    watch = Stopwatch(folder.path / "state" / "seconds.json", began)
    training_run = TrainingRun(folder, contract, data, config, Reporters(watch, reporter))
    history, teachers = _run_stages(training_run, given)

    metrics = _metrics(training_run, dataset, history, teachers, watch)
    folder.write_metrics(metrics)
    shutil.rmtree(folder.path / "state", ignore_errors=True)
    return metrics


def _metrics(run: TrainingRun, dataset: Dataset, history: History, teachers: Named, watch: Stopwatch) -> dict[str, Any]:
    """The content of ``metrics.json`` of a run whose stages have ended; the predictions of its models are saved."""
    data, folder, contract, seed = run.data, run.folder, run.contract, run.config.seed
    tested = _Tested(data.test, *places_in(data.test, dataset))
    return {
        "dataset": dataset.name,
        "subjects": {**data.split.to_dict(), **(data.few.subjects if data.few else {})},
        "windows": {
            **{part: len(getattr(data, part)) for part in ("training", "validation", "test")},
            **({"unlabelled": data.few.count} if data.few else {}),
        },
        **({"absent_classes": list(data.few.absent)} if data.few else {}),
        "minutes": round(watch.seconds / 60, 2),
        "epochs": {stage: sum(r["stage"] == stage for r in history) for stage in ("teacher", "student")},
        "student": _measure(load_run(folder.path)[0], tested, contract.model, folder.predictions, seed),
        **({"teacher": _measure_teachers(teachers, tested, folder, seed)} if teachers else {}),
        "machine": {"platform": platform.platform(), "python": platform.python_version()},
        "versions": dict(contract.versions),
        "commit": source_commit(),
    }


def prepare_run(
    dataset: Dataset, run: Path, config: TrainConfig, reporter: Reporter, test_subjects: tuple[str, ...] | None = None
) -> TrainingRun:
    """A run folder that is ready for its stages, with the windows that they train on.

    Raises:
        DataError: if the data cannot be split, or a class has no window in a part that needs it.
        ModelError: if the folder has other settings.
    """
    folder = RunFolder(run)
    check_run(folder, config, resume=True, overwrite=False)
    data = prepare(dataset, config, test_subjects)
    open_run(folder, config, overwrite=False)
    contract = make_contract(dataset, data, config, [])
    check_same_data(folder, contract)
    record_labelled(data.few, folder.labelled)
    contract.save(folder.contract)
    return TrainingRun(folder, contract, data, config, reporter)


class _Tested(NamedTuple):
    """The test windows, and the places of all in their recordings."""

    windows: Windows
    trials: NDArray[np.str_]
    starts_s: NDArray[np.float64]


def _paths(teacher_run: Path | Sequence[Path] | None) -> Sequence[Path]:
    if teacher_run is None:
        return ()
    return [teacher_run] if isinstance(teacher_run, Path) else teacher_run


def _check_teacher_wanted(config: TrainConfig, given: Sequence[RunFolder]) -> None:
    if given and not MODELS[config.model].distilled:
        distilled = ", ".join(name for name, family in MODELS.items() if family.distilled)
        raise SetupError(
            f"--teacher {given[0].path}",
            found=f"the model {config.model}, which uses no teacher",
            expected=f"one of {distilled}",
            next_step="leave --teacher out or choose one of these",
        )


def _run_stages(run: TrainingRun, given: Sequence[RunFolder]) -> tuple[History, Named]:
    """Train all stages of the model, with given runs' teachers or its own; the history and the teachers by name."""
    family = MODELS[run.config.model]
    if family.input == "features":
        return fit_forest(run), []
    if not family.distilled:
        return train_alone(run, _front_end(run)), []
    if not (given or needs_teacher(run.config)):
        return train_student(run, _front_end(run), None, []), []
    history = [] if given else train_teachers(run, _front_end(run))
    lent = [pair for folder in given or [run.folder] for pair in folder.lent_teachers().items()]
    teachers = [(name, _load_teacher(path, run)) for name, path in lent]
    teacher = joined(teachers)
    # Teacher and student share one front end, since both must get the same input.
    return train_student(run, teacher.front_end, teacher, history), teachers


def _load_teacher(path: Path, run: TrainingRun) -> WindowClassifier:
    teacher = load_checkpoint(path, run.contract)
    if not isinstance(teacher, WindowClassifier):
        raise ModelError(
            path, found="a plain Keras model", expected="a teacher of `deseptr train`", next_step="leave --teacher out"
        )
    return teacher


def _front_end(run: TrainingRun) -> keras.layers.Layer:
    """The front end of the contract and the model; a spectrogram's is whitened on the training windows."""
    stft, ranges, views = run.contract.stft, run.contract.input_range, run.contract.views
    if views is not None:
        return ViewEncoder(ranges, views.history, views.thresholds)
    if MODELS[run.config.model].input == "window":
        return WindowScale(ranges)
    gain = whitening_gain(run.data.training.signals, stft, ranges)
    return DftSpectrogram(stft, ranges, gain, run.config.levels)


def _measure_teachers(teachers: Named, tested: _Tested, folder: RunFolder, seed: int) -> dict[str, Any]:
    """Metrics of the teachers together, and of each member if there are several."""
    name = "+".join(name for name, _ in teachers)
    metrics = _measure(joined(teachers), tested, name, folder.teacher_predictions, seed)
    if len(teachers) == 1:
        return metrics
    return {**metrics, "members": [_measure(member, tested, name, None, seed) for name, member in teachers]}


def _measure(classifier: Any, tested: _Tested, name: str, kept: Path | None, seed: int) -> dict[str, Any]:
    """Metrics of a model on windows; its predictions are saved in ``kept``, if there is such a path."""
    network = getattr(classifier, "network", classifier)
    windows = tested.windows
    logits = predict_logits(classifier, windows.signals)
    predictions = Predictions(
        logits,
        logits[:0],
        windows.labels,
        windows.subjects,
        np.array(windows.label_names),
        tested.trials,
        tested.starts_s,
    )
    if kept is not None:
        predictions.save(kept)
    interval = predictions.interval("float", seed)
    return {
        "model": name,
        "parameters": int(network.count_params()),
        "macs": window_macs(classifier, windows.signals.shape[1:]),
        **predictions.figures("float"),
        "interval": interval._asdict() if interval else None,
    }
