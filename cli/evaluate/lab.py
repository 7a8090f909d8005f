"""``deseptr lab``."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.numbers import whole
from deseptr.cli.common.option_rules import goes_with
from deseptr.cli.common.options import (
    DATA_HELP,
    HELD_OUT_HELP,
    READING_GROUP,
    SUBJECTS,
    load_subjects,
    reading_options,
    subjects_option,
)
from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.train.training_options import LAB_GROUPS, lab_options
from deseptr.train.config import DISTILLATION_NAMES, STEM_MODELS, STEM_NAMES, TrainConfig

from .crossval import FoldProgress, keeping_finished, make_executor
from .curve import CurveRequest, check_curve_options, draw_curve
from .fold_options import labels_option, output_option, result_options
from .grid_options import Counts, Levels, Seeds, Temperatures

if TYPE_CHECKING:
    from deseptr.data import Dataset, FoldProtocol
    from deseptr.evaluate.fold_job import FoldJob

GROUPS = {
    "Grid": ("distillations", "temperatures", "stems", "seeds", "jobs", "int8"),
    "Few labels": ("counts", "together"),
    "Results": ("out", "overwrite", "as_json"),
    "Recordings": ("name", "fold", "test_subjects", "subjects", "labels"),
    "Windows": ("window_s", "overlap"),
    **LAB_GROUPS,
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Train DeSepTr with every distillation on every stem, and measure the effect of each.

{DATA_HELP}

\b
distillation  the distillation head learns from labels alone (none), or the
              teacher's probabilities (soft, at each temperature) or its
              class (hard)
stem          the teacher's, trained on (shared-tuned) or not (shared-frozen),
              or its own (own)
head          each student is read at its class head, its distillation head
              and their mean

All cells share one split, and all cells of a seed share one teacher. OUT gets a folder for each cell, the figures
and effects as lab.json and lab.md, and a page of them with the windows that the best cell confused, lab.html. Repeating
the command, also with a larger grid, keeps finished cells and continues an interrupted one.

With --curve the lab measures few labels instead: CNN-HAR, a random forest, and the student alone, taught, and taught on
the windows of unlabelled wearers too, with the labels of so many wearers. OUT gets a folder for each training, and
curve.json, curve.md, the picture curve.svg and the page curve.html.
""",
    epilog="Example: deseptr lab hapt.npz --protocol official --labels 1-6 --seeds 5 -o runs/lab",
)
@click.argument("source", metavar="DATA")
@output_option
@click.option(
    "--distillation",
    "distillations",
    type=Levels(DISTILLATION_NAMES),
    default=",".join(DISTILLATION_NAMES),
    show_default=True,
    help="Kinds of distillation.",
)
@click.option(
    "--temperatures", type=Temperatures(), default="1", show_default=True, help="Temperatures of soft distillation."
)
@click.option(
    "--stem", "stems", type=Levels(STEM_NAMES), default=",".join(STEM_NAMES), show_default=True, help="Stems."
)
@click.option("--seeds", type=Seeds(), default="3", show_default=True, help="Number of seeds, or a list, as 0,2,5-7.")
@click.option("--test-subjects", type=SUBJECTS, help=HELD_OUT_HELP)
@click.option("--protocol", "name", metavar="arena|loso|official", help="Use the split of this protocol.")
@click.option("--fold", metavar="FOLD", help="The protocol's fold. [default: its first, or with --curve all]")
@click.option(
    "--curve",
    "counts",
    type=Counts(),
    help="Measure few labels instead: macro-F1 against these numbers of labelled wearers, as 3,6,12,all.",
)
@click.option("--together", is_flag=True, help="With --curve, train all folds at once: needs KERAS_BACKEND=jax.")
@labels_option
@subjects_option
@reading_options
@click.option("--jobs", type=whole(1, 1024), default=1, show_default=True, help="Cells in parallel.")
@click.option("--int8", is_flag=True, help="Also convert each cell and test it.")
@lab_options
@result_options("cells", "lab.json")
@goes_with("name", "fold")
@goes_with("counts", "together")
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
    counts: tuple[int, ...] | None,
    together: bool,
    labels: str | None,
    subjects: tuple[str, ...] | None,
    reading: dict[str, str],
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
        raise click.UsageError("--protocol and --test-subjects both choose the subjects to hold out: give one")
    request = CurveRequest(counts, seeds, jobs, together) if counts else None
    if request:
        check_curve_options(click.get_current_context(), request)
    dataset = load_subjects(source, subjects, reading)
    protocol = _split(dataset, name, fold, test_subjects, labels, every=request is not None)
    protocol = replace(
        protocol,
        window_s=protocol.window_s if window_s is None else window_s,
        overlap=protocol.overlap if overlap is None else overlap,
    )
    command = shlex.join(["deseptr", *sys.argv[1:]])
    if request:
        config = TrainConfig(**settings)
        draw_curve(dataset, protocol, request, config, out, overwrite=overwrite, as_json=as_json, command=command)
        return

    from deseptr.evaluate.lab.grid import Grid
    from deseptr.evaluate.lab.lab import run_lab

    with keeping_finished("cells"), CellProgress() as progress:
        summary = run_lab(
            dataset,
            protocol,
            Grid(distillations, stems, temperatures, seeds),
            TrainConfig(model=STEM_MODELS[0], **settings),
            out,
            reporter=progress,
            int8=int8,
            executor=make_executor(jobs),
            overwrite=overwrite,
            command=command,
        )
    if summary:
        _write_page(summary, out, dataset)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        print_lab(summary, out)


def _write_page(summary: dict[str, Any], out: Path, dataset: Dataset) -> None:
    """Write ``lab.html``, with the windows that the best cell confused."""
    from deseptr.contract import atomic_write
    from deseptr.evaluate.lab.confused_cells import confused_cells
    from deseptr.report.lab_page import lab_page

    atomic_write(out / "lab.html", lab_page(summary, confused_cells(summary, out, dataset), page_origin()))


def _split(
    dataset: Dataset,
    name: str | None,
    fold: str | None,
    test_subjects: tuple[str, ...] | None,
    labels: str | None,
    *,
    every: bool,
) -> FoldProtocol:
    """Make a protocol of one fold, or with ``every`` all folds of the named one, or of one that holds subjects out."""
    from deseptr.data import Fold, FoldProtocol, make_protocol, parse_labels, subject_split

    chosen = parse_labels(labels, dataset.label_names) if labels else dataset.label_names
    if name:
        protocol = make_protocol(name, dataset, labels=chosen)
        if every and not fold:
            return protocol
        return replace(protocol, folds=protocol.choose((fold,)) if fold else protocol.folds[:1])
    kept = dataset.select(labels=chosen)
    held_out = Fold("test", subject_split(kept, test_subjects=test_subjects).test)
    return FoldProtocol("held out", (held_out,), TrainConfig.window_s, TrainConfig.overlap, chosen)


class CellProgress(FoldProgress):
    """Reporter of the lab on stderr, with a line for each finished teacher or cell; use as a context manager."""

    parts = "cells and teachers"

    def title(self, job: FoldJob) -> str:
        """Name of a cell in messages."""
        return f"{job.folder.parent.name} {job.folder.name}"

    def logs(self, job: FoldJob) -> str:
        """Path pattern of the logs of all cells, from one of them."""
        return f"{job.folder.parent.parent}/seed-*/*/log.txt"


def print_lab(summary: dict[str, Any], out: Path) -> None:
    """Print the cells, the effects, and the path of the explanations."""
    from deseptr.cli.common.tables import print_rows
    from deseptr.evaluate.lab.page import cell_table, effect_table, headline

    print_rows(*cell_table(summary), left=2, bold=lambda row: row[1] in ("–", summary["head"]))
    click.echo()
    print_rows(*effect_table(summary), left=2)
    click.echo(f"{headline(summary)}\nhow to read them: {out / 'lab.md'}\npage: {out / 'lab.html'}")
