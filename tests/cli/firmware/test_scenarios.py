import json

import pytest
from click.testing import CliRunner

from deseptr.cli.main import deseptr, main
from deseptr.firmware_harness.simulator import scenario_names


def run(*arguments):
    return CliRunner().invoke(deseptr, ["firmware", "scenarios", *arguments])


def test_list_names_and_describes_all_scenarios():
    result = run()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("   ")] == scenario_names()
    assert "Wi-Fi" in result.output
    assert max(map(len, lines)) <= 100


def test_one_scenario_is_printed_as_a_template(tmp_path):
    result = run("frozen")
    assert result.output.startswith('description = "The sensor goes on answering')
    path = tmp_path / "mine.toml"
    path.write_text(result.output)
    assert run(str(path)).output == result.output


def test_json():
    made = json.loads(run("--json").output)
    assert set(made) == set(scenario_names())
    assert made["clone"]["sensor"] == "mpu6500"
    assert made["frozen"]["faults"] == ["hang"]


def test_check_reports_expected_and_unexpected_outcomes(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(run("frozen").output.replace("gaps = 2", "gaps = 7"))
    result = run("frozen", "--check")
    assert (result.exit_code, result.output) == (0, "frozen: as expected\n")
    result = run(str(path), "--check")
    assert (result.exit_code, result.output) == (1, "mine: gaps: found 2, expected 7\n")
    result = run("slow-bus", "--check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["slow-bus"]["left_out"] == "left out, it is for models of 1000 Hz"


def test_all_packaged_scenarios_hold_for_the_packaged_model():
    result = run("--check")
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == len(scenario_names())


@pytest.mark.parametrize("name", ["gremlins", "nowhere.toml"])
def test_wrong_use_ends_with_one_line(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["firmware", "scenarios", name])
    assert caught.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
