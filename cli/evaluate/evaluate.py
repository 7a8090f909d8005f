"""``deseptr evaluate``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import suggest
from deseptr.cli.common.numbers import number
from deseptr.cli.common.option_rules import goes_if
from deseptr.cli.common.options import (
    A_TFLITE,
    DATA_HELP,
    READING_GROUP,
    SUBJECTS,
    TESTED_HELP,
    choose_tested,
    is_tflite,
    load_subjects,
    reading_options,
    tested_line,
)
from deseptr.contract.counts import counted
from deseptr.contract.limits import ENGINE_THREADS

from .continuous_options import CONTINUOUS_GROUPS, check_continuous, continuous_options

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.evaluate.predictor import Predictor

GROUPS = {
    "Measurement": ("test_subjects", "threads"),
    **CONTINUOUS_GROUPS,
    "Results": ("page", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Measure MODEL on the labelled windows of DATA, or on its whole recordings with --continuous.

MODEL is a run folder, a .keras checkpoint, a .pt2 file of PyTorch or a .tflite file. {DATA_HELP}

\b
Examples:
  deseptr evaluate ms.tflite motionsense.npz \\
      --test-subjects 5,10,12,22 -o page.html
  deseptr evaluate ms.tflite mine.csv --continuous --hop 0.32 -o timeline.html
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="DATA")
@click.option("--test-subjects", "--subjects", type=SUBJECTS, help=TESTED_HELP)
@click.option(
    "--threads",
    type=number(ENGINE_THREADS),
    default=1,
    show_default=True,
    help="Threads of the engine of a .tflite.",
)
@continuous_options
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@goes_if("model", is_tflite, "threads", kind=A_TFLITE)
def evaluate(
    model: Path,
    source: str,
    test_subjects: tuple[str, ...] | None,
    threads: int,
    reading: dict[str, str],
    as_json: bool,
    **chosen: Any,
) -> None:
    """Measure a model."""
    check_continuous(chosen)
    from deseptr.cli.common.tables import print_confusion, print_missed, print_scores
    from deseptr.evaluate.predictor import load_predictor, scores_of, window_logits

    dataset = load_subjects(source, None, reading)
    predictor = load_predictor(model, threads)
    dataset, described = choose_tested(dataset, test_subjects, {model: predictor.contract})
    extra = {"model": str(model), "runtime": predictor.runtime, "data": source, **described}
    if chosen["continuous"]:
        _continuous(predictor, dataset, extra, chosen, as_json)
        _suggest_next(model, predictor, as_json=as_json)
        return
    windows, logits = window_logits(predictor, dataset)
    figures = scores_of(windows, logits).to_dict()
    if chosen["page"]:
        from .evaluation_files import evaluated, write_evaluation

        part = evaluated(figures, windows, logits, dataset)
        write_evaluation(chosen["page"], {**figures, **extra}, {predictor.runtime: part}, dataset.name)
    if as_json:
        click.echo(json.dumps({**figures, **extra}, indent=2))
        return
    click.echo(f"{model} on {tested_line(described, dataset.name)}: {counted(figures['windows'], 'window')}")
    print_scores({predictor.runtime: figures})
    print_confusion(figures["labels"], figures["confusion"])
    print_missed(figures)
    if chosen["page"]:
        click.echo(f"page: {chosen['page']}")
    _suggest_next(model, predictor, as_json=as_json)


def _suggest_next(model: Path, predictor: Predictor, *, as_json: bool) -> None:
    """Suggest a run of a converted model, or the conversion of another, but not of a forest, which has none."""
    if as_json or predictor.contract.model == "random_forest":
        return
    if is_tflite(model):
        suggest("device", "run", "--model", model, "--simulate")
    else:
        suggest("convert", model, "-o", f"{model.resolve().stem}.tflite")


def _continuous(
    predictor: Predictor, dataset: Dataset, extra: dict[str, Any], chosen: Mapping[str, Any], as_json: bool
) -> None:
    from deseptr.cli.common.messages import progress_bar
    from deseptr.evaluate.continuous.measure import decision_at, measure
    from deseptr.evaluate.continuous.playing import windows_of

    from .continuous_options import continuous_settings, finish_continuous

    config, settings = continuous_settings(chosen, predictor.contract)
    contract = predictor.contract.at_hop(decision_at(predictor.contract, config).hop_s)
    with progress_bar(windows_of(contract, dataset), "playing") as advance:
        measured = measure(predictor, dataset, config, **settings, progress=advance)
    finish_continuous({predictor.runtime: measured}, extra, dataset.name, chosen["page"], as_json=as_json)
