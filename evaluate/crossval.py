"""``deseptr crossval`` as a function: trains and tests the folds of a protocol and summarises them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from deseptr.contract import DeseptrError, SetupError
from deseptr.data import Dataset, FoldProtocol
from deseptr.train.config import TrainConfig

from .crossval_summary import summarise, write_summary
from .executors import Executor, FoldFailure, Outcome, local_executor
from .fold_job import FoldJob, check_claim, claim, finished, fold_folder


class FoldReporter(Protocol):
    """Receives the progress of a cross-validation."""

    def begin(self, waiting: Sequence[FoldJob], kept: int) -> None:
        """The folds in ``waiting`` will be run; ``kept`` folds were complete before."""

    def fold(self, outcome: Outcome) -> None:
        """A fold has ended."""


def cross_validate(
    dataset: Dataset,
    protocol: FoldProtocol,
    config: TrainConfig,
    out: Path,
    *,
    reporter: FoldReporter,
    folds: Sequence[str] | None = None,
    int8: bool = False,
    executor: Executor | None = None,
    overwrite: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """Train and test the folds of a protocol and write ``crossval.json`` and ``crossval.md`` into ``out``.

    Complete folds are kept and an interrupted fold continues after its last complete epoch, so the same call can be
    repeated at any time. The summary includes all complete folds in ``out``, whichever were requested in this call.

    Args:
        dataset: labelled recordings.
        protocol: folds, windows and labels.
        config: settings of each fold's training; window and overlap are those of the protocol.
        out: folder to write.
        reporter: receives the progress.
        folds: names of the folds to run; all by default.
        int8: also convert the model of each fold to int8 and test that.
        executor: runs the folds; by default in this process.
        overwrite: start the requested folds again.
        command: command line to record in the summary.

    Returns:
        The content of ``crossval.json``.

    Raises:
        DataError: if a fold is unknown, or if data of a test subject are in the training windows.
        SetupError: if ``out`` contains other files, or a fold with other settings.
        DeseptrError: the error of the first fold that failed, after the others have ended.
    """
    dataset = dataset.select(labels=protocol.labels)
    config = replace(config, window_s=protocol.window_s, overlap=protocol.overlap)
    jobs = make_jobs(dataset, protocol, config, out, int8)
    wanted = {fold.name for fold in (protocol.folds if folds is None else protocol.choose(folds))}
    chosen = [job for job in jobs if job.fold.name in wanted]
    open_folder(out, chosen, overwrite, "fold-*")
    waiting = [job for job in chosen if finished(job) is None]
    reporter.begin(waiting, len(chosen) - len(waiting))
    error = run_jobs(executor or local_executor(), dataset, waiting, reporter)
    summary = _summary(jobs, dataset, protocol, out, command)
    if error:
        raise error
    return summary


def make_jobs(dataset: Dataset, protocol: FoldProtocol, config: TrainConfig, out: Path, int8: bool) -> list[FoldJob]:
    """A job for each fold of a protocol."""
    data = dataset_digest(dataset)
    folder = out.resolve()
    return [FoldJob(f, config, fold_folder(folder, f.name), data, int8) for f in protocol.folds]


def dataset_digest(dataset: Dataset) -> str:
    """Name of a dataset and 16 hexadecimal digits that change with any sample, label or subject."""
    digest = sha256("\n".join(dataset.label_names).encode())
    for recording in dataset.recordings:
        digest.update(f"\n{recording.subject}\n{recording.rate_hz}\n".encode())
        digest.update(recording.signals.tobytes())
        digest.update(recording.labels.tobytes())
    for recording in dataset.unlabelled:
        digest.update(f"\nunlabelled {recording.subject}\n{recording.rate_hz}\n".encode())
        digest.update(recording.signals.tobytes())
    return f"{dataset.name} {digest.hexdigest()[:16]}"


def open_folder(out: Path, jobs: Sequence[FoldJob], overwrite: bool, pattern: str) -> None:
    """Claim the folders of all folds, or none, before the first fold runs.

    Args:
        out: common folder.
        jobs: the folds.
        overwrite: start them again.
        pattern: pattern of the folds' folders in ``out``, which identifies a folder of earlier folds.

    Raises:
        SetupError: if ``out`` contains other files, or a fold with other settings.
    """
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or any(out.glob(f"{pattern}/job.json")))):
        raise SetupError(out, found="other files", expected="a new folder", next_step="choose another -o")
    for job in jobs:
        if overwrite and job.claimed_by.exists():
            shutil.rmtree(job.folder)
        check_claim(job)
    for job in jobs:
        claim(job)


def run_jobs(
    executor: Executor, dataset: Dataset, jobs: Sequence[FoldJob], reporter: FoldReporter
) -> DeseptrError | None:
    """Run the folds and return the first error."""
    errors = []
    for outcome in executor(dataset, jobs):
        reporter.fold(outcome)
        if isinstance(outcome, FoldFailure):
            errors.append(outcome.error)
    return errors[0] if errors else None


def _summary(
    jobs: Sequence[FoldJob], dataset: Dataset, protocol: FoldProtocol, out: Path, command: str
) -> dict[str, Any]:
    results = [result for result in map(finished, jobs) if result]
    if not results:
        return {}
    summary = summarise(results, protocol, dataset.name, command)
    write_summary(summary, out)
    return summary
