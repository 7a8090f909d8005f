"""``deseptr firmware scenarios``: list, print and check the failures of a simulated sensor."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.option_rules import goes_with
from deseptr.cli.device.options import MODEL

if TYPE_CHECKING:
    from deseptr.firmware_harness.simulator import Scenario


@click.command()
@click.argument("name", required=False)
@click.option("--check", is_flag=True, help="Run every scenario, or NAME, and compare with what it expects.")
@click.option("--model", type=MODEL, help="With --check: a .tflite file. [default: the packaged one]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@goes_with("check", "model")
def scenarios(name: str | None, check: bool, model: Path | None, as_json: bool) -> None:
    """List the scenarios in which a simulated sensor fails, or print one.

    NAME is one of the list, or your own file, which ends with .toml. The expectations of a scenario hold for models
    of its sample rate; --check leaves out the scenarios of other rates.

    \b
    Examples:
      deseptr firmware scenarios
      deseptr firmware scenarios loose-wire > mine.toml  # to change
      deseptr firmware scenarios mine.toml --check
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.contract import read_text
    from deseptr.firmware_harness.simulator import load_scenario, scenario_names, scenario_text

    if name is not None and not check and not as_json:
        load_scenario(name)
        click.echo(read_text(name) if name.endswith(".toml") else scenario_text(name), nl=False)
        return
    chosen = [load_scenario(each) for each in ([name] if name else scenario_names())]
    results = _check(chosen, model) if check else {}
    if as_json:
        click.echo(json.dumps({each.name: _describe(each) | results.get(each.name, {}) for each in chosen}, indent=1))
    elif check:
        _print_results(results)
    else:
        _print_list(chosen)
    if any(result["differences"] for result in results.values()):
        raise SystemExit(1)


def _describe(scenario: Scenario) -> dict[str, Any]:
    return {
        "description": scenario.description,
        "sensor": scenario.sensor,
        "bus": scenario.profile.name,
        "rate_hz": scenario.rate_hz,
        "duration_s": scenario.duration_s,
        "faults": sorted({fault.kind for fault in scenario.faults}),
    }


def _print_list(chosen: list[Scenario]) -> None:
    formatter = click.HelpFormatter(width=100)
    formatter.write_dl([(each.name, each.description) for each in chosen])
    click.echo(formatter.getvalue(), nl=False)


def _print_results(results: dict[str, dict[str, Any]]) -> None:
    for name, result in results.items():
        click.echo(f"{name}: {result['left_out'] or '; '.join(result['differences']) or 'as expected'}")


def _check(chosen: list[Scenario], model: Path | None) -> dict[str, dict[str, Any]]:
    from deseptr.contract import DeseptrError
    from deseptr.device import default_model
    from deseptr.firmware_harness.simulator import Outcome, run_scenario
    from deseptr.tflite import load_engine

    engine = load_engine(model or default_model())
    results: dict[str, dict[str, Any]] = {}
    for scenario in chosen:
        outcome, left_out = Outcome(), ""
        if scenario.rate_hz == engine.contract.rate_hz:
            with suppress(DeseptrError):
                for _ in run_scenario(engine, scenario, outcome=outcome):
                    pass
        else:
            left_out = f"left out, it is for models of {scenario.rate_hz:g} Hz"
        differences = [] if left_out else scenario.expected.differences(outcome)
        results[scenario.name] = {"left_out": left_out, "differences": differences}
    return results
