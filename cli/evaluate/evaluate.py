"""``deseptr evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deseptr.cli.common.numbers import number
from deseptr.cli.common.options import (
    DATA_HELP,
    SUBJECTS,
    TESTED_HELP,
    choose_tested,
    load_subjects,
    reading_options,
    tested_line,
)
from deseptr.contract.limits import ENGINE_THREADS


@click.command(
    help=f"""Measure MODEL on the labelled windows of DATA.

MODEL is a run folder, a .keras checkpoint or a .tflite file. {DATA_HELP}
""",
    epilog="Example: deseptr evaluate ms.tflite motionsense.npz --test-subjects 5,10,12,22 --json",
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
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(
    model: Path,
    source: str,
    test_subjects: tuple[str, ...] | None,
    threads: int,
    reading: dict[str, str],
    as_json: bool,
) -> None:
    """Measure a model."""
    from deseptr.cli.common.tables import print_confusion, print_missed, print_scores
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    dataset = load_subjects(source, None, reading)
    predictor = load_predictor(model, threads)
    dataset, described = choose_tested(dataset, test_subjects, {model: predictor.contract})
    figures = evaluate_model(predictor, dataset).to_dict()
    if as_json:
        extra = {"model": str(model), "runtime": predictor.runtime, "data": source, **described}
        click.echo(json.dumps({**figures, **extra}, indent=2))
        return
    click.echo(f"{model} on {tested_line(described, dataset.name)}: {figures['windows']} windows")
    print_scores({predictor.runtime: figures})
    print_confusion(figures["labels"], figures["confusion"])
    print_missed(figures)
