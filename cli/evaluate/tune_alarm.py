"""``deseptr tune --event``: the rule of an alarm that serves a target best, written into the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.messages import progress_bar
from deseptr.cli.common.options import load_subjects

if TYPE_CHECKING:
    from deseptr.contract import EventRule, ModelContract
    from deseptr.evaluate.continuous.alarm_tuning import AlarmTuning

# Of the search of a decision.
NOT_OF_ALARMS = ("hops", "onsets_of", "tries", "seed", "page")


def tune_alarms(
    model: Path,
    source: str,
    reading: dict[str, str],
    who: tuple[str, ...] | None,
    run: Path | None,
    output: Path | None,
    chosen: Mapping[str, Any],
) -> None:
    """Tune the alarm of a class, write its rule into the model and print it."""
    from deseptr.evaluate.continuous.alarm_target import AlarmTarget
    from deseptr.evaluate.continuous.alarm_tuning import alarm_cases, alarm_rules, tune_alarm
    from deseptr.evaluate.continuous.measure import decision_at
    from deseptr.evaluate.continuous.playing import play, windows_of
    from deseptr.evaluate.continuous.tuned_model import check_output, tuning_subjects, write_event
    from deseptr.evaluate.predictor import load_predictor

    target = AlarmTarget.parse(chosen["wanted"])
    check_output(model, output)
    dataset = load_subjects(source, None, reading)
    predictor = load_predictor(model, chosen["threads"])
    rule = _rule_before(predictor.contract, chosen["event"], chosen["event_confirm"])
    subjects = tuning_subjects(model, run, who, dataset)
    part = dataset.select(subjects=subjects)
    contract = predictor.contract.at_hop(decision_at(predictor.contract, None).hop_s)
    with progress_bar(windows_of(contract, part), "playing") as advance:
        cases = alarm_cases(list(play(predictor, part, contract.hop_s, advance)), contract, rule.label)
    with progress_bar(len(alarm_rules(rule)) + 1, "tuning") as advance:
        result = tune_alarm(cases, target, rule, advance)
    written = write_event(model, output, result.chosen)
    content = {"model": str(model), "data": source, "subjects": list(subjects), **result.to_dict()}
    if chosen["as_json"]:
        click.echo(json.dumps(content, indent=2))
    else:
        _print(content, result, written)


def _rule_before(contract: ModelContract, label: str, confirm_s: float | None) -> EventRule:
    from deseptr.contract import EventRule
    from deseptr.device import EventWatch

    own = {rule.label: rule for rule in contract.events or ()}
    rule = own.get(label, EventRule(label))
    rule = rule if confirm_s is None else replace(rule, confirm_s=confirm_s)
    # Refuses a class that the model has not, and a confirmation that it cannot see.
    EventWatch(contract, [rule])
    return rule


def _print(content: dict[str, Any], result: AlarmTuning, written: Path) -> None:
    from deseptr.cli.common.tables import print_rows
    from deseptr.data.recording import subject_list

    head = ["", "rule", "detected", "missed", "false alarms", "an hour, 95 %", "delay p50, s"]
    click.echo(
        f"target {result.target} for {result.chosen.label}, on {subject_list(content['subjects'])}; "
        f"{content['tried']} rules, raised {result.chosen.delay_s:g} s after they are met"
    )
    rows = [_row("before", content["before"]), _row("chosen", content)]
    print_rows(head, rows + [_row("front", each) for each in content["front"]], left=2)
    if not result.reached:
        click.echo("note: no rule that was tried reaches the target; this one is nearest to it", err=True)
    click.echo(f"written into {written}")


def _row(name: str, each: dict[str, Any]) -> list[str]:
    from deseptr.evaluate.markdown import figure

    rule, figures = each["rule"], each["figures"]
    hourly = figures["false_alarms_per_hour"]
    parts = [f"{rule['threshold']:g}", f"{rule['windows']} window{'s' * (rule['windows'] > 1)}"]
    parts += [] if rule["posture_deg"] is None else [f"{rule['posture_deg']:g}°"]
    counts = [str(figures[key]) for key in ("detected", "missed", "false_alarms")]
    delay = figure(figures["delay_s"]["p50"], ".2f")
    rate = f"{hourly['low']:.2f} to {hourly['high']:.2f}"
    return [name, ", ".join(parts), *counts, rate, delay]
