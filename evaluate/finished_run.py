"""Results of a complete run or cross-validation, in one form for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import ModelError, read_json
from deseptr.data.recording import natural_sorted
from deseptr.train.history import History, read_history
from deseptr.train.predictions import Predictions
from deseptr.train.run_folder import RunFolder

from .figures_check import (
    count,
    fields,
    interval as interval_check,
    list_of,
    number,
    optional,
    positive,
    scores,
    subjects,
    text,
)
from .fold_job import fold_folder, settings_of_today

KINDS = ("float", "int8")
_CONFIG = fields({"seed": count, "window_s": positive, "overlap": number})
_METRICS = fields(
    {
        "dataset": text,
        "subjects": fields({"test": list_of(text)}),
        "minutes": number,
        "student": fields({"model": text, "parameters": count}),
    },
    {"commit": optional(text), "teacher": fields({"model": text, "parameters": count})},
)
_MEAN = fields({"macro_f1": number})
# A single fold has no deviation.
_STD = fields({"macro_f1": optional(number)})
_KIND = fields({"pooled": scores, "interval": optional(interval_check), "mean": _MEAN, "std": _STD})
_CROSSVAL = fields(
    {
        "config": _CONFIG,
        "dataset": text,
        "data": optional(text),
        "protocol": fields({"name": text}),
        "folds": list_of(fields({"fold": text, "subjects": fields({"test": list_of(text)})})),
        "model": text,
        "seed": count,
        "parameters": count,
        "minutes": number,
        "command": text,
        "float": _KIND,
    },
    {"macs": optional(count), "commits": list_of(text), "int8": _KIND},
)
_STUDENTS_OWN = {"model", "dim", "heads", "depth", "distillation", "temperature", "prediction"}


@dataclass(frozen=True)
class Setting:
    """Conditions of a measurement; figures of different settings cannot be compared.

    Args:
        dataset: name of the dataset.
        data: digest of the recordings; None for a run of ``deseptr train``.
        protocol: protocol of a cross-validation, or ``"held-out subjects"``.
        folds: name and test subjects of each fold; a run of ``deseptr train`` has one.
        subjects: all subjects, including those trained on.
        window_s: length of a window, s.
        overlap: fraction of a window that the next one repeats.
        labels: class names.
        windows: number of test windows of each class.
    """

    dataset: str
    data: str | None
    protocol: str
    folds: tuple[tuple[str, tuple[str, ...]], ...]
    subjects: tuple[str, ...]
    window_s: float
    overlap: float
    labels: tuple[str, ...]
    windows: tuple[int, ...]


@dataclass(frozen=True)
class FinishedRun:
    """A model of a complete run and its figures.

    Args:
        path: folder of the run.
        setting: conditions of the measurement.
        model: name of the model.
        teacher: whether it is the run's teacher.
        seed: seed of the training.
        settings: all other settings of the training.
        parameters: number of parameters.
        macs: multiply-accumulates per window.
        checkpoint: file for counting them, if the run does not record them.
        minutes: duration of the run, including all folds and a teacher; None for a teacher.
        windows_per_s: median over the epochs of the training.
        figures: figures of ``"float"`` and, if measured, ``"int8"``: scores of all test windows, ``interval`` and
            ``calibration`` or None, and for a cross-validation ``over_folds``, mean and deviation of macro-F1.
        predictions: logits of all test windows, if the run kept them.
        histories: history of each fold, if the run kept them.
        command: the command line of the run, if recorded.
        commits: source commits of the run, if known.
    """

    path: Path
    setting: Setting
    model: str
    teacher: bool
    seed: int
    settings: dict[str, Any]
    parameters: int
    macs: int | None
    checkpoint: Path | None
    minutes: float | None
    windows_per_s: float | None
    figures: dict[str, dict[str, Any]]
    predictions: Predictions | None
    histories: dict[str, History]
    command: str | None = None
    commits: tuple[str, ...] = ()


def read_train_run(path: Path) -> list[FinishedRun]:
    """The model of a run of ``deseptr train`` and, if it had one, its teacher.

    Raises:
        ModelError: if one of its files cannot be read.
    """
    folder = RunFolder(path)
    metrics, config = _read(folder.metrics), _read(folder.config)
    roles = ("student", "teacher") if "teacher" in metrics else ("student",)
    _check(folder.config, lambda: _CONFIG(config, "settings"))
    _check(folder.metrics, lambda: _check_metrics(metrics, roles))
    try:
        return [_of_train_run(folder, metrics, config, role) for role in roles]
    except (KeyError, TypeError, AttributeError) as error:
        raise _not_figures(folder.metrics, error) from error


def read_crossval(path: Path) -> FinishedRun:
    """The model of a complete cross-validation, with all folds pooled.

    Raises:
        ModelError: if one of its files cannot be read.
    """
    summary = _read(path / "crossval.json")
    _check(path / "crossval.json", lambda: _check_crossval(summary))
    try:
        return _of_crossval(path, summary)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise _not_figures(path / "crossval.json", error) from error


def with_macs(run: FinishedRun) -> FinishedRun:
    """The run with its multiply-accumulates counted from its checkpoint, if it does not record them.

    Raises:
        ModelError: if the checkpoint cannot be read.
    """
    if run.checkpoint is None:
        return run
    from deseptr.train.checkpoint import load_run
    from deseptr.train.macs import window_macs

    classifier, contract = load_run(run.checkpoint)
    macs = window_macs(classifier, (contract.input_length, len(contract.channels)))
    return replace(run, macs=macs, checkpoint=None)


def _of_train_run(folder: RunFolder, metrics: dict[str, Any], config: dict[str, Any], role: str) -> FinishedRun:
    teacher = role == "teacher"
    figures, subjects = metrics[role], metrics["subjects"]
    history = _history(folder)
    return FinishedRun(
        path=folder.path,
        setting=_setting(
            metrics["dataset"], None, "held-out subjects", {"test": subjects["test"]}, [subjects], config, figures
        ),
        model=figures["model"],
        teacher=teacher,
        seed=config["seed"],
        settings={k: v for k, v in _settings(config).items() if not (teacher and _students_own(k))},
        parameters=figures["parameters"],
        macs=figures.get("macs"),
        checkpoint=_checkpoint(figures, folder.teacher if teacher else folder.model),
        minutes=None if teacher else metrics["minutes"],
        windows_per_s=_speed([history], role),
        figures={"float": {"interval": None, "calibration": None, "over_folds": None, **figures}},
        predictions=_predictions([folder.teacher_predictions if teacher else folder.predictions]),
        histories={} if teacher or not history else {"test": history},
        commits=(metrics["commit"],) if metrics.get("commit") else (),
    )


def _of_crossval(path: Path, summary: dict[str, Any]) -> FinishedRun:
    config, folds = summary["config"], {fold["fold"]: fold for fold in summary["folds"]}
    folders = {name: fold_folder(path, name) for name in folds}
    histories = {name: _history(RunFolder(folder / "run")) for name, folder in folders.items()}
    first = RunFolder(folders[next(iter(folds))] / "run")
    return FinishedRun(
        path=path,
        setting=_setting(
            summary["dataset"],
            summary["data"],
            summary["protocol"]["name"],
            {name: fold["subjects"]["test"] for name, fold in folds.items()},
            [fold["subjects"] for fold in folds.values()],
            config,
            summary["float"]["pooled"],
        ),
        model=summary["model"],
        teacher=False,
        seed=summary["seed"],
        settings=_settings(config),
        parameters=summary["parameters"],
        macs=summary.get("macs"),
        checkpoint=_checkpoint(summary, first.model),
        minutes=summary["minutes"],
        windows_per_s=_speed(list(histories.values()), "student"),
        figures={kind: _pooled(summary[kind], len(folds)) for kind in KINDS if kind in summary},
        predictions=_predictions([folder / "predictions.npz" for folder in folders.values()]),
        histories={name: history for name, history in histories.items() if history},
        command=summary["command"] or None,
        commits=tuple(summary.get("commits", ())),
    )


def _setting(
    dataset: str,
    data: str | None,
    protocol: str,
    folds: dict[str, Sequence[str]],
    parts: Sequence[dict[str, Sequence[str]]],
    config: dict[str, Any],
    figures: dict[str, Any],
) -> Setting:
    return Setting(
        dataset,
        data,
        protocol,
        tuple((name, natural_sorted(subjects)) for name, subjects in folds.items()),
        natural_sorted({name for part in parts for names in part.values() for name in names}),
        config["window_s"],
        config["overlap"],
        tuple(figures["labels"]),
        tuple(sum(row) for row in figures["confusion"]),
    )


def _pooled(summary: dict[str, Any], folds: int) -> dict[str, Any]:
    over_folds = {name: summary[name]["macro_f1"] for name in ("mean", "std")} if folds > 1 else None
    return {**summary["pooled"], "interval": summary["interval"], "over_folds": over_folds}


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """All but the seed; one that a run is older than has its default, as where a fold of it goes on."""
    return {name: value for name, value in settings_of_today(config).items() if name != "seed"}


def _students_own(setting: str) -> bool:
    return setting.startswith("student_") or setting in _STUDENTS_OWN


def _checkpoint(figures: dict[str, Any], path: Path) -> Path | None:
    return path if "macs" not in figures and path.exists() else None


def _speed(histories: Sequence[History], stage: str) -> float | None:
    speeds = [row["windows_per_s"] for history in histories for row in history if row["stage"] == stage]
    return float(np.median(speeds)) if speeds else None


def _history(folder: RunFolder) -> History:
    return read_history(folder.history) if folder.history.exists() else []


def _predictions(paths: Sequence[Path]) -> Predictions | None:
    return Predictions.pool([Predictions.load(path) for path in paths]) if all(p.exists() for p in paths) else None


def _check_metrics(metrics: dict[str, Any], roles: Sequence[str]) -> None:
    _METRICS(metrics, "figures")
    subjects(metrics["subjects"], "subjects")
    for role in roles:
        scores(metrics[role], role)


def _check_crossval(summary: dict[str, Any]) -> None:
    _CROSSVAL(summary, "summary")
    for fold in summary["folds"]:
        subjects(fold["subjects"], f"fold {fold['fold']}.subjects")
    if not summary["folds"]:
        raise ValueError("no fold")


def _check(path: Path, check: Callable[[], None]) -> None:
    try:
        check()
    except ValueError as error:
        raise _not_figures(path, error) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise _not_figures(path, error) from error
    if not isinstance(content, dict):
        raise _not_figures(path, type(content).__name__)
    return content


def _not_figures(path: Path, reason: object) -> ModelError:
    return ModelError(
        path,
        found=f"an unreadable file ({reason!r})" if isinstance(reason, KeyError) else f"an unreadable file ({reason})",
        expected="a file of a finished run",
        next_step="restore it, train again, or leave this run out",
    )
