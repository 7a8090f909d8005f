"""``deseptr lab`` as a function: what the stem, the distillation and the tokens of a distilled student are each worth.

Every cell of the grid is a fold of :mod:`.fold` on one and the same split, and so is the teacher of each seed, which
all cells of that seed share. Heads need no training of their own: each trained student is read at both heads and their
mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deseptr.contract import DataError
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
    """What a grid asks for.

    Args:
        teachers: by seed, where a cell takes anything of one.
        cells: by cell and seed, a seed after the other.
    """

    teachers: dict[int, FoldJob]
    cells: dict[tuple[Cell, int], FoldJob]

    def __iter__(self) -> Iterator[FoldJob]:
        """All jobs, the teachers first."""
        yield from self.teachers.values()
        yield from self.cells.values()

    @property
    def ready(self) -> list[FoldJob]:
        """Cells that are not finished and whose teacher is, or that need none."""
        taught = {seed for seed, job in self.teachers.items() if finished(job)}
        return [
            job
            for (cell, seed), job in self.cells.items()
            if finished(job) is None and (seed in taught or not cell.needs_teacher)
        ]

    def results(self) -> Results:
        """What is finished."""
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
    int8: str | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """Train and test the cells of a grid on one split and write ``lab.json`` and ``lab.md`` into ``out``.

    Finished cells are kept and an interrupted one goes on after its last whole epoch, so the same call can be made
    again at any time, with more of the grid too. The summary is of the grid's finished cells.

    Args:
        dataset: labelled recordings.
        protocol: windows, labels and one fold, the split.
        grid: the levels of each factor.
        config: what no cell varies; window and overlap are the protocol's.
        out: folder to write.
        reporter: who is told.
        int8: importable name of what converts and predicts, see :class:`FoldJob`; it gets every cell at the head that
            ``config.prediction`` names.
        executor: where the cells run; here by default.
        overwrite: begin the grid's cells and their teachers anew.
        command: what to write as the command line that made the summary.

    Returns:
        What ``lab.json`` says; empty where no cell is finished.

    Raises:
        DataError: if the protocol has several folds, or anything of a test subject is in the training windows.
        SetupError: if ``out`` holds something else, or a cell of other settings.
        DeseptrError: of the first cell that failed, after the others have ended.
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


def make_lab_jobs(
    dataset: Dataset, fold: Fold, grid: Grid, config: TrainConfig, out: Path, int8: str | None
) -> LabJobs:
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
            found=f"{len(protocol.folds)} folds",
            expected="one, since all cells are compared on the same split",
            next_step="choose one of them",
        )
    return protocol.folds[0]
