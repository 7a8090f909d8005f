"""``deseptr lab --curve``: macro-F1 against the number of labelled wearers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.page_origin import page_origin

from .crossval import FoldProgress, keeping_finished, make_executor

if TYPE_CHECKING:
    from deseptr.data import Dataset, FoldProtocol
    from deseptr.evaluate.curve.curve import CurveExecutors
    from deseptr.evaluate.fold_job import FoldJob
    from deseptr.train.config import TrainConfig

GRID = ("distillations", "temperatures", "stems", "int8", "labelled_subjects", "validation")
"""Options of the lab that a curve decides itself."""


@dataclass(frozen=True)
class CurveRequest:
    """What a curve is of.

    Args:
        counts: numbers of labelled wearers, 0 for all.
        seeds: seeds.
        jobs: trainings in parallel.
        together: whether all folds of a network are trained as one program.
    """

    counts: tuple[int, ...]
    seeds: tuple[int, ...]
    jobs: int
    together: bool


def check_curve_options(context: click.Context, request: CurveRequest) -> None:
    """Refuse options that a curve decides itself, since they would be ignored."""
    for name in GRID:
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            flag = next(each.opts[0] for each in context.command.params if each.name == name)
            raise click.UsageError(f"--curve compares its own arms without validation subjects: leave {flag} out")
    if request.together and request.jobs > 1:
        raise click.UsageError("--together trains all folds in this process: leave --jobs out")


def draw_curve(
    dataset: Dataset,
    protocol: FoldProtocol,
    request: CurveRequest,
    config: TrainConfig,
    out: Path,
    *,
    overwrite: bool,
    as_json: bool,
    command: str,
) -> None:
    """Run the curve, and write and print its figures."""
    from deseptr.contract import atomic_write
    from deseptr.evaluate.curve.curve import run_curve
    from deseptr.evaluate.curve.page import PICTURE
    from deseptr.report.curve_page import curve_page
    from deseptr.report.html.curve_figure import curve_figure

    with keeping_finished("trainings"), TrainingsProgress() as progress:
        summary = run_curve(
            dataset,
            protocol,
            request.counts,
            request.seeds,
            config,
            out,
            reporter=progress,
            executors=_executors(request),
            overwrite=overwrite,
            command=command,
        )
    if summary:
        atomic_write(out / PICTURE, curve_figure(summary))
        atomic_write(out / "curve.html", curve_page(summary, page_origin()))
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    elif summary:
        _print_curve(summary, out)


def _executors(request: CurveRequest) -> CurveExecutors:
    from deseptr.evaluate.curve.curve import CurveExecutors
    from deseptr.evaluate.executors import together_executor

    local = make_executor(request.jobs)
    if not request.together:
        return CurveExecutors(local, local)
    return CurveExecutors(together_executor(lambda text: click.echo(text, err=True)), local, together=True)


class TrainingsProgress(FoldProgress):
    """Reporter of a curve on stderr, with a line for each finished training; use as a context manager."""

    parts = "trainings"

    def title(self, job: FoldJob) -> str:
        """Name of a training in messages."""
        seed = job.folder.parent
        return f"{seed.parent.parent.name} {seed.parent.name} {seed.name} fold {job.fold.name}"

    def logs(self, job: FoldJob) -> str:
        """Path pattern of the logs of all trainings, from one of them."""
        return f"{job.folder.parents[3]}/labels-*/*/seed-*/fold-*/log.txt"


def _print_curve(summary: dict[str, Any], out: Path) -> None:
    from deseptr.cli.common.tables import print_rows
    from deseptr.evaluate.curve.page import curve_table, difference_table, headline

    print_rows(*curve_table(summary), left=1)
    click.echo()
    print_rows(*difference_table(summary), left=2)
    click.echo(f"{headline(summary)}\npicture and how to read it: {out / 'curve.md'}\npage: {out / 'curve.html'}")
