"""Every packaged scenario through ``deseptr device run`` itself: what it prints is what the scenario expects."""

import json
from dataclasses import replace

import pytest

from deseptr.cli.main import main
from deseptr.device import RUNGS, default_model
from deseptr.firmware_harness.simulator import Outcome, load_scenario, scenario_names
from deseptr.tflite import embed_contract, read_tflite, without_archive


@pytest.fixture
def model_of(tmp_path):
    """The packaged model, for a sensor of another rate."""

    def model_of(rate_hz):
        packaged = read_tflite(default_model())
        contract = replace(packaged.contract, rate_hz=rate_hz)
        path = tmp_path / "model.tflite"
        path.write_bytes(embed_contract(without_archive(packaged.content), contract))
        return path

    return model_of


def outcome_of(code, printed):
    """The outcome of a run, counted from the command's lines of JSON, its exit code and its error."""
    lines = [json.loads(line) for line in printed.out.splitlines()]
    outcome = Outcome(exit_code=code, error=printed.err.splitlines()[-1] if code else "")
    for line in lines:
        outcome.counts["windows"] += "probabilities" in line
        if gap := line.get("gap"):
            outcome.counts["gaps"] += 1
            outcome.counts["lost_samples"] += gap["lost_samples"]
            outcome.reasons[gap["reason"]] += 1
        if recovery := line.get("recovery"):
            outcome.rungs[recovery["rung"]] += 1
            assert recovery["count"] == outcome.rungs[recovery["rung"]]
        if rate := line.get("rate"):
            outcome.counts["rates"] += 1
            outcome.counts["resampled"] += rate["resampled"]
    return outcome


@pytest.mark.parametrize("name", scenario_names())
def test_prints_what_the_scenario_expects(name, model_of, capsys):
    scenario = load_scenario(name)
    with pytest.raises(SystemExit) as caught:
        main(["device", "run", "--model", str(model_of(scenario.rate_hz)), "--scenario", name, "--json"])
    printed = capsys.readouterr()
    outcome = outcome_of(caught.value.code or 0, printed)
    assert scenario.expected.differences(outcome) == []
    if not outcome.exit_code:
        summary = printed.err.splitlines()[-1]
        assert f"{outcome.counts['windows']} windows; {outcome.counts['gaps']} gap" in summary
        assert all(rung in summary for rung in RUNGS if outcome.rungs[rung])
