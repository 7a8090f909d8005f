"""``deseptr evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.options import (
    DATA_HELP,
    SUBJECTS,
    TESTED_HELP,
    choose_test_subjects,
    load,
    print_notes,
    reading_options,
)


@click.command(
    help=f"""Measure MODEL on the labelled windows of DATA.

MODEL is a run folder, a .keras checkpoint or a .tflite file. {DATA_HELP}
""",
    epilog="Example: deseptr evaluate ms.tflite motionsense.npz --test-subjects 5,10,12,22 --json",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="DATA")
@click.option("--test-subjects", "--subjects", type=SUBJECTS, help=TESTED_HELP)
@click.option("--threads", type=whole(1, 256), default=1, show_default=True, help="Threads of the engine of a .tflite.")
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
    from deseptr.cli.common.tables import print_confusion, print_scores
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    dataset = load(source, reading)
    print_notes(dataset)
    chosen = choose_test_subjects(dataset, test_subjects)
    dataset = dataset.select(subjects=chosen)
    predictor = load_predictor(model, threads)
    figures = evaluate_model(predictor, dataset).to_dict()
    if as_json:
        extra = {"model": str(model), "runtime": predictor.runtime, "data": source, "subjects": list(chosen)}
        click.echo(json.dumps({**figures, **extra}, indent=2))
        return
    click.echo(f"{model} on subjects {', '.join(chosen)} of {dataset.name}: {figures['windows']} windows")
    print_scores({predictor.runtime: figures})
    print_confusion(figures["labels"], figures["confusion"])
