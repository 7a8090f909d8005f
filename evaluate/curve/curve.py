"""``deseptr lab --curve`` as a function: macro-F1 against the number of labelled wearers.

Every training is a :class:`~deseptr.evaluate.fold_job.FoldJob` of a number of labelled wearers, an arm, a seed and a
fold, with a folder of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deseptr.contract import DataError, DeseptrError, SetupError
from deseptr.data import Dataset, FoldProtocol
from deseptr.evaluate.crossval import FoldReporter, dataset_digest, open_folder, run_jobs
from deseptr.evaluate.executors import Executor, local_executor
from deseptr.evaluate.fold_job import FoldJob, finished, fold_folder
from deseptr.train.config import TrainConfig
from deseptr.train.models.registry import MODELS

from .arms import ALL, SELF_TRAINED, TAUGHT, Arm, arms_of
from .page import write_page
from .summary import Cell, summarise

RunJobs = Callable[[Executor, Sequence[FoldJob]], DeseptrError | None]


@dataclass(frozen=True)
class CurveExecutors:
    """What runs the trainings.

    Args:
        networks: runs those of networks.
        forests: runs those of forests.
        together: whether ``networks`` trains all its jobs as one program; they then need equal settings, and each
            trains its teacher in that program instead of taking another job's.
    """

    networks: Executor
    forests: Executor
    together: bool = False


def run_curve(
    dataset: Dataset,
    protocol: FoldProtocol,
    counts: Sequence[int],
    seeds: Sequence[int],
    config: TrainConfig,
    out: Path,
    *,
    reporter: FoldReporter,
    executors: CurveExecutors | None = None,
    overwrite: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """Train and test all arms at each number of labelled wearers; write ``curve.json`` and ``curve.md`` into ``out``.

    Finished trainings are kept and an interrupted one continues after its last complete epoch, so the same call can be
    repeated at any time, also with more counts or seeds. No subject is left out for validation, since its labels would
    choose the epoch.

    Args:
        dataset: labelled recordings.
        protocol: folds, windows and labels.
        counts: numbers of labelled wearers; 0 is all.
        seeds: seeds; each draws the labelled wearers of each fold, the weights and the order of examples.
        config: settings of the student; of these CNN-HAR has the input, the augmentation and the epochs, too.
        out: folder to write.
        reporter: receives the progress.
        executors: run the trainings; by default in this process.
        overwrite: start all trainings again.
        command: command line to record in the summary.

    Returns:
        The content of ``curve.json``; empty if no arm has finished all folds of a seed.

    Raises:
        DataError: if a count is not below the number of training subjects of each fold.
        SetupError: if the model has no teacher, or ``out`` contains other files or trainings with other settings.
        DeseptrError: the error of the first training that failed, after the others have ended.
    """
    dataset = dataset.select(labels=protocol.labels)
    config = replace(config, window_s=protocol.window_s, overlap=protocol.overlap, validation=0.0)
    _check(dataset, protocol, counts, config)
    executors = executors or CurveExecutors(local_executor(), local_executor())
    jobs = make_curve_jobs(dataset, protocol, counts, seeds, config, out, lend=not executors.together)
    every = [job for of_cell in jobs.values() for job in of_cell]
    open_folder(out, every, overwrite, "labels-*/*/seed-*/fold-*")
    waiting = [job for job in every if finished(job) is None]
    reporter.begin(waiting, len(every) - len(waiting))
    error = _run(jobs, executors, lambda executor, ready: run_jobs(executor, dataset, ready, reporter))
    results = {cell: [result for job in of_cell if (result := finished(job))] for cell, of_cell in jobs.items()}
    summary = summarise(results, protocol, config, dataset.name, command)
    if summary:
        write_page(summary, out)
    if error:
        raise error
    return summary


def make_curve_jobs(
    dataset: Dataset,
    protocol: FoldProtocol,
    counts: Sequence[int],
    seeds: Sequence[int],
    config: TrainConfig,
    out: Path,
    *,
    lend: bool,
) -> dict[Cell, list[FoldJob]]:
    """The jobs of each cell, by the number of labelled wearers, then the arm, then the seed.

    The student that is taught on unlabelled wearers, too, is taught by the same teacher as the other one, which is
    taken from that one's run if ``lend`` is set.
    """
    data, folder = dataset_digest(dataset), out.resolve()
    jobs: dict[Cell, list[FoldJob]] = {}
    for labelled in counts:
        for arm in arms_of(labelled):
            for seed in seeds:
                settings = arm.config(config, labelled, seed)
                place = folder_of(folder, labelled, arm, seed)
                taught = folder_of(folder, labelled, TAUGHT, seed) if lend and arm == SELF_TRAINED else None
                jobs[Cell(labelled, arm, seed)] = [
                    FoldJob(
                        fold,
                        settings,
                        fold_folder(place, fold.name),
                        data,
                        teacher=fold_folder(taught, fold.name) / "run" if taught else None,
                    )
                    for fold in protocol.folds
                ]
    return jobs


def folder_of(out: Path, labelled: int, arm: Arm, seed: int) -> Path:
    """Folder of the folds of a cell."""
    return out / f"labels-{labelled or 'all'}" / arm.name / f"seed-{seed}"


def _run(jobs: Mapping[Cell, Sequence[FoldJob]], executors: CurveExecutors, run: RunJobs) -> DeseptrError | None:
    """Run what is not finished, and return the first error; who takes a teacher of another job comes after it."""
    networks = [of_cell for cell, of_cell in jobs.items() if cell.arm.network]
    forests = [job for cell, of_cell in jobs.items() if not cell.arm.network for job in of_cell]
    if not executors.together:
        every = [job for of_cell in networks for job in of_cell]
        networks = [[job for job in every if not job.teacher], [job for job in every if job.teacher]]
    errors = []
    for executor, group in [(executors.forests, forests), *((executors.networks, group) for group in networks)]:
        ready = [job for job in group if finished(job) is None and _teacher_is_ready(job)]
        if ready and (error := run(executor, ready)):
            errors.append(error)
    return errors[0] if errors else None


def _teacher_is_ready(job: FoldJob) -> bool:
    return job.teacher is None or (job.teacher / "metrics.json").exists()


def _check(dataset: Dataset, protocol: FoldProtocol, counts: Sequence[int], config: TrainConfig) -> None:
    if not (MODELS[config.model].distilled and config.learns_without_labels):
        raise SetupError(
            "a curve of few labels",
            found=f"the model {config.model}, distillation {config.distillation}, "
            f"{config.unlabelled_share:g} of a step without labels",
            expected="a model that is taught, by windows without labels too",
            next_step="leave these settings out",
        )
    fewest = min(len(set(dataset.labelled_subjects) - set(fold.test_subjects)) for fold in protocol.folds)
    most = max(counts)
    if most >= fewest:
        raise DataError(
            "numbers of labelled wearers",
            found=most,
            expected=f"less than {fewest}, as many as the smallest fold trains on, or all",
            next_step="choose fewer, or write all",
        )
    if len(set(counts)) < len(counts) or min(counts) < ALL:
        raise DataError(
            "numbers of labelled wearers",
            found=", ".join(map(str, counts)),
            expected="numbers above 0, each once, or 0 for all",
            next_step="correct the list",
        )
