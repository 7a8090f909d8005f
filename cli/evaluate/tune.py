"""``deseptr tune``: the decision that serves a target best, written into the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.messages import progress_bar
from deseptr.cli.common.numbers import number, real, whole
from deseptr.cli.common.option_rules import goes_if, goes_with, goes_without
from deseptr.cli.common.options import (
    A_TFLITE,
    DATA_HELP,
    READING_GROUP,
    SUBJECTS,
    is_tflite,
    load_subjects,
    reading_options,
)
from deseptr.cli.common.page_origin import page_origin
from deseptr.contract.limits import ENGINE_THREADS

from .tune_alarm import NOT_OF_ALARMS, tune_alarms

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.evaluate.continuous.tuning import Tuning
    from deseptr.evaluate.predictor import Predictor

_FILE = click.Path(dir_okay=False, path_type=Path)

GROUPS = {
    "Search": ("wanted", "hops", "onsets_of", "tries", "seed", "threads"),
    "Events": ("event", "event_confirm"),
    "Wearers": ("run", "subjects"),
    "Results": ("output", "page", "as_json"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Choose how the windows of MODEL become a label, on wearers that it was not trained on.

MODEL is a run folder or a .tflite file. Smoothing, horizon, threshold, margin, dwell, hop, thresholds of single classes
and a Markov chain of the activities are searched; the choice goes into the contract of MODEL, and `device run` follows
it. {DATA_HELP}

\b
TARGET is one of
  delay=1.5           the fewest spurious changes with a median delay of 1.5 s
                      and a 90 % delay of 3 s at most
  false-alarms=60/h   the shortest delay with 60 spurious changes an hour
  f1                  the highest F1 of the samples

With --event CLASS it is the alarm of that class that is tuned: threshold, number of windows, and angle if there is a
confirmation. TARGET is one of

\b
  false-alarms=0.1/h  the most events found with 0.1 false alarms an hour at
                      most, or as many a /day
  sensitivity=0.95    the fewest false alarms with 95 % of the events found
""",
    epilog="Example: deseptr tune ms.tflite motionsense.npz --run runs/ms --target delay=1.5 --page tune.html",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="DATA")
@click.option("--target", "wanted", required=True, metavar="TARGET", help="What to tune for.")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Tune on the validation subjects of this run. [default: MODEL, if it is one]",
)
@click.option("--subjects", type=SUBJECTS, help="Tune on these subjects instead.")
@click.option("--hops", metavar="SECONDS", help="Hops to try, as 1.28,0.64,0.32. [default: the training's, 1/2, 1/4]")
@click.option("--onsets-of", metavar="LABELS", help="The delay is of these classes. [default: all]")
@click.option("--tries", type=whole(1, 100_000), default=100, show_default=True, help="Random decisions for each hop.")
@click.option("--seed", type=whole(0, 2**32 - 1), default=0, show_default=True, help="Seed of the search.")
@click.option("--event", metavar="CLASS", help="Tune the alarm of this class instead, as fall.")
@click.option(
    "--event-confirm",
    type=real(0, 86_400),
    metavar="SECONDS",
    help="With --event: time in which motion cancels it; 0: none.  [default: the model's]",
)
@click.option("--threads", type=number(ENGINE_THREADS), default=1, show_default=True, help="Threads of the engine.")
@reading_options
@click.option("-o", "--output", type=_FILE, help="Write the tuned .tflite to this file. [default: MODEL itself]")
@click.option("--page", type=_FILE, help="Write a page with the picture of all decisions tried, .html.")
@click.option("--json", "as_json", is_flag=True, help="Print the choice and its figures as JSON.")
@goes_with("event", "event_confirm")
@goes_if("model", is_tflite, "threads", kind=A_TFLITE)
@goes_without("event", *NOT_OF_ALARMS, why="tunes an alarm")
def tune(
    model: Path,
    source: str,
    wanted: str,
    subjects: tuple[str, ...] | None,
    run: Path | None,
    output: Path | None,
    page: Path | None,
    reading: dict[str, str],
    threads: int,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Tune a model."""
    if chosen["event"] is not None:
        with_all = {**chosen, "wanted": wanted, "threads": threads, "as_json": as_json}
        tune_alarms(model, source, reading, subjects, run, output, with_all)
        return
    from deseptr.evaluate.continuous.target import Target
    from deseptr.evaluate.continuous.tuned_model import check_output, tuning_subjects, write_decision
    from deseptr.evaluate.predictor import load_predictor

    target = Target.parse(wanted)
    check_output(model, output)
    _check_page(page)
    dataset = load_subjects(source, None, reading)
    predictor = load_predictor(model, threads)
    who = tuning_subjects(model, run, subjects, dataset)
    result = _search(predictor, dataset, who, target, chosen)
    written = write_decision(model, output, result.chosen)
    content = _content(model, source, who, result)
    if page is not None:
        _write_page(page, content, result)
    if as_json:
        click.echo(json.dumps(content, indent=2))
    else:
        _print(content, result, written, page)


def _check_page(page: Path | None) -> None:
    if page is None:
        return
    from deseptr.evaluate.continuous.tuned_model import FORMAT

    from .report_files import check_output

    check_output(page, FORMAT, "--page")


def _search(
    predictor: Predictor, dataset: Dataset, who: tuple[str, ...], target: Any, chosen: Mapping[str, Any]
) -> Tuning:
    from deseptr.data import parse_labels
    from deseptr.evaluate.continuous.measure import classes_of, decision_at
    from deseptr.evaluate.continuous.playing import play, windows_of
    from deseptr.evaluate.continuous.tuned_model import chain_of_others, check_truth, parse_hops
    from deseptr.evaluate.continuous.tuning import tune as search

    contract = predictor.contract
    before = decision_at(contract, None)
    hops = parse_hops(chosen["hops"], contract, before)
    names = parse_labels(chosen["onsets_of"], contract.labels) if chosen["onsets_of"] else ()
    part = dataset.select(subjects=who)
    check_truth(part, contract)
    played = {}
    with progress_bar(sum(windows_of(contract.at_hop(hop), part) for hop in hops), "playing") as advance:
        for hop in hops:
            played[hop] = list(play(predictor, part, hop, advance))
    learned, note = chain_of_others(contract, dataset, who)
    if note:
        click.echo(f"note: {note}", err=True)
    with progress_bar(chosen["tries"] * len(hops), "tuning") as advance:
        return search(
            played,
            target,
            before,
            tries=chosen["tries"],
            seed=chosen["seed"],
            learned=learned,
            onset_classes=classes_of(contract, names),
            progress=advance,
        )


def _content(model: Path, source: str, who: tuple[str, ...], result: Tuning) -> dict[str, Any]:
    from deseptr.evaluate.continuous.tuned_model import FORMAT

    head = {"format": FORMAT, "model": str(model), "data": source, "subjects": list(who)}
    return {**head, **result.to_dict()}


def _write_page(page: Path, content: dict[str, Any], result: Tuning) -> None:
    from deseptr.report.tuning_page import tuning_markdown, tuning_page

    from .report_files import write_report

    write_report(page, content, tuning_page(content, result, page_origin()), tuning_markdown(content))


def _print(content: dict[str, Any], result: Tuning, written: Path, page: Path | None) -> None:
    from deseptr.cli.common.tables import print_rows
    from deseptr.data.recording import subject_list
    from deseptr.report.tuning_page import trials_table

    click.echo(f"target {result.target}, on {subject_list(content['subjects'])}; {content['tried']} decisions")
    print_rows(*trials_table(content), left=2)
    if not result.reached:
        click.echo("note: no decision that was tried reaches the target; this one is nearest to it", err=True)
    click.echo(f"written into {written}" + (f"; page: {page}" if page else ""))
