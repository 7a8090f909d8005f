"""``deseptr compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import progress_bar
from deseptr.cli.common.numbers import number, whole
from deseptr.cli.common.option_rules import goes_with
from deseptr.cli.common.options import (
    DATA_HELP,
    READING_GROUP,
    READING_NAMES,
    SUBJECTS,
    TESTED_HELP,
    choose_tested,
    load_subjects,
    reading_options,
)
from deseptr.cli.common.page_origin import page_origin
from deseptr.contract.limits import ENGINE_THREADS

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.evaluate.confused_windows import Confused
    from deseptr.evaluate.contestant import Contestant, Engines

_PATH = click.Path(path_type=Path)

GROUPS = {
    "Models": ("onnx", "contract", "float_input"),
    "Timing": ("rounds", "threads", "kernels", "seed"),
    "Accuracy": ("source", "test_subjects"),
    "Results": ("output", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Compare latency, size, operations and accuracy of models on this machine.

MODEL is a .tflite file, with or without a contract inside, or an .onnx file. All are timed interleaved in one process,
and compared with the first model. {DATA_HELP}

\b
Examples:
  deseptr compare float.tflite int8.tflite
  deseptr compare float.tflite int8.tflite --onnx \\
      --contract int8.tflite --float-input scaled
  deseptr compare one.tflite two.tflite --data motionsense.npz \\
      --test-subjects 5,10,12,22 -o compare.html
""",
)
@click.argument("models", metavar="MODEL…", nargs=-1, required=True, type=_PATH)
@click.option("--onnx", is_flag=True, help="Also convert each float .tflite, and time it in ONNX Runtime.")
@click.option(
    "--data", "source", metavar="DATA", help="Score the models that have a contract on the labelled windows of DATA."
)
@click.option("--test-subjects", type=SUBJECTS, help=TESTED_HELP)
@reading_options
@click.option(
    "--contract",
    type=_PATH,
    help="Contract of models without one inside: a contract.json, or a .tflite that contains it.",
)
@click.option(
    "--float-input",
    type=click.Choice(["si", "scaled"]),
    default="si",
    show_default=True,
    help="Input of a float model with --contract: windows in SI units, or divided by the contract's input range.",
)
@click.option("--threads", type=number(ENGINE_THREADS), default=1, show_default=True, help="Threads of each engine.")
@click.option(
    "--kernels",
    type=click.Choice(["default", "reference"]),
    default="default",
    show_default=True,
    help="Kernels of the TFLite runtime: XNNPACK where possible, or the reference kernels.",
)
@click.option("--rounds", type=whole(1, 1_000_000), default=1000, show_default=True, help="Timed calls of each model.")
@click.option(
    "--seed", type=whole(0, 2**32 - 1), default=0, show_default=True, help="Seed of order, noise and resampling."
)
@click.option("-o", "--output", type=_PATH, help="HTML page to write, with .json and .md of the same name beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON on stdout.")
@goes_with("source", "test_subjects", *READING_NAMES)
@goes_with("contract", "float_input")
def compare(
    models: tuple[Path, ...],
    onnx: bool,
    source: str | None,
    test_subjects: tuple[str, ...] | None,
    reading: dict[str, str],
    contract: Path | None,
    float_input: str,
    threads: int,
    kernels: str,
    rounds: int,
    seed: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Compare models."""
    from deseptr.evaluate.compare import FORMAT, Timing, compare_models, observe_machine
    from deseptr.evaluate.contestant import Engines

    from .report_files import check_output, json_text, write_report

    if output:
        check_output(output, FORMAT)
    machine = observe_machine()
    engines, timing = Engines(threads, kernels), Timing(rounds, seed=seed)
    contestants = _load(models, engines, contract=contract, scaled=float_input == "scaled", onnx=onnx)
    dataset, data = _test_part(source, test_subjects, reading, contestants) if source else (None, None)
    with progress_bar(rounds, "timing") as advance:
        figures = compare_models(contestants, dataset, engines, timing, machine, progress=lambda _: advance(1))
    content = {**figures, "data": data}
    # Printed first, so that the figures are not lost if a package for the page is missing.
    if as_json:
        click.echo(json_text(content), nl=False)
    else:
        _print(content)
    if output:
        from deseptr.report.comparison_page import compare_page
        from deseptr.report.comparison_tables import markdown

        confused = _confused(contestants, engines, dataset) if dataset else {}
        write_report(output, content, compare_page(content, page_origin(), confused), markdown(content))
        click.echo(f"report: {output}", err=as_json)


def _confused(contestants: list[Contestant], engines: Engines, dataset: Dataset) -> dict[str, Confused]:
    """The windows that each model confuses; those without a contract have none."""
    from deseptr.evaluate.confused_windows import ALL_EXAMPLES, Origin, confused_windows
    from deseptr.evaluate.predictor import window_logits

    found = {}
    for each in contestants:
        if predictor := each.predictor(engines):
            windows, logits = window_logits(predictor, dataset)
            limit = ALL_EXAMPLES // len(contestants)
            origin = Origin(windows, dataset)
            found[each.name] = confused_windows(windows.labels, logits, windows.subjects, origin, limit=limit)
    return found


def _load(models: tuple[Path, ...], engines: Any, *, onnx: bool, **settings: Any) -> list[Contestant]:
    from rich.console import Console

    from deseptr.evaluate.contestant import load_contestants

    if not onnx:
        return load_contestants(models, engines, **settings)
    with Console(stderr=True).status("converting to ONNX"):
        return load_contestants(models, engines, onnx=True, **settings)


def _test_part(
    source: str, wanted: tuple[str, ...] | None, reading: dict[str, str], models: list[Contestant]
) -> tuple[Dataset, dict[str, Any]]:
    """The recordings of the test subjects, and their description for the report."""
    dataset = load_subjects(source, None, reading)
    contracts = {each.path: each.contract for each in models if each.contract}
    dataset, described = choose_tested(dataset, wanted, contracts)
    return dataset, {"source": source, **described}


def _print(content: dict[str, Any]) -> None:
    from deseptr.cli.common.tables import print_rows
    from deseptr.report.comparison_tables import caveats, costs_table, scores_table, summary

    for head, rows in (costs_table(content), scores_table(content)):
        if rows:
            print_rows(head, rows, left=1)
            click.echo()
    for line in (summary(content), *caveats(content)):
        click.echo(line)
