"""``deseptr device evaluate``: accuracy on the machine that runs the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import progress_bar
from deseptr.cli.common.mounting import AUTO
from deseptr.cli.common.option_rules import goes_without
from deseptr.cli.common.options import (
    DATA_HELP,
    READING_GROUP,
    SUBJECTS,
    TESTED_HELP,
    choose_tested,
    load_subjects,
    reading_options,
    tested_line,
)
from deseptr.cli.evaluate.continuous_options import (
    CONTINUOUS_GROUPS,
    check_continuous,
    continuous_options,
    continuous_settings,
    finish_continuous,
)
from deseptr.contract.counts import counted

from .mounting_option import make_mounting, recorded_mounting_option
from .options import MODEL, engine_option, threads_option

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.data import Dataset
    from deseptr.device import MountingWatch
    from deseptr.evaluate.continuous.measure import Continuous
    from deseptr.report.evaluation_page import Evaluated
    from deseptr.tflite import Engine

BOTH, STRAIGHT, BUS = "both", "straight", "bus"

GROUPS = {
    "Measurement": ("test_subjects", "paths", "kind", "threads"),
    "Simulated sensor": ("sensor", "speed", "mounting"),
    **CONTINUOUS_GROUPS,
    "Results": ("page", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Measure MODEL on the labelled windows of DATA, on this machine.

MODEL is measured twice: directly, on the windows of `deseptr evaluate`, and on the recordings streamed over a
simulated sensor, its bus and its driver. The agreement of the two on the same samples follows. With --continuous,
both measure the label on whole recordings instead. {DATA_HELP}
""",
    epilog="Example: deseptr device evaluate m.tflite motionsense.npz --test-subjects 5,10 --json",
)
@click.argument("model", type=MODEL)
@click.argument("source", metavar="DATA")
@click.option("--test-subjects", "--subjects", type=SUBJECTS, help=TESTED_HELP)
@click.option("--straight", "paths", flag_value=STRAIGHT, help="Measure only directly.")
@click.option("--bus", "paths", flag_value=BUS, help="Measure only over the simulated bus.")
@click.option("--sensor", default="auto", show_default=True, help="Simulated chip on the bus.")
@click.option(
    "--speed",
    type=click.Choice(["max", "realtime"]),
    default="max",
    show_default=True,
    help="Over the bus: as fast as possible, or in real time.",
)
@recorded_mounting_option
@continuous_options
@engine_option
@threads_option
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
@goes_without("paths", "sensor", "speed", value=STRAIGHT, why="has no bus")
def evaluate(
    model: Path,
    source: str,
    test_subjects: tuple[str, ...] | None,
    paths: str | None,
    sensor: str,
    speed: str,
    kind: str,
    threads: int,
    reading: dict[str, str],
    as_json: bool,
    **chosen: Any,
) -> None:
    """Measure a model on the device."""
    check_continuous(chosen)
    asked = chosen["mounting"]
    if asked == AUTO and paths == STRAIGHT:
        raise click.UsageError("--mounting auto is estimated over the bus; leave out --straight, or name the turn")
    from deseptr.device import describe_machine
    from deseptr.tflite import load_engine

    engine = load_engine(model, kind, threads)
    dataset = load_subjects(source, None, reading)
    dataset, described = choose_tested(dataset, test_subjects, {model: engine.contract})
    extra = {"model": str(model), "runtime": engine.name, "data": source, **described, "machine": describe_machine()}
    if asked is not None:
        extra["mounting"] = getattr(asked, "name", asked)
        # Also refuses what the model cannot be corrected for, before anything is measured.
        make_mounting(chosen, engine.contract)
    if chosen["continuous"]:
        measured = _continuous(engine, dataset, paths or BOTH, sensor, speed, chosen)
        finish_continuous(measured, extra, dataset.name, chosen["page"], as_json=as_json)
        return
    figures, parts = _figures(engine, dataset, paths or BOTH, sensor, speed, chosen)
    content = {**figures, **extra}
    if chosen["page"]:
        from deseptr.cli.evaluate.evaluation_files import write_evaluation

        write_evaluation(chosen["page"], content, parts, dataset.name)
    if as_json:
        click.echo(json.dumps(content, indent=2))
        return
    _print(content, dataset.name)
    if chosen["page"]:
        click.echo(f"page: {chosen['page']}")


def _figures(
    engine: Engine, dataset: Dataset, paths: str, sensor: str, speed: str, chosen: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Evaluated]]:
    """The keys of ``deseptr evaluate`` for the first path measured, and the keys of the bus; and both for the page."""
    matrices = 2 if paths == BOTH else 1
    straight = _straight(engine, _upright(dataset, chosen), matrices) if paths != BUS else None
    bus, over_bus = _bus(engine, dataset, sensor, speed, chosen, matrices) if paths != STRAIGHT else ({}, None)
    parts = {name: part for name, part in (("straight", straight), ("over the bus", over_bus)) if part}
    if straight is None:
        return {"path": BUS, **bus["bus"], **bus}, parts
    own = {key: value for key, value in straight.figures.items() if key != "macro_f1_interval"}
    return {"path": STRAIGHT, **own, **bus}, parts


def _continuous(
    engine: Engine, dataset: Dataset, paths: str, sensor: str, speed: str, chosen: Mapping[str, Any]
) -> dict[str, Continuous]:
    """The evaluations by the name of their way."""
    from deseptr.evaluate.continuous.measure import decision_at, measure, measure_over_bus
    from deseptr.evaluate.continuous.playing import windows_of
    from deseptr.evaluate.predictor import Predictor
    from deseptr.firmware_harness.simulator import PacedClock, VirtualClock
    from deseptr.tflite import predict

    config, settings = continuous_settings(chosen, engine.contract)
    windows = windows_of(engine.contract.at_hop(decision_at(engine.contract, config).hop_s), dataset)
    measured = {}
    if paths != BUS:
        predictor = Predictor(engine.contract, engine.name, lambda windows: predict(engine, windows))
        with progress_bar(windows, STRAIGHT) as advance:
            measured[STRAIGHT] = measure(predictor, _upright(dataset, chosen), config, **settings, progress=advance)
    if paths != STRAIGHT:
        clock = PacedClock if speed == "realtime" else VirtualClock
        watch = _watch(chosen, engine.contract)
        with progress_bar(windows, "over the bus") as advance:
            measured["over the bus"] = measure_over_bus(
                engine,
                dataset,
                config,
                sensor=sensor,
                make_clock=clock,
                mounting=watch,
                **settings,
                progress=advance,
            )
    return measured


def _upright(dataset: Dataset, chosen: Mapping[str, Any]) -> Dataset:
    """The recordings for the way without a bus, which estimates no mounting."""
    from deseptr.device.mounting.recordings import turned_back

    asked = chosen["mounting"]
    return dataset if asked in (None, AUTO) else turned_back(dataset, asked)


def _watch(chosen: Mapping[str, Any], contract: ModelContract) -> MountingWatch | None:
    """The watch over the bus; none if nothing is asked, as an estimate that corrects nothing changes no figure."""
    return None if chosen["mounting"] is None else make_mounting(chosen, contract)


def _straight(engine: Engine, dataset: Dataset, matrices: int) -> Evaluated:
    from deseptr.cli.evaluate.evaluation_files import evaluated
    from deseptr.evaluate.over_bus import straight_logits
    from deseptr.evaluate.predictor import scores_of, windows_for

    with progress_bar(len(windows_for(engine.contract, dataset)), "straight") as advance:
        windows, logits = straight_logits(engine, dataset, advance)
    return evaluated(scores_of(windows, logits).to_dict(), windows, logits, dataset, matrices)


def _bus(
    engine: Engine, dataset: Dataset, sensor: str, speed: str, chosen: Mapping[str, Any], matrices: int
) -> tuple[dict[str, Any], Evaluated]:
    from deseptr.contract import macro_f1_interval
    from deseptr.evaluate.confused_windows import ALL_EXAMPLES
    from deseptr.evaluate.over_bus import bus_windows, evaluate_bus
    from deseptr.firmware_harness.simulator import PacedClock, VirtualClock
    from deseptr.report.evaluation_page import Evaluated

    make_clock = PacedClock if speed == "realtime" else VirtualClock
    with progress_bar(bus_windows(engine, dataset), "over the bus") as advance:
        run = evaluate_bus(
            engine,
            dataset,
            sensor=sensor,
            make_clock=make_clock,
            mounting=_watch(chosen, engine.contract),
            progress=advance,
        )
    more: dict[str, Any] = {"sensor": sensor, "speed": speed, "gaps": run.gaps, "lost_samples": run.lost_samples}
    if chosen["mounting"] == AUTO:
        more["mountings"] = run.mountings
    figures, interval = run.scores().to_dict(), macro_f1_interval(run.confusions())
    confused = run.confused(engine.contract, dataset, ALL_EXAMPLES // matrices)
    part = Evaluated({**figures, "macro_f1_interval": interval and interval._asdict()}, confused)
    return {"bus": {**figures, **more}, "agreement": run.agreement()}, part


def _print(content: dict[str, Any], name: str) -> None:
    from deseptr.cli.common.tables import print_confusion, print_scores

    columns = {"straight": content} if content["path"] == STRAIGHT else {}
    columns |= {"over the bus": content["bus"]} if "bus" in content else {}
    windows = ", ".join(f"{counted(figures['windows'], 'window')} {path}" for path, figures in columns.items())
    click.echo(f"{content['model']} on {tested_line(content, name)}: {windows}")
    click.echo(f"{content['runtime']} on {content['machine']['cpu']}")
    if "mounting" in content:
        click.echo(_mounting_line(content))
    print_scores(columns)
    for path, figures in columns.items():
        click.echo(f"\n{path}")
        print_confusion(figures["labels"], figures["confusion"])
    if "agreement" in content:
        _print_agreement(content["agreement"], content["bus"])


def _mounting_line(content: dict[str, Any]) -> str:
    if content["mounting"] != AUTO:
        return f"mounting {content['mounting']}: samples are turned back"
    named = ", ".join(f"{name} in {count}" for name, count in content["bus"]["mountings"].items())
    said = f"mounting over the bus, of recordings that were long enough: {named or 'none found'}"
    return f"{said}; the straight way is without a correction" if content["path"] == STRAIGHT else said


def _print_agreement(agreement: dict[str, Any], bus: dict[str, Any]) -> None:
    click.echo(
        f"\nsame samples both ways: {agreement['share']:.2%} of "
        f"{counted(agreement['windows'], 'window gets', 'windows get')} the same label; "
        f"probabilities differ by {agreement['mean_difference']:.4f} on average, {agreement['largest_difference']:.4f} "
        "at most"
    )
    for pair in agreement["pairs"]:
        click.echo(f"  {pair['straight']} straight, {pair['bus']} over the bus: {pair['windows']}")
    if bus["gaps"]:
        click.echo(f"{counted(bus['gaps'], 'gap')} on the bus, {counted(bus['lost_samples'], 'sample')} lost")
