"""``deseptr demo``: the whole path on synthetic data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from deseptr.contract import Scores, atomic_write, score
from deseptr.train.config import LIMITS, TrainConfig

from .common.numbers import number
from .common.page_origin import page_origin

if TYPE_CHECKING:
    from deseptr.convert import Conversion
    from deseptr.data import Dataset
    from deseptr.device import Profiler

WEARERS = "subjects=24,seconds=60"
SMALL = {"teacher_epochs": 8, "student_epochs": 12}


@click.command(epilog="Example: deseptr demo -o demo && xdg-open demo/report.html")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder to write."
)
@click.option("--seed", type=number(LIMITS["seed"]), default=0, show_default=True, help="Seed of wearers and training.")
def demo(output: Path, seed: int) -> None:
    """Train, convert and run a small model on a synthetic wearer, and write a report.

    Trains a small teacher and student on synthetic recordings, converts the student to int8, streams a held-out wearer
    through a simulated MPU-6050 on a virtual I2C bus, and compares the scores. Takes a few minutes.
    """
    from deseptr.data import load_dataset

    check_outputs(output)
    dataset = load_dataset(f"synthetic:{WEARERS},seed={seed + 1}")
    wearer = dataset.test_subjects[0]
    config = TrainConfig(seed=seed, **SMALL)  # type: ignore[arg-type]
    minutes = sum(recording.duration_s for recording in dataset.recordings) / 60
    click.secho(f"1. {len(dataset.subjects)} synthetic wearers, {minutes:.0f} minutes", bold=True)
    click.secho("2. train a small teacher and distil DeSepTr", bold=True)
    metrics = _train(dataset, output / "run", config)
    click.secho("3. convert to int8", bold=True)
    conversion = _convert(output / "run", output / "model.tflite")
    click.secho(f"4. wearer {wearer}, held out, through a simulated MPU-6050 on a virtual I2C bus", bold=True)
    streamed = _stream(conversion.path, dataset.select(subjects=[wearer]))
    click.secho("5. result", bold=True)
    scores = _compare(output, dataset.select(subjects=[wearer]), streamed)
    _print_result(scores, streamed.profiler)
    report = output / "report.html"
    atomic_write(report, _page(scores, streamed, conversion, metrics, output / "run"))
    atomic_write(output / "result.json", json.dumps(_result(scores, streamed, conversion), indent=2) + "\n")
    click.echo(f"report: {report}")


def check_outputs(output: Path) -> None:
    """Refuse a folder in which other files would be lost, before the minutes of training, which checks its own folder.

    Raises:
        SetupError: if something else has the name of an output.
    """
    from deseptr.contract import check_replaceable
    from deseptr.convert.conversion import check_output_files
    from deseptr.report.html.page import PAGE_START

    check_replaceable(output / "report.html", PAGE_START, "a page of deseptr", "-o")
    check_replaceable(output / "result.json", b'{\n  "scores": ', "the JSON of `deseptr demo`", "-o")
    check_output_files(output / "model.tflite")


class Streamed(NamedTuple):
    """Result over the simulated bus: scores of the labels, latencies and the runtime's name."""

    scores: Scores
    profiler: Profiler
    runtime: str


def _train(dataset: Dataset, run: Path, config: TrainConfig) -> dict[str, Any]:
    from deseptr.train.quiet_import import load_quietly

    from .train.progress import TrainingProgress

    load_quietly()
    from deseptr.train.pipeline import train

    with TrainingProgress() as progress:
        return train(dataset, run, config, reporter=progress, overwrite=True)


def _convert(run: Path, output: Path) -> Conversion:
    from deseptr.convert import convert_run

    from .convert import print_conversion

    conversion = convert_run(run, output)
    print_conversion(conversion)
    return conversion


def _stream(model: Path, dataset: Dataset) -> Streamed:
    import numpy as np

    from deseptr.device import Profiler
    from deseptr.firmware_harness.simulator import ReplayedWindow, replay
    from deseptr.tflite import load_engine

    from .device.line_view import LineView
    from .device.run_summary import RunFigures

    engine = load_engine(model)
    labels = engine.contract.labels
    profiler = Profiler()
    view, figures = LineView(labels), RunFigures(labels, simulated=True)
    pairs = []
    for event in replay(engine, dataset, profiler=profiler):
        figures.note(event)
        view.show(event)
        if isinstance(event, ReplayedWindow) and event.truth is not None:
            pairs.append((labels.index(event.truth), labels.index(event.event.label)))
    click.echo(figures.summary(profiler))
    true, predicted = np.array(pairs).T
    return Streamed(score(true, predicted, labels), profiler, engine.name)


def _compare(output: Path, dataset: Dataset, streamed: Streamed) -> dict[str, Scores]:
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    return {
        "float": evaluate_model(load_predictor(output / "run"), dataset),
        "int8": evaluate_model(load_predictor(output / "model.tflite"), dataset),
        "int8 over the bus": streamed.scores,
    }


def _print_result(scores: dict[str, Scores], profiler: Profiler) -> None:
    from rich.console import Console
    from rich.table import Table

    from .common.tables import print_scores, print_table

    print_scores({name: each.to_dict() for name, each in scores.items()})
    table = Table("stage", "p50 µs", "p95 µs", "p99 µs", "max µs", box=None, pad_edge=False)
    for stage, figures in profiler.stages().items():
        table.add_row(stage, *(f"{value:.0f}" for value in _quantiles(figures)))
    for column in table.columns[1:]:
        column.justify = "right"
    Console().print("\nlatency of a window on this machine (`read` is the simulated bus, not a wire):")
    print_table(table, Console())


def _quantiles(figures: Any) -> list[float]:
    return [figures[name] for name in ("p50_us", "p95_us", "p99_us", "max_us")]


def _result(scores: dict[str, Scores], streamed: Streamed, conversion: Conversion) -> dict[str, Any]:
    return {
        "scores": {name: each.to_dict() for name, each in scores.items()},
        "stages": streamed.profiler.stages(),
        "sensor": {"simulated": True},
        "conversion": conversion.to_dict(),
    }


def _page(
    scores: dict[str, Scores], streamed: Streamed, conversion: Conversion, metrics: dict[str, Any], run: Path
) -> str:
    from deseptr.report.demo_page import Demo, demo_page
    from deseptr.train.history import read_history

    history = read_history(run / "history.csv")
    demo = Demo(scores, streamed.profiler, streamed.runtime, conversion, metrics, history)
    return demo_page(demo, page_origin())
