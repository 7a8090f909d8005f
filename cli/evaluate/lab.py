"""``deseptr lab``."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.options import DATA_HELP, SUBJECTS, note_oddities
from deseptr.cli.train.training_options import lab_options
from deseptr.train.config import DISTILLATION_NAMES, STEM_NAMES, TrainConfig

from .crossval import FoldProgress, keeping_finished, make_executor
from .grid_options import Levels, Seeds, Temperatures

if TYPE_CHECKING:
    from deseptr.data import Dataset, FoldProtocol
    from deseptr.evaluate.fold_job import FoldJob


@click.command(
    help=f"""Train DeSepTr in every way of distilling on every stem, and tell what each is worth.

{DATA_HELP}

\b
distillation  the distillation head learns from labels alone (none), the teacher's
              probabilities (soft, at each temperature) or its class (hard)
stem          the teacher's, trained on (shared-tuned) or not (shared-frozen), or its own (own)
head          each student is read at its class head, its distillation head and their mean

All cells are trained on one split, those of a seed with one teacher. OUT gets a folder for each cell and the figures
and effects as lab.json and lab.md. The same command again, also with more of the grid, keeps finished cells and goes
on with an interrupted one.
""",
    epilog="Example: deseptr lab hapt.npz --protocol official --labels 1-6 --seeds 5 -o runs/lab",
)
@click.argument("source", metavar="DATA")
@click.option("-o", "--output", "out", required=True, type=click.Path(path_type=Path), metavar="OUT", help="Folder.")
@click.option(
    "--distillation",
    "distillations",
    type=Levels(DISTILLATION_NAMES),
    default=",".join(DISTILLATION_NAMES),
    show_default=True,
    help="Ways of distilling.",
)
@click.option("--temperatures", type=Temperatures(), default="1", show_default=True, help="Of soft distillation.")
@click.option(
    "--stem", "stems", type=Levels(STEM_NAMES), default=",".join(STEM_NAMES), show_default=True, help="Stems."
)
@click.option("--seeds", type=Seeds(), default="3", show_default=True, help="How many, or which, as 0,2,5-7.")
@click.option("--test-subjects", type=SUBJECTS, help="Whom to hold out. [default: the dataset's own choice, else 25 %]")
@click.option("--protocol", "name", metavar="arena|loso|official", help="Take the split from this protocol.")
@click.option("--fold", metavar="FOLD", help="The protocol's fold. [default: its first]")
@click.option("--labels", help="Keep these classes alone, by name or number, as walking,sitting or 1-6.")
@click.option("--subjects", type=SUBJECTS, help="Use these subjects alone.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Cells at once.")
@click.option("--int8", is_flag=True, help="Also convert each cell and test it.")
@lab_options
@click.option("--window-s", type=click.FloatRange(0, min_open=True), help="Other windows than the protocol's, s.")
@click.option("--overlap", type=click.FloatRange(0, 1, max_open=True), help="Other overlap than the protocol's.")
@click.option("--overwrite", is_flag=True, help="Begin the cells anew.")
@click.option("--json", "as_json", is_flag=True, help="Print lab.json on stdout.")
def lab(
    source: str,
    out: Path,
    distillations: tuple[str, ...],
    temperatures: tuple[float, ...],
    stems: tuple[str, ...],
    seeds: tuple[int, ...],
    test_subjects: tuple[str, ...] | None,
    name: str | None,
    fold: str | None,
    labels: str | None,
    subjects: tuple[str, ...] | None,
    jobs: int,
    int8: bool,
    window_s: float | None,
    overlap: float | None,
    overwrite: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Run the grid."""
    if name and test_subjects:
        raise click.UsageError("--protocol and --test-subjects both choose whom to hold out: choose one")
    if fold and not name:
        raise click.UsageError("--fold is one of a protocol's: name that with --protocol")
    from deseptr.data import load_dataset

    dataset = load_dataset(source)
    if subjects:
        dataset = dataset.select(subjects=subjects)
    protocol = _split(dataset, name, fold, test_subjects, labels)
    protocol = replace(
        protocol,
        window_s=protocol.window_s if window_s is None else window_s,
        overlap=protocol.overlap if overlap is None else overlap,
    )
    note_oddities(dataset)
    from deseptr.evaluate.int8_predictions import PREDICT_INT8
    from deseptr.evaluate.lab.grid import Grid
    from deseptr.evaluate.lab.lab import run_lab

    with keeping_finished("cells"), CellProgress() as progress:
        summary = run_lab(
            dataset,
            protocol,
            Grid(distillations, stems, temperatures, seeds),
            TrainConfig(**settings),
            out,
            reporter=progress,
            int8=PREDICT_INT8 if int8 else None,
            executor=make_executor(jobs),
            overwrite=overwrite,
            command=shlex.join(["deseptr", *sys.argv[1:]]),
        )
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        print_lab(summary, out)


def _split(
    dataset: Dataset, name: str | None, fold: str | None, test_subjects: tuple[str, ...] | None, labels: str | None
) -> FoldProtocol:
    """A protocol of one fold: another protocol's, or one that holds out the subjects wanted."""
    from deseptr.data import Fold, FoldProtocol, make_protocol, parse_labels, subject_split

    chosen = parse_labels(labels, dataset.label_names) if labels else dataset.label_names
    if name:
        protocol = make_protocol(name, dataset, labels=chosen)
        return replace(protocol, folds=protocol.choose((fold,)) if fold else protocol.folds[:1])
    kept = dataset.select(labels=chosen)
    held_out = Fold("test", subject_split(kept, test_subjects=test_subjects).test)
    return FoldProtocol("held out", (held_out,), TrainConfig.window_s, TrainConfig.overlap, chosen)


class CellProgress(FoldProgress):
    """Reporter of the lab on stderr, a line as each teacher or cell ends; use as a context manager."""

    what = "cells and teachers"

    def title(self, job: FoldJob) -> str:
        """What a cell is called."""
        return f"{job.folder.parent.name} {job.folder.name}"

    def logs(self, job: FoldJob) -> str:
        """Where the logs of all cells are, told from one of them."""
        return f"{job.folder.parent.parent}/seed-*/*/log.txt"


def print_lab(summary: dict[str, Any], out: Path) -> None:
    """Print the cells, the effects, and where the rest is."""
    from deseptr.cli.common.tables import print_rows
    from deseptr.evaluate.lab.page import cell_table, effect_table, headline

    print_rows(*cell_table(summary), left=2, bold=lambda row: row[1] in ("–", summary["head"]))
    click.echo()
    print_rows(*effect_table(summary), left=2)
    click.echo(f"{headline(summary)}\nhow to read them: {out / 'lab.md'}")
