"""One fold of a cross-validation: trains, predicts the test windows, and saves both in the fold's folder.

``run_fold`` is a plain function with picklable arguments, so that it runs in this process, another one or on a cluster.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deseptr.contract import ModelContract, ModelError, SetupError, atomic_write, read_json
from deseptr.data import Dataset, Fold, Windows, check_leakage
from deseptr.train.config import TrainConfig
from deseptr.train.log_file import LogFile
from deseptr.train.predictions import Predictions
from deseptr.train.run_folder import RunFolder

from .heads import HeadLogits


@dataclass(frozen=True)
class FoldJob:
    """Everything that determines a fold's result, and the folder for it.

    Args:
        fold: the fold with its test subjects.
        config: settings of the training.
        folder: folder for all results.
        data: digest of the recordings, which identifies folds of other data.
        int8: whether to convert the model to int8 and test that, too.
        teacher: run folder whose teacher is used instead of training one; it must be from the same fold, data and
            settings, so that it does not affect the result otherwise.
        heads: whether to save the logits of each head of a distilled model, too.
    """

    fold: Fold
    config: TrainConfig
    folder: Path
    data: str
    int8: bool = False
    teacher: Path | None = None
    heads: bool = False

    @property
    def run(self) -> Path:
        """The fold's run folder."""
        return self.folder / "run"

    @property
    def log(self) -> Path:
        """A line for each epoch, and other output of a worker."""
        return self.folder / "log.txt"

    @property
    def result(self) -> Path:
        """Written last: a fold with this file is complete."""
        return self.folder / "result.json"

    @property
    def predictions(self) -> Path:
        """Logits, labels and subjects of the test windows."""
        return self.folder / "predictions.npz"

    @property
    def head_logits(self) -> Path:
        """Logits of both heads, if requested."""
        return self.folder / "heads.npz"

    @property
    def claimed_by(self) -> Path:
        """Written first: identifies the job of the folder."""
        return self.folder / "job.json"

    def settings(self) -> dict[str, Any]:
        """Settings that determine the trained model, as plain JSON values."""
        content = {"fold": asdict(self.fold), "data": self.data, "config": asdict(self.config)}
        settings: dict[str, Any] = json.loads(json.dumps(content))
        return settings


@dataclass(frozen=True)
class FoldResult:
    """A complete fold.

    Args:
        job: the job.
        figures: the content of ``result.json``.
    """

    job: FoldJob
    figures: dict[str, Any]

    @cached_property
    def predictions(self) -> Predictions:
        """The fold's predictions, read from its folder."""
        return Predictions.load(self.job.predictions)

    @cached_property
    def heads(self) -> HeadLogits:
        """Logits of each head, read from the fold's folder."""
        return HeadLogits.load(self.job.head_logits)


def fold_folder(out: Path, name: str) -> Path:
    """Folder of a fold in a cross-validation's folder."""
    return out / f"fold-{quote(name, safe=' ')}"


def finished(job: FoldJob) -> FoldResult | None:
    """The result of a complete fold with the same settings, or None."""
    content = _read(job.result)
    same = _of_today(content.get("job")) == job.settings() and ("int8" in content) == job.int8
    whole = job.predictions.exists() and (job.head_logits.exists() or not job.heads)
    return FoldResult(job, content) if same and whole else None


def check_claim(job: FoldJob) -> None:
    """Refuse a folder with other files, or with the same fold for other settings or data.

    Raises:
        SetupError: names the first setting that differs.
    """
    if not job.folder.exists():
        return
    before, now = _of_today(_read(job.claimed_by)), job.settings()
    if not before and (not job.folder.is_dir() or set(job.folder.iterdir()) - {job.log}):
        raise SetupError(job.folder, found="other files", expected="a new folder", next_step="choose another -o")
    for name, old, new in _differences(before, now):
        raise SetupError(
            f"{job.claimed_by}: {name}",
            found=new,
            expected=f"{old}, as when the fold began",
            next_step="continue with the same data and options, start again with --overwrite, or choose another -o",
        )


def claim(job: FoldJob) -> None:
    """Record the job in the fold's folder."""
    atomic_write(job.claimed_by, json.dumps(job.settings(), indent=2) + "\n")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _of_today(job: Any) -> Any:
    """The settings of a job of any version, as this one would write them; anything else as it is."""
    config = job.get("config") if isinstance(job, dict) else None
    if not isinstance(config, dict):
        return job
    return job | {"config": settings_of_today(config)}


def settings_of_today(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of a training of any version, as this one would write them; as they are if it knows no such ones.

    Args:
        config: settings as plain JSON values.
    """
    try:
        today = asdict(TrainConfig.of_any_version(config))
    except (ModelError, TypeError, ValueError):
        return config
    content: dict[str, Any] = json.loads(json.dumps(today))
    return content


def _differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, old and new value of each setting that differs, in order; nested settings by their own names."""
    for name in {**before, **now} if before else ():
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new)
        elif old != new:
            yield name, old, new


def run_fold(dataset: Dataset, job: FoldJob) -> FoldResult:
    """Run a fold, or continue it if it was interrupted.

    Args:
        dataset: the recordings, with the requested labels only.
        job: the fold.

    Raises:
        DataError: if data of a test subject are in the training windows, or if the fold cannot be trained on.
        SetupError: if the fold's folder contains other files.
        ConversionError: if int8 is requested and the model cannot be converted.
    """
    done = finished(job)
    if done:
        return done
    check_claim(job)
    claim(job)
    from deseptr.train.pipeline import train
    from deseptr.train.preparation import prepare

    began = time.perf_counter()
    subjects = job.fold.test_subjects
    data = prepare(dataset, job.config, subjects)
    check_leakage({"training": data.training, "validation": data.validation, "test": data.test})
    if data.few is not None and data.few.unlabelled is not None:
        unlabelled = data.few.unlabelled.without_margin(job.config.shift_samples)
        check_leakage({"unlabelled": unlabelled, "validation": data.validation})
        check_leakage({"unlabelled": unlabelled, "test": data.test})
    metrics = train(
        dataset,
        job.run,
        job.config,
        reporter=LogFile(job.log),
        test_subjects=subjects,
        teacher_run=job.teacher,
        resume=True,
    )
    predictions = _predict(job, data.test)
    predictions.save(job.predictions)
    figures = {
        "fold": job.fold.name,
        "subjects": metrics["subjects"],
        "windows": metrics["windows"],
        "parameters": metrics["student"]["parameters"],
        "macs": metrics["student"].get("macs"),
        "model": ModelContract.load(RunFolder(job.run).contract).model,
        "minutes": round((time.perf_counter() - began) / 60, 2),
        **{kind: predictions.figures(kind) for kind in predictions.kinds},
        "machine": metrics["machine"],
        "versions": metrics["versions"],
        "commit": metrics["commit"],
        "job": job.settings(),
    }
    atomic_write(job.result, json.dumps(figures, indent=2) + "\n")
    return FoldResult(job, figures)


def train_folds_together(dataset: Dataset, jobs: Sequence[FoldJob], report: Callable[[str], None]) -> None:
    """Train the folds that are not trained yet at once; :func:`run_fold` then only measures them.

    Args:
        dataset: the recordings with the wanted labels only.
        jobs: folds with the same settings.
        report: called with a line of text after each stage.

    Raises:
        DataError: if anything of a test subject is in the training windows, or a fold cannot be trained on.
        SetupError: if the settings do not allow it, or a fold's folder holds something else.
    """
    from deseptr.train.pipeline import prepare_run
    from deseptr.train.together import check_together, train_together

    runs = []
    for job in jobs:
        check_together(job.config)
        check_claim(job)
        claim(job)
        if not RunFolder(job.run).state("student").exists():
            runs.append(prepare_run(dataset, job.run, job.config, LogFile(job.log), job.fold.test_subjects))
    if runs:
        train_together(runs, report)


def _predict(job: FoldJob, test: Windows) -> Predictions:
    """Logits of the run for the test windows; of its heads and of its int8 model if requested."""
    predictions = Predictions.load(RunFolder(job.run).predictions)
    if job.heads:
        from deseptr.train.checkpoint import load_run

        HeadLogits.predict(load_run(job.run)[0], test.signals).save(job.head_logits)
    if not job.int8:
        return predictions
    from .int8_predictions import predict_int8

    return replace(predictions, int8_logits=predict_int8(job.run, test.signals))
