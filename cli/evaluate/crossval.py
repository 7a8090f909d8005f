"""``deseptr crossval``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.numbers import whole
from deseptr.cli.common.option_rules import goes_if
from deseptr.cli.common.options import (
    DATA_HELP,
    READING_GROUP,
    SUBJECTS,
    load_learnable,
    reading_options,
    subjects_option,
    unlabelled_option,
)
from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.train.training_options import TRAINING_GROUPS, training_options
from deseptr.train.config import NETWORK_NAMES, TrainConfig

from .fold_options import labels_option, output_option, result_options

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.evaluate.executors import Executor, Outcome
    from deseptr.evaluate.fold_job import FoldJob

GROUPS = {
    "Folds": ("name", "folds", "jobs", "address", "together", "int8"),
    "Results": ("out", "overwrite", "as_json"),
    "Recordings": ("subjects", "unlabelled", "labels"),
    "Windows": ("window_s", "overlap"),
    **TRAINING_GROUPS,
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Train and test a model on the folds of a protocol; every protocol splits by subject.

{DATA_HELP}

\b
arena     3 s windows, half overlapping; subjects sorted, fold = index % 10
loso      one fold a subject, 2.56 s windows
official  the dataset's own test subjects, 2.56 s windows

OUT gets a folder for each fold (run, model.tflite, predictions.npz, result.json, log.txt), the summary as
crossval.json and crossval.md, and a page of it with the windows that were confused, crossval.html. Repeating the
command keeps finished folds and continues an interrupted one.
""",
    epilog="Example: deseptr crossval hapt.npz --protocol official --labels 1-6 -o runs/hapt-official",
)
@click.argument("source", metavar="DATA")
@click.option("--protocol", "name", required=True, metavar="arena|loso|official", help="Test subjects of each fold.")
@output_option
@labels_option
@subjects_option
@unlabelled_option
@reading_options
@click.option("--folds", type=SUBJECTS, metavar="FOLDS", help="Run only these folds, as 0,3-5. [default: all]")
@click.option("--jobs", type=whole(1, 1024), help="Folds in parallel. [default: 1; on a cluster as many as fit]")
@click.option("--ray", "address", metavar="ADDRESS", help="Run on this Ray cluster: host:port, auto or local.")
@click.option("--together", is_flag=True, help="Train all folds at once: needs KERAS_BACKEND=jax, best on a GPU.")
@click.option("--int8/--no-int8", default=True, show_default=True, help="Also convert each network and test it.")
@training_options
@result_options("folds", "crossval.json")
@goes_if("model", lambda model: model in NETWORK_NAMES, "int8", kind="a network as --model")
def crossval(
    source: str,
    name: str,
    out: Path,
    labels: str | None,
    subjects: tuple[str, ...] | None,
    unlabelled: str | None,
    reading: dict[str, str],
    folds: tuple[str, ...] | None,
    jobs: int | None,
    address: str | None,
    together: bool,
    int8: bool,
    window_s: float | None,
    overlap: float | None,
    overwrite: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Cross-validate."""
    if together and (jobs or address):
        raise click.UsageError("--together trains all folds in this process: leave --jobs and --ray out")
    from deseptr.data import make_protocol, parse_labels

    dataset = load_learnable(source, subjects, unlabelled, reading)
    chosen = parse_labels(labels, dataset.label_names) if labels else None
    protocol = make_protocol(name, dataset, labels=chosen, window_s=window_s, overlap=overlap)

    from deseptr.evaluate.crossval import cross_validate

    with keeping_finished("folds"), FoldProgress() as progress:
        summary = cross_validate(
            dataset,
            protocol,
            TrainConfig(**settings),
            out,
            reporter=progress,
            folds=folds,
            int8=int8 and settings["model"] in NETWORK_NAMES,
            executor=_together() if together else make_executor(jobs, address),
            overwrite=overwrite,
            command=shlex.join(["deseptr", *sys.argv[1:]]),
        )
    if summary:
        _write_page(out, dataset)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        print_summary(summary, out)


def _write_page(out: Path, dataset: Dataset) -> None:
    """Write ``crossval.html``: the page of ``deseptr report``, with the windows that were confused."""
    from deseptr.contract import atomic_write
    from deseptr.evaluate.finished_run import read_crossval
    from deseptr.evaluate.run_comparison import compare
    from deseptr.report.runs_confusion import confused_of, origins_of
    from deseptr.report.runs_page import report_page

    runs = [read_crossval(out)]
    content = {**compare(runs), "left_out": []}
    confused = confused_of(content, runs, dict(origins_of(runs, dataset)))
    name = f"{runs[0].model} on {runs[0].setting.dataset}, protocol {runs[0].setting.protocol}"
    atomic_write(out / "crossval.html", report_page(content, confused, page_origin(), name))


def _together() -> Executor:
    from deseptr.evaluate.executors import together_executor

    return together_executor(lambda text: click.echo(text, err=True))


@contextmanager
def keeping_finished(what: str) -> Iterator[None]:
    """Exit as interrupted after Ctrl-C, with a message that finished parts are kept."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: finished {what} are kept; repeat the command to continue", err=True)
        raise click.exceptions.Exit(130) from None


def make_executor(jobs: int | None, address: str | None = None) -> Executor:
    """Make the executor of folds: a Ray cluster, several processes, or this process."""
    from deseptr.evaluate.executors import local_executor, ray_executor

    if address:
        return ray_executor(address, jobs)
    if not jobs or jobs == 1:
        from deseptr.train.quiet_import import load_quietly

        load_quietly()
    return local_executor(jobs or 1)


class FoldProgress:
    """Reporter of a cross-validation on stderr, with a line for each finished fold; use as a context manager."""

    parts = "folds"

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status = self._console.status("")
        self._ended = self._waiting = 0

    def __enter__(self) -> FoldProgress:
        self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._status.stop()

    def title(self, job: FoldJob) -> str:
        """Name of a fold in messages."""
        return f"fold {job.fold.name}"

    def logs(self, job: FoldJob) -> str:
        """Path pattern of the logs of all folds, from one of them."""
        return f"{job.folder.parent}/fold-*/log.txt"

    def begin(self, waiting: Sequence[FoldJob], kept: int) -> None:
        """Show the number of folds to run, and of folds finished before."""
        self._waiting = len(waiting)
        if kept:
            self._print(f"{kept} finished before and kept")
        if waiting:
            self._print(f"{len(waiting)} to run; epochs are logged in {self.logs(waiting[0])}")
        self._show()

    def fold(self, outcome: Outcome) -> None:
        """Show the scores of a finished fold, or its failure."""
        from deseptr.evaluate.fold_job import FoldResult

        self._ended += 1
        title = f"{self.title(outcome.job)} ({self._ended}/{self._waiting})"
        if isinstance(outcome, FoldResult):
            figures = outcome.figures
            scores = [f"{kind} {figures[kind]['macro_f1']:.3f}" for kind in ("float", "int8") if kind in figures]
            self._print(f"{title}: macro-F1 {', '.join(scores)}, {figures['minutes']} minutes")
        else:
            self._print(f"{title} failed: {outcome.error}")
        self._show()

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _show(self) -> None:
        self._status.update(f"{self._ended} of {self._waiting} {self.parts} have ended")


def print_summary(summary: dict[str, Any], out: Path) -> None:
    """Print the table of folds, their mean, and the path of the summary."""
    from deseptr.cli.common.tables import print_rows
    from deseptr.evaluate.crossval_summary import headline, labelled_subjects, rows

    print_rows(*rows(summary), left=2, bold=lambda row: row[0] in ("mean", "pooled") and not row[1])
    if labelled := labelled_subjects(summary):
        click.echo(labelled)
    click.echo(f"{headline(summary)}\nsummary: {out / 'crossval.md'}\npage: {out / 'crossval.html'}")
