"""``deseptr lab`` as a function: measures the effects of stem, distillation and heads of a distilled student.

Every cell of the grid is a :class:`~deseptr.evaluate.fold_job.FoldJob` on the same split, and so is the teacher of each
seed, which all cells of that seed share. Heads need no training of their own: each trained student is evaluated at both
heads and their mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deseptr.contract import DataError
from deseptr.contract.counts import counted
from deseptr.data import Dataset, Fold, FoldProtocol
from deseptr.evaluate.crossval import FoldReporter, dataset_digest, open_folder, run_jobs
from deseptr.evaluate.executors import Executor, local_executor
from deseptr.evaluate.fold_job import FoldJob, finished
from deseptr.train.config import STEM_MODELS, TrainConfig

from .grid import Cell, Grid
from .page import write_page
from .summary import Results, summarise


@dataclass(frozen=True)
class LabJobs:
    """Jobs of a grid.

    Args:
        teachers: job of the teacher by seed, if a cell needs it.
        cells: jobs by cell and seed, sorted by seed.
    """

    teachers: dict[int, FoldJob]
    cells: dict[tuple[Cell, int], FoldJob]

    def __iter__(self) -> Iterator[FoldJob]:
        """All jobs, the teachers first."""
        yield from self.teachers.values()
        yield from self.cells.values()

    @property
    def ready(self) -> list[FoldJob]:
        """Incomplete cells whose teacher is complete or not needed."""
        taught = {seed for seed, job in self.teachers.items() if finished(job)}
        return [
            job
            for (cell, seed), job in self.cells.items()
            if finished(job) is None and (seed in taught or not cell.needs_teacher)
        ]

    def results(self) -> Results:
        """Results of the complete jobs."""
        teachers = {seed: result for seed, job in self.teachers.items() if (result := finished(job))}
        cells = {key: result for key, job in self.cells.items() if (result := finished(job))}
        return Results(teachers, cells)


def run_lab(
    dataset: Dataset,
    protocol: FoldProtocol,
    grid: Grid,
    config: TrainConfig,
    out: Path,
    *,
    reporter: FoldReporter,
    int8: bool = False,
    executor: Executor | None = None,
    overwrite: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """Train and test the cells of a grid on one split and write ``lab.json`` and ``lab.md`` into ``out``.

    Complete cells are kept and an interrupted cell continues after its last complete epoch, so the same call can be
    repeated at any time, also with a larger grid. The summary includes the grid's complete cells.

    Args:
        dataset: labelled recordings.
        protocol: windows, labels and a single fold, which is the split.
        grid: the levels of each factor.
        config: settings that no cell varies; window and overlap are those of the protocol.
        out: folder to write.
        reporter: receives the progress.
        int8: also convert every cell to int8 and test that; converted with the head that ``config.prediction`` names.
        executor: runs the cells; by default in this process.
        overwrite: start the grid's cells and their teachers again.
        command: command line to record in the summary.

    Returns:
        The content of ``lab.json``; empty if no cell is complete.

    Raises:
        DataError: if the protocol has several folds, or if data of a test subject are in the training windows.
        SetupError: if ``out`` contains other files, or a cell with other settings.
        DeseptrError: the error of the first cell that failed, after the others have ended.
    """
    dataset = dataset.select(labels=protocol.labels)
    config = replace(config, model=STEM_MODELS[0], window_s=protocol.window_s, overlap=protocol.overlap)
    jobs = make_lab_jobs(dataset, _only_fold(protocol), grid, config, out, int8)
    open_folder(out, list(jobs), overwrite, "seed-*/*")
    waiting = [job for job in jobs if finished(job) is None]
    reporter.begin(waiting, len(list(jobs)) - len(waiting))
    executor = executor or local_executor()
    teachers = [job for job in waiting if job in jobs.teachers.values()]
    of_teachers = run_jobs(executor, dataset, teachers, reporter)
    of_cells = run_jobs(executor, dataset, jobs.ready, reporter)
    results = jobs.results()
    summary = summarise(results, grid, config, protocol, dataset.name, command) if results.cells else {}
    if summary:
        write_page(summary, out)
    if error := of_teachers or of_cells:
        raise error
    return summary


def make_lab_jobs(dataset: Dataset, fold: Fold, grid: Grid, config: TrainConfig, out: Path, int8: bool) -> LabJobs:
    """A job for each cell and seed, and for each teacher that they need."""
    data, folder = dataset_digest(dataset), out.resolve()
    teachers, cells = {}, {}
    for seed in grid.seeds:
        of_seed = folder / f"seed-{seed}"
        teacher = FoldJob(fold, replace(config, model="resnet18", seed=seed), of_seed / "teacher", data)
        for cell in grid.cells:
            lent = teacher.run if cell.needs_teacher else None
            settings = cell.config(config, seed)
            cells[cell, seed] = FoldJob(fold, settings, of_seed / cell.folder, data, int8, lent, heads=True)
            if lent:
                teachers[seed] = teacher
    return LabJobs(teachers, cells)


def _only_fold(protocol: FoldProtocol) -> Fold:
    if len(protocol.folds) != 1:
        raise DataError(
            f"protocol {protocol.name}",
            found=counted(len(protocol.folds), "fold"),
            expected="one, since all cells are compared on the same split",
            next_step="choose one of them",
        )
    return protocol.folds[0]
