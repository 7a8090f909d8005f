import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from deseptr.cli.device.group import device
from deseptr.cli.evaluate.tune import tune
from deseptr.contract import DataError, SetupError
from deseptr.data import save_dataset, synthetic_dataset
from deseptr.device import default_model
from deseptr.tflite import read_tflite

DATA = "synthetic:subjects=3,seconds=16"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(default_model().read_bytes())
    return path


def run(model: Path, *arguments: object) -> Result:
    options = ["--subjects", "1", "--tries", "3", "--hops", "1.28", *map(str, arguments)]
    return CliRunner().invoke(tune, [str(model), DATA, *options], catch_exceptions=False)


def test_choice_is_printed_written_and_followed(model: Path, tmp_path: Path):
    page = tmp_path / "tune.html"
    made = json.loads(run(model, "--target", "f1", "--page", page, "--json").stdout)
    decision = read_tflite(model).contract.decision
    assert decision is not None
    assert decision.to_dict() == made["decision"]
    assert made["figures"]["frame_f1"] >= made["before"]["figures"]["frame_f1"]
    assert "<svg" in page.read_text()
    assert "| chosen |" in page.with_suffix(".md").read_text()
    options = ["run", "--model", str(model), "--simulate", DATA, "--json"]
    tuned = CliRunner().invoke(device, options, catch_exceptions=False).stdout
    overridden = CliRunner().invoke(device, [*options, "--threshold", "1"], catch_exceptions=False).stdout
    states = [json.loads(line).get("state") for line in overridden.splitlines()]
    assert set(states) - {None} == {"unknown"} != {json.loads(line).get("state") for line in tuned.splitlines()}


def test_text_says_what_was_and_what_is(model: Path):
    result = run(model, "--target", "delay=1000")
    assert result.exit_code == 0
    assert "before" in result.stdout
    assert f"written into {model}" in result.stdout


@pytest.mark.parametrize("arguments", [["--target", "speed"], ["--target", "f1", "--hops", "x"]])
def test_mistakes_leave_the_model_alone(model: Path, arguments: list[str]):
    before = model.read_bytes()
    with pytest.raises(SetupError):
        run(model, *arguments)
    assert model.read_bytes() == before


def tune_alarm(model: Path, *arguments: object) -> Result:
    options = ["--subjects", "1", "--event", "jogging", *map(str, arguments)]
    return CliRunner().invoke(tune, [str(model), DATA, *options], catch_exceptions=False)


def test_alarm_is_tuned_written_and_followed(model: Path):
    made = json.loads(tune_alarm(model, "--target", "sensitivity=1", "--event-confirm", "0", "--json").stdout)
    (rule,) = read_tflite(model).contract.events or ()
    assert asdict(rule) == made["rule"]
    assert (rule.label, rule.confirm_s) == ("jogging", 0.0)
    assert made["figures"]["missed"] <= made["before"]["figures"]["missed"]
    options = ["run", "--model", str(model), "--simulate", DATA, "--subject", "1", "--json"]
    lines = map(json.loads, CliRunner().invoke(device, options, catch_exceptions=False).stdout.splitlines())
    raised = [line for line in lines if line.get("alarm", {}).get("state") == "raised"]
    assert len(raised) >= made["figures"]["detected"]
    # Tuned again, the rule is replaced.
    again = tune_alarm(model, "--target", "false-alarms=0/h")
    assert "before" in again.stdout
    # A rule that never raises has no false alarm.
    assert "note: no rule that was tried reaches the target" not in again.stderr
    assert len(read_tflite(model).contract.events or ()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--event", "jogging", "--target", "f1"], "--target: found f1"),
        (["--event", "falling", "--target", "sensitivity=1"], "event falling: found no such class"),
    ],
)
def test_mistakes_in_an_alarm_leave_the_model_alone(model: Path, arguments: list[str], message: str):
    before = model.read_bytes()
    with pytest.raises(SetupError, match=message):
        CliRunner().invoke(tune, [str(model), DATA, "--subjects", "1", *arguments], catch_exceptions=False)
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--event", "jogging", "--tries", "3"], "--tries goes without --event"),
        (["--event-confirm", "3"], "goes with --event"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(model: Path, arguments: list[str], message: str):
    result = CliRunner().invoke(tune, [str(model), DATA, "--target", "f1", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_output_that_is_no_model_is_not_replaced(model: Path, tmp_path: Path):
    output = tmp_path / "notes"
    output.write_text("mine")
    with pytest.raises(SetupError, match="notes: found something else, which would be lost"):
        run(model, "--target", "f1", "-o", output)
    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    ("seconds", "labels", "message"),
    [
        (1.0, None, r"found 1\.\d* s at most, expected recordings of 2\.56 s"),
        (4.0, -1, "found no sample with a label that the"),
    ],
)
def test_nothing_is_tuned_on_what_says_nothing(
    model: Path, tmp_path: Path, seconds: float, labels: int | None, message: str
):
    made = synthetic_dataset(subjects=1, seconds=seconds)
    recordings = made.recordings
    if labels is None:
        kept = tuple(replace(each, signals=each.signals[:50], labels=each.labels[:50]) for each in recordings)
    else:
        kept = tuple(replace(each, labels=np.full_like(each.labels, labels)) for each in recordings)
    save_dataset(replace(made, recordings=kept), tmp_path / "d.npz")
    untouched = model.read_bytes()
    options = ["--subjects", "1", "--tries", "3", "--target", "f1"]
    with pytest.raises(DataError, match=message):
        CliRunner().invoke(tune, [str(model), str(tmp_path / "d.npz"), *options], catch_exceptions=False)
    assert model.read_bytes() == untouched
