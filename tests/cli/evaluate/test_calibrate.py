import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner

from deseptr.cli.evaluate.calibrate import calibrate
from deseptr.contract import DataError, HeldOut, SetupError
from deseptr.device import default_model
from deseptr.evaluate.model_file import write_contract
from deseptr.tflite import load_engine, predict, read_tflite, without_archive

DATA = "synthetic:subjects=3,seconds=60"


def invoke(*arguments):
    result = CliRunner().invoke(calibrate, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def model(tmp_path):
    return shutil.copy(default_model(), tmp_path / "m.tflite")


def test_the_temperature_goes_into_the_contract_and_the_logits_are_divided_by_it(model):
    before = read_tflite(model)
    windows = np.random.default_rng(0).normal(0, 3, (20, before.contract.input_length, 6)).astype(np.float32)
    raw = predict(load_engine(model), windows) * before.contract.logit_temperature
    content = json.loads(invoke(model, DATA, "--subjects", "1,2", "--json").stdout)
    after = read_tflite(model)
    assert after.contract.logit_temperature == content["temperature"] != 1
    assert without_archive(after.content) == without_archive(before.content)
    np.testing.assert_allclose(predict(load_engine(model), windows), raw / content["temperature"], rtol=1e-5)
    # Once more gives the same: a temperature that is there already is left out of account.
    again = json.loads(invoke(model, DATA, "--subjects", "1,2", "--json").stdout)
    assert again["temperature"] == pytest.approx(content["temperature"], rel=1e-4)
    assert again["before"]["ece"] == pytest.approx(content["before"]["ece"], abs=1e-4)


def test_page_and_another_output(model, tmp_path):
    page, output = tmp_path / "c.html", tmp_path / "other.tflite"
    untouched = model.read_bytes()
    result = invoke(model, DATA, "--subjects", "1,2", "-o", output, "--page", page)
    assert result.stdout.startswith("temperature ")
    assert "each wearer by the others" in result.stdout
    assert model.read_bytes() == untouched
    assert read_tflite(output).contract.logit_temperature
    text = page.read_text("utf-8")
    assert text.count("<svg") == 2
    assert "expected calibration error" in page.with_suffix(".md").read_text("utf-8")
    assert json.loads(page.with_suffix(".json").read_text("utf-8"))["format"] == "deseptr calibration 1"


def test_a_temperature_that_may_as_well_be_one_is_left_out(model, tmp_path):
    page = tmp_path / "c.html"
    # A window of each recording.
    result = invoke(model, "synthetic:subjects=2,seconds=3", "--subjects", "1,2", "--page", page, "--known", "0.9")
    assert "do not tell the temperature" in result.stderr
    assert "the contract keeps what it has" in result.stdout
    assert "so that it is not in the contract" in page.with_suffix(".md").read_text("utf-8")
    after = read_tflite(model).contract
    assert after.logit_temperature == read_tflite(default_model()).contract.logit_temperature
    # What else was asked for is written.
    assert after.known_windows is not None


def test_wearers_must_be_named(model):
    with pytest.raises(DataError, match=r"wearers to calibrate on: found none that are known"):
        invoke(model, DATA)


def test_known_windows_go_into_the_contract_only_if_they_are_asked_for(model):
    content = json.loads(invoke(model, DATA, "--subjects", "1,2", "--known", "0.9", "--json").stdout)
    known = read_tflite(model).contract.known_windows
    assert known.share == 0.9
    assert content["known_windows"]["limit"] == known.limit
    assert content["known_windows"]["subjects"] == ["1", "2"]
    # A later calibration without the option leaves them as they are.
    assert "known_windows" not in json.loads(invoke(model, DATA, "--subjects", "1,2", "--json").stdout)
    assert read_tflite(model).contract.known_windows == known


def test_how_the_sensor_was_worn_goes_into_the_contract_only_if_it_is_asked_for(model, tmp_path):
    page, before = tmp_path / "c.html", read_tflite(model)
    result = invoke(model, DATA, "--subjects", "1,2", "--mounting", "--known", "0.9", "--page", page)
    after = read_tflite(model)
    assert {each.label for each in after.contract.mounting.classes} <= set(after.contract.labels)
    assert after.contract.mounting.turns[0].name == "none"
    assert without_archive(after.content) == without_archive(before.content)
    assert "\nmounting: 6 classes, from " in result.stdout
    for written in (page, page.with_suffix(".md")):
        text = written.read_text("utf-8")
        assert "Mounting: 6 classes in " in text
        assert "which know 90.0% of other wearers" in text
    # A later calibration without the options leaves both as they are.
    assert "mounting" not in json.loads(invoke(model, DATA, "--subjects", "1,2", "--json").stdout)
    assert read_tflite(model).contract.mounting == after.contract.mounting
    assert read_tflite(model).contract.known_windows == after.contract.known_windows


def test_the_reference_is_of_all_but_the_held_out_wearers(model, tmp_path):
    held_out = replace(read_tflite(model).contract, held_out=HeldOut.of(["2"], bytes(16)))
    write_contract(read_tflite(model), None, held_out)
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text(json.dumps({"subjects": {"train": ["3"], "validation": ["1"], "test": ["2"]}}))
    content = json.loads(invoke(model, DATA, "--run", run, "--mounting", "--json").stdout)
    assert content["subjects"] == ["1"]
    assert content["mounting"]["subjects"] == ["1", "3"]
    assert content["mounting"]["worn"] == dict(read_tflite(model).contract.mounting.worn)


def test_what_was_found_of_known_windows_is_told(model):
    known, written = invoke(model, DATA, "--subjects", "1,2", "--known", "0.9").stdout.splitlines()[2:]
    count = len(read_tflite(model).contract.known_windows.table)
    assert known.startswith(f"known windows: {count} prototypes of ")
    assert known.endswith(" windows of 2 wearers, which know 90.0% of other wearers' windows")
    assert written == f"written into {model}"


def test_one_wearer_is_compared_with_nobody(model):
    before = model.read_bytes()
    with pytest.raises(DataError, match="found windows of 1 wearer, expected two wearers or more"):
        invoke(model, DATA, "--subjects", "1", "--known", "0.9")
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("c.txt", "--page .*c.txt must end in .html"),
        ("notes.html", "notes.md: found another file.*choose another --page"),
    ],
)
def test_a_page_that_would_replace_something_else_is_refused(model, tmp_path, page, message):
    (tmp_path / "notes.md").write_text("mine")
    untouched = model.read_bytes()
    with pytest.raises((SetupError, UsageError), match=message):
        CliRunner().invoke(
            calibrate,
            [str(model), DATA, "--subjects", "1,2", "--page", str(tmp_path / page)],
            standalone_mode=False,
            catch_exceptions=False,
        )
    assert model.read_bytes() == untouched
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_an_output_that_is_no_model_is_not_replaced(model, tmp_path):
    output = tmp_path / "notes"
    output.write_text("mine")
    with pytest.raises(SetupError, match="notes: found something else, which would be lost"):
        invoke(model, DATA, "--subjects", "1,2", "-o", output)
    assert output.read_text() == "mine"


def test_what_later_days_are_compared_with_goes_into_the_contract(model, tmp_path):
    page = tmp_path / "c.html"
    result = invoke(model, DATA, "--subjects", "1,2,3", "--drift", "--known", "0.9", "--page", page)
    contract = read_tflite(model).contract
    assert contract.drift.wearers == 3
    assert list(contract.drift.histograms) == ["confidence", "distance", "score"]
    # Counted with the temperature that was found, not with that of the model before.
    assert contract.logit_temperature
    assert f"\ndrift: {contract.drift.windows} windows of 3 wearers; a day of 1000 windows differs" in result.stdout
    assert f"Drift: {contract.drift.windows} windows of subjects 1, 2, 3" in page.read_text()
    again = json.loads(invoke(model, DATA, "--subjects", "1,2,3", "--drift", "--known", "0.9", "--json").stdout)
    assert again["drift"]["subjects"] == ["1", "2", "3"]
    assert read_tflite(model).contract.drift == contract.drift
    # Its confidences are those of another temperature; the same windows as before are no reason to leave it out.
    assert "reference of drift" not in invoke(model, "synthetic:subjects=2,seconds=3", "--subjects", "1,2").stderr
    assert read_tflite(model).contract.drift == contract.drift
    assert "the reference of drift was of other" in invoke(model, DATA, "--subjects", "1,2").stderr
    assert read_tflite(model).contract.drift is None
    assert read_tflite(model).contract.known_windows == contract.known_windows


def test_drift_needs_three_wearers(model):
    before = model.read_bytes()
    with pytest.raises(DataError, match=r"found 2 .* leave out --drift"):
        invoke(model, DATA, "--subjects", "1,2", "--drift")
    assert model.read_bytes() == before
