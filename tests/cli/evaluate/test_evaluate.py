import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.evaluate.evaluate import evaluate
from deseptr.contract import DataError, ModelContract
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.evaluate.predictor import Predictor, evaluate_model, load_predictor, windows_for
from deseptr.tflite import read_tflite

DATA = "synthetic:subjects=4,seconds=12"
KEYS = {"windows", "accuracy", "macro_f1", "labels", "per_class_f1", "per_subject_f1", "confusion"}


def run(*arguments: object) -> str:
    result = CliRunner().invoke(evaluate, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_run_and_tflite_give_the_same_keys_and_windows(tiny_run: Path, tiny_tflite: Path):
    of_run, of_tflite = (json.loads(run(path, DATA, "--json")) for path in (tiny_run, tiny_tflite))
    assert KEYS <= of_run.keys() == of_tflite.keys()
    assert of_run["windows"] == of_tflite["windows"]
    assert of_run["subjects"] == list(load_dataset(DATA).test_subjects)
    assert np.sum(of_run["confusion"]) == of_run["windows"]


def test_the_next_step_depends_on_the_model(tiny_run: Path, tiny_tflite: Path):
    steps = [
        (tiny_run, f"convert {tiny_run} -o {tiny_run.name}.tflite"),
        (tiny_tflite, f"device run --model {tiny_tflite} --simulate"),
    ]
    for model, step in steps:
        result = CliRunner().invoke(evaluate, [str(model), DATA])
        assert result.stderr.splitlines()[-1] == f"next: deseptr {step}"
    assert "next:" not in CliRunner().invoke(evaluate, [str(tiny_tflite), DATA, "--json"]).stderr


def test_subjects_choose_the_windows(tiny_tflite: Path):
    figures = json.loads(run(tiny_tflite, DATA, "--test-subjects", "1,3", "--json"))
    assert set(figures["per_subject_f1"]) == {"1", "3"}


def test_table_shows_scores_and_confusion(tiny_tflite: Path):
    text = run(tiny_tflite, DATA)
    assert "macro-F1" in text
    assert "F1 jogging" in text
    assert "true (rows)" in text


def test_engine_and_float_model_are_the_same_model(tiny_run: Path, tiny_tflite: Path):
    windows = windows_for(read_tflite(tiny_tflite).contract, load_dataset(DATA)).signals
    first, second = (load_predictor(path).predict(windows) for path in (tiny_run, tiny_tflite))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99
    # A correlation is blind to scale and offset. An output step of this model is 0.006.
    scale, offset = np.polyfit(first.ravel(), second.ravel(), 1)
    assert scale == pytest.approx(1, abs=0.05)
    assert offset == pytest.approx(0, abs=0.012)
    assert np.abs(second - first).mean() < 0.05 * np.ptp(first)


def test_page_has_the_windows_behind_the_confusion_matrix(tiny_tflite: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    text = run(tiny_tflite, DATA, "-o", page)
    assert f"page: {page}" in text
    content = json.loads(page.with_suffix(".json").read_text())
    figures = json.loads(run(tiny_tflite, DATA, "--json"))
    assert content == {"format": "deseptr evaluate 1", **figures, "macro_f1_interval": None}
    html = page.read_text()
    wrong = {
        (true, given): count
        for true, row in enumerate(figures["confusion"])
        for given, count in enumerate(row)
        if true != given and count
    }
    assert wrong
    for (true, given), count in wrong.items():
        assert f'id="confusion-0-{true}-{given}"' in html
        assert f"{count} of {sum(figures['confusion'][true])} windows of {figures['labels'][true]}" in html
    assert html.count("</svg><span>wearer") == sum(min(count, 6) for count in wrong.values())
    assert "Most confused: " in page.with_suffix(".md").read_text()
    assert run(tiny_tflite, DATA, "-o", page, "--json").startswith("{")


def test_a_page_overwrites_nothing_else(tiny_tflite: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text("mine")
    result = CliRunner().invoke(evaluate, [str(tiny_tflite), DATA, "-o", str(page)])
    assert result.exit_code != 0
    assert page.read_text() == "mine"


def dataset(names: tuple[str, ...]) -> Dataset:
    signals = np.random.default_rng(0).normal(size=(600, 6)).astype(np.float32)
    labels = np.repeat(np.arange(len(names)), 600 // len(names)).astype(np.int16)
    return Dataset((Recording(signals, 50.0, "1", labels),), names)


def test_labels_are_matched_by_name_and_unknown_ones_left_out():
    contract = ModelContract(labels=("walk", "sit", "run"))
    windows = windows_for(contract, dataset(("sit", "fly", "walk")))
    assert windows.label_names == contract.labels
    assert windows.labels.tolist() == [1, 1, 0, 0]


def test_data_without_an_earlier_class_of_the_model_keeps_the_others_numbers():
    contract = ModelContract(labels=("walk", "sit", "run"))
    windows = windows_for(contract, dataset(("fly", "run", "sit")))
    assert windows.label_names == contract.labels
    assert windows.labels.tolist() == [2, 2, 1, 1]


def test_scores_of_data_without_an_earlier_class_are_those_of_the_right_classes():
    contract = ModelContract(labels=("walk", "sit", "run"))
    always_run = Predictor(contract, "made", lambda windows: np.tile(np.float32([0, 0, 1]), (len(windows), 1)))
    scores = evaluate_model(always_run, dataset(("fly", "run", "sit")))
    assert scores.confusion.tolist() == [[0, 0, 0], [0, 0, 2], [0, 0, 2]]
    assert scores.accuracy == 0.5


def test_no_common_label_is_refused():
    with pytest.raises(DataError, match="found the labels a, b, expected some of the model's: walk, sit"):
        windows_for(ModelContract(labels=("walk", "sit")), dataset(("a", "b")))
