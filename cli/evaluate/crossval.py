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

from deseptr.cli.common.options import DATA_HELP, SUBJECTS, note_oddities
from deseptr.cli.train.training_options import training_options
from deseptr.train.config import NETWORK_NAMES, TrainConfig

if TYPE_CHECKING:
    from deseptr.evaluate.executors import Executor, Outcome
    from deseptr.evaluate.fold_job import FoldJob


@click.command(
    help=f"""Train and test a model on the folds of a protocol, all of which split by subject.

{DATA_HELP}

\b
arena     3 s windows, half overlapping; subjects sorted, fold = index % 10
loso      one fold a subject, 2.56 s windows
official  the dataset's own test subjects, 2.56 s windows

OUT gets a folder for each fold (run, model.tflite, predictions.npz, result.json, log.txt) and the summary as
crossval.json and crossval.md. The same command again keeps finished folds and goes on with an interrupted one.
""",
    epilog="Example: deseptr crossval hapt.npz --protocol official --labels 1-6 -o runs/hapt-official",
)
@click.argument("source", metavar="DATA")
@click.option("--protocol", "name", required=True, metavar="arena|loso|official", help="Who is tested in which fold.")
@click.option("-o", "--output", "out", required=True, type=click.Path(path_type=Path), metavar="OUT", help="Folder.")
@click.option("--labels", help="Keep these classes alone, by name or number, as walking,sitting or 1-6.")
@click.option("--subjects", type=SUBJECTS, help="Use these subjects alone.")
@click.option("--folds", type=SUBJECTS, metavar="FOLDS", help="Run these folds alone, as 0,3-5. [default: all]")
@click.option("--jobs", type=click.IntRange(1), help="Folds at once. [default: 1; on a cluster what fits]")
@click.option("--ray", "address", metavar="ADDRESS", help="Run on this Ray cluster: host:port, auto or local.")
@click.option("--together", is_flag=True, help="Train all folds at once: needs KERAS_BACKEND=jax, best on a GPU.")
@click.option("--int8/--no-int8", default=True, show_default=True, help="Also convert each network and test it.")
@training_options
@click.option("--window-s", type=click.FloatRange(0, min_open=True), help="Other windows than the protocol's, s.")
@click.option("--overlap", type=click.FloatRange(0, 1, max_open=True), help="Other overlap than the protocol's.")
@click.option("--overwrite", is_flag=True, help="Begin the folds anew.")
@click.option("--json", "as_json", is_flag=True, help="Print crossval.json on stdout.")
def crossval(
    source: str,
    name: str,
    out: Path,
    labels: str | None,
    subjects: tuple[str, ...] | None,
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
    from deseptr.data import load_dataset, make_protocol, parse_labels

    dataset = load_dataset(source)
    if subjects:
        dataset = dataset.select(subjects=subjects)
    chosen = parse_labels(labels, dataset.label_names) if labels else None
    protocol = make_protocol(name, dataset, labels=chosen, window_s=window_s, overlap=overlap)
    note_oddities(dataset)
    from deseptr.evaluate.crossval import cross_validate
    from deseptr.evaluate.int8_predictions import PREDICT_INT8

    with keeping_finished("folds"), FoldProgress() as progress:
        summary = cross_validate(
            dataset,
            protocol,
            TrainConfig(**settings),
            out,
            reporter=progress,
            folds=folds,
            int8=PREDICT_INT8 if int8 and settings["model"] in NETWORK_NAMES else None,
            executor=_together() if together else make_executor(jobs, address),
            overwrite=overwrite,
            command=shlex.join(["deseptr", *sys.argv[1:]]),
        )
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        print_summary(summary, out)


def _together() -> Executor:
    from deseptr.evaluate.executors import together_executor

    return together_executor(lambda text: click.echo(text, err=True))


@contextmanager
def keeping_finished(what: str) -> Iterator[None]:
    """Explain an interruption that leaves what is finished, and exit as interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: finished {what} are kept; the same command goes on", err=True)
        raise click.exceptions.Exit(130) from None


def make_executor(jobs: int | None, address: str | None = None) -> Executor:
    """Where folds run: on a cluster, in so many processes, or here."""
    from deseptr.evaluate.executors import local_executor, ray_executor

    if address:
        return ray_executor(address, jobs)
    if not jobs or jobs == 1:
        from deseptr.train.quiet_import import load_quietly

        load_quietly()
    return local_executor(jobs or 1)


class FoldProgress:
    """Reporter of a cross-validation on stderr, a line as each fold ends; use as a context manager."""

    what = "folds"

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
        """What a fold is called."""
        return f"fold {job.fold.name}"

    def logs(self, job: FoldJob) -> str:
        """Where the logs of all folds are, told from one of them."""
        return f"{job.folder.parent}/fold-*/log.txt"

    def begin(self, waiting: Sequence[FoldJob], kept: int) -> None:
        """So many folds wait, and so many were finished before."""
        self._waiting = len(waiting)
        if kept:
            self._say(f"{kept} finished before and kept")
        if waiting:
            self._say(f"{len(waiting)} to run; epochs are told in {self.logs(waiting[0])}")
        self._show()

    def fold(self, outcome: Outcome) -> None:
        """A fold has ended."""
        from deseptr.evaluate.fold_job import FoldResult

        self._ended += 1
        title = f"{self.title(outcome.job)} ({self._ended}/{self._waiting})"
        if isinstance(outcome, FoldResult):
            figures = outcome.figures
            scores = [f"{kind} {figures[kind]['macro_f1']:.3f}" for kind in ("float", "int8") if kind in figures]
            self._say(f"{title}: macro-F1 {', '.join(scores)}, {figures['minutes']} minutes")
        else:
            self._say(f"{title} failed: {outcome.error}")
        self._show()

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _show(self) -> None:
        self._status.update(f"{self._ended} of {self._waiting} {self.what} have ended")


def print_summary(summary: dict[str, Any], out: Path) -> None:
    """Print the table of folds, their mean, and where the rest is."""
    from deseptr.cli.common.tables import print_rows
    from deseptr.evaluate.crossval_summary import headline, rows

    print_rows(*rows(summary), left=2, bold=lambda row: row[0] in ("mean", "pooled") and not row[1])
    click.echo(f"{headline(summary)}\nsummary: {out / 'crossval.md'}")
