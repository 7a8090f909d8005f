"""``deseptr report --drift`` on small logs, from the command line."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.evaluate.report import report
from deseptr.contract import DataError, DriftHistogram, DriftReference, ModelError
from deseptr.device import DriftEvent, DriftSummary, default_model
from deseptr.evaluate.model_file import write_contract
from deseptr.report.drift_page import _mixes
from deseptr.tflite import read_tflite

USUAL = [0, 0, 0, 0, 0, 0, 5, 5, 5, 20, 40, 25]
LOW = [10, 10, 20, 20, 20, 20, 0, 0, 0, 0, 0, 0]


def invoke(*arguments):
    result = CliRunner().invoke(report, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The packaged model with a reference of confidence."""
    path = shutil.copy(default_model(), tmp_path_factory.mktemp("model") / "m.tflite")
    file = read_tflite(path)
    of_class = tuple(tuple(USUAL) for _ in file.contract.labels)
    reference = DriftReference(5, 100 * len(of_class), 1.28, 9.8, DriftHistogram(of_class, (0.5, 0.3, 0.2)))
    return write_contract(file, path, replace(file.contract, drift=reference))


@pytest.fixture(scope="module")
def make_part(model):
    contract = read_tflite(model).contract

    def make(day, number, shares=USUAL, times=10, **fields):
        windows = sum(shares) * times
        summary = DriftSummary(windows, windows * 1.28)
        summary.labels = Counter(dict.fromkeys(contract.labels, windows // len(contract.labels)))
        summary.labels[contract.labels[0]] += windows - summary.labels.total()
        summary.histograms["confidence"] = (np.array(shares) * times).tolist()
        summary.confidence = 0.9 * windows
        summary.lost_samples = fields.pop("lost", 0)
        fields = {"reference": contract.drift.key} | fields
        return DriftEvent(1.0, day, f"r-{number}", "hour", summary, **fields)

    return make


@pytest.fixture
def log(tmp_path):
    def write(*events):
        path = tmp_path / "run.jsonl"
        path.write_text("".join(json.dumps(event.to_dict()) + "\n" for event in events))
        return path

    return write


def test_the_day_that_differs_is_named_in_a_sentence(model, make_part, log):
    days = [make_part("2026-03-01", 1), make_part("2026-03-02", 2), make_part("2026-03-03", 3, LOW)]
    result = invoke("--drift", model, log(*days))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "2026-03-02: as in training" in lines
    found = "confidence lower (100% below 0.9, expected 0%)"
    assert lines[-1] == f"2026-03-03 differs from training: {found}; 2 days are as in training."


def test_parts_of_a_day_are_summed_before_they_are_judged(model, make_part, log):
    """Each alone is too short for a verdict."""
    parts = [make_part("2026-03-01", number, times=1) for number in range(1, 6)]
    content = json.loads(invoke("--drift", model, log(*parts), "--json").stdout)
    (day,) = content["days"]
    assert day["windows"] == 500
    assert day["verdict"]["word"] == "as in training"
    alone = json.loads(invoke("--drift", model, log(parts[0]), "--json").stdout)
    assert alone["days"][0]["text"] == "too few windows: 2.1 min of at least 6.4"
    assert alone["answer"] == "No day has enough windows for a verdict."


def test_json_has_the_figures_and_their_limits(model, make_part, log):
    content = json.loads(invoke("--drift", model, log(make_part("2026-03-01", 1, LOW)), "--json").stdout)
    assert content["format"] == "deseptr drift 1"
    assert content["reference"]["wearers"] == 5
    (day,) = content["days"]
    assert day["verdict"]["limits"] == {"confidence": 0.3}
    assert day["verdict"]["psi"]["confidence"] > 1
    assert day["verdict"]["findings"] == ["confidence lower (100% below 0.9, expected 0%)"]


def test_lost_samples_are_told(model, make_part, log):
    day = make_part("2026-03-01", 1, lost=12_800)
    content = json.loads(invoke("--drift", model, log(day), "--json").stdout)
    assert content["days"][0]["text"] == "differs from training: 17% of the samples lost"


def test_wearers_have_rows_of_their_own(model, make_part, log):
    days = [make_part("2026-03-01", 1, wearer="eve"), make_part("2026-03-01", 2, LOW, wearer="ada")]
    result = invoke("--drift", model, log(*days))
    ada, eve, answer = result.stdout.splitlines()[-3:]
    assert ada.startswith("2026-03-01 (ada): differs from training: ")
    assert eve == "2026-03-01 (eve): as in training"
    assert answer.startswith("2026-03-01 (ada) differs from training: ")


def test_days_of_another_reference_are_not_compared(model, make_part, log):
    days = [make_part("2026-03-01", 1, LOW, reference=None), make_part("2026-03-02", 2)]
    result = invoke("--drift", model, log(*days))
    assert "2026-03-01: not comparable" in result.stdout.splitlines()
    assert "note: days that are not comparable were counted by another reference" in result.stderr
    assert result.stdout.splitlines()[-1] == "1 day is as in training."


def test_a_clock_that_was_not_set_is_told(model, make_part, log):
    result = invoke("--drift", model, log(make_part("1970-01-01", 1)))
    assert "note: 1970-01-01: the clock was not set" in result.stderr


def test_the_page_has_the_table_and_what_the_activities_were(model, make_part, log, tmp_path):
    page = tmp_path / "drift.html"
    path = log(make_part("2026-03-01", 1), make_part("2026-03-02", 2, LOW, wearer="<b>eve</b>"))
    result = invoke("--drift", model, path, "-o", page)
    assert result.stdout.splitlines()[-1] == f"page: {page}"
    text = page.read_text()
    assert text.count("<svg") == 1
    assert "confidence lower (100% below 0.9, expected 0%)" in text
    assert "<b>eve</b>" not in text
    assert "| 2026-03-01 |" in page.with_suffix(".md").read_text()
    assert json.loads(page.with_suffix(".json").read_text())["format"] == "deseptr drift 1"
    # Once more replaces it; another report's page does not.
    assert invoke("--drift", model, path, "-o", page).exit_code == 0


def test_a_day_of_two_references_is_drawn_twice_and_new_labels_have_a_share(model, make_part, log):
    parts = [make_part("2026-03-01", 1, reference=None), make_part("2026-03-01", 2)]
    parts[0].summary.labels["knitting"] = parts[0].summary.labels.pop("walking")
    content = json.loads(invoke("--drift", model, log(*parts), "--json").stdout)
    assert [day["verdict"]["word"] for day in content["days"]] == ["as in training", "not comparable"]
    mixes = _mixes(content)
    assert list(mixes) == ["reference", "2026-03-01", "2026-03-01, other reference"]
    assert [mix["new labels"] > 10 for mix in mixes.values()] == [False, False, True]
    assert [sum(mix.values()) for mix in mixes.values()] == pytest.approx([100] * 3)


def test_without_o_no_page_is_written(model, make_part, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    invoke("--drift", model, log(make_part("2026-03-01", 1)))
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_model_without_a_reference_is_refused_with_the_next_step(make_part, log):
    with pytest.raises(DataError, match="deseptr calibrate MODEL DATA --drift"):
        invoke("--drift", default_model(), log(make_part("2026-03-01", 1)))


def test_logs_of_another_model_are_refused(model, make_part, log):
    part = make_part("2026-03-01", 1)
    part.summary.labels = Counter(swimming=part.summary.windows)
    with pytest.raises(DataError, match="found logs of the labels swimming, expected some of the model's"):
        invoke("--drift", model, log(part))


def test_a_model_that_is_none_is_refused(make_part, log, tmp_path):
    with pytest.raises(ModelError):
        invoke("--drift", tmp_path / "missing.tflite", log(make_part("2026-03-01", 1)))
