import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.firmware import arm_cost as command
from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator.baseline import read_baseline
from deseptr.firmware_harness.emulator.cost import ArmCost, ArmCosts

NOW = ArmCosts({"qemu": "7.2", "numpy": "2.4"}, (ArmCost("new/m.tflite", "cortex-a53", ((1010, 1020, 1030),)),))


def baseline(folder, instructions=1000, **other):
    content = {
        "unit": command.UNIT,
        "software": {"qemu": "7.2", "numpy": "2.3"},
        "costs": [{"model": "old/m.tflite", "cpu": "cortex-a53", "instructions": instructions}],
    }
    path = folder / "before.json"
    path.write_text(json.dumps(content | other))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    counted = []

    def count(models, cpus, **options):
        counted.append((models, cpus))
        return NOW

    monkeypatch.setattr(command, "count_instructions", count)

    def run(path, *options, models=("new/m.tflite",)):
        arguments = [*models, "--cpu", "cortex-a53", "--baseline", str(path), *options]
        return CliRunner().invoke(command.arm_cost, arguments, standalone_mode=True)

    run.counted = counted
    return run


@pytest.mark.parametrize(
    ("instructions", "options", "exit_code", "line"),
    [
        (1000, [], 1, "MORE new/m.tflite on cortex-a53: 1,000 before, +2.00%"),
        (1000, ["--tolerance", "2.5"], 0, "OK   new/m.tflite on cortex-a53: 1,000 before, +2.00%"),
        (1020, ["--tolerance", "0"], 0, "+0.00%"),
        (2040, [], 0, "-50.00%"),
    ],
)
def test_more_than_the_tolerance_ends_with_1(run, tmp_path, instructions, options, exit_code, line):
    result = run(baseline(tmp_path, instructions), *options)
    assert result.exit_code == exit_code
    assert line in result.stdout
    assert "numpy was 2.3 and is 2.4" in result.stderr
    assert "qemu was" not in result.stderr


def test_json_holds_the_change_and_stays_json(run, tmp_path):
    result = run(baseline(tmp_path), "--json")
    assert result.exit_code == 1
    [change] = json.loads(result.stdout)["changes"]
    assert (change["before"], change["instructions"], change["percent_more"]) == (1000, 1020, pytest.approx(2))
    assert "MORE" in result.stderr


def test_a_model_without_a_baseline_is_reported_before_counting(run, tmp_path):
    result = run(baseline(tmp_path), models=("new/m.tflite", "other.tflite"))
    assert isinstance(result.exception, SetupError)
    assert "found no figure of other.tflite on cortex-a53, expected one; it has m.tflite on cortex-a53" in str(
        result.exception
    )
    assert run.counted == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"unit": "us"}',
        json.dumps({"unit": command.UNIT, "software": {}, "costs": [{"model": "m"}]}),
        json.dumps({"unit": command.UNIT, "software": [], "costs": []}),
    ],
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "before.json"
    path.write_text(text)
    with pytest.raises(SetupError, match="found content of another form, expected the output of"):
        read_baseline(path)


def test_invalid_figures_and_missing_files_are_refused(tmp_path):
    with pytest.raises(SetupError, match="found content of another form"):
        read_baseline(baseline(tmp_path, 0))
    with pytest.raises(SetupError, match="found No such file or directory"):
        read_baseline(tmp_path / "nowhere.json")


def test_the_repositorys_baseline_of_the_packaged_model_can_be_read():
    path = Path(__file__).parents[3] / "benchmarks" / "convert" / "arm_cost_packaged.json"
    kept = read_baseline(path)
    model, cpus = "deseptr_motionsense.tflite", ("cortex-a53", "cortex-a76")
    kept.check((Path(model),), cpus)
    assert all(kept.instructions[model, cpu] > 0 for cpu in cpus)
