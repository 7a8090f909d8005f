import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.evaluate.crossval import FoldProgress, crossval
from deseptr.cli.main import main
from deseptr.contract import ConversionError
from deseptr.data import Fold
from deseptr.evaluate.executors import FoldFailure
from deseptr.evaluate.fold_job import FoldJob
from deseptr.train import TrainConfig

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=4,seconds=12"
SMALL = ["--model", "cnn-har", "--student-epochs", 1]


def run(*arguments: object):
    return CliRunner().invoke(crossval, list(map(str, arguments)))


def test_runs_folds_prints_a_table_and_keeps_them(tmp_path: Path):
    out = tmp_path / "out"
    first = run(DATA, "--protocol", "loso", "--labels", "jogging,sitting", "--folds", 2, "-o", out, *SMALL)
    assert first.exit_code == 0, first.output
    assert "fold 2 (1/1): macro-F1 float" in first.stderr
    assert "1 of 4 folds: macro-F1 float" in first.stdout
    assert f"summary: {out / 'crossval.md'}" in first.stdout
    assert f"page: {out / 'crossval.html'}" in first.stdout
    assert (out / "fold-2" / "model.tflite").exists()
    page = (out / "crossval.html").read_text()
    assert "int8: windows, and their share of the true class" in page
    assert "not at hand" not in page
    assert "<h1>cnn_har on synthetic, protocol loso</h1>" in page

    again = run(DATA, "--protocol", "loso", "--labels", "6,3", "--folds", 2, "-o", out, *SMALL, "--json")
    assert again.exit_code == 0, again.output
    assert "1 finished before and kept" in again.stderr
    assert "to run" not in again.stderr
    summary = json.loads(again.stdout)
    assert summary["int8"]["pooled"]["labels"] == ["jogging", "sitting"]
    assert summary["folds"][0]["subjects"]["test"] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--protocol", "random"], "deseptr: protocol random: found a split by window"),
        (["--protocol", "arena", "--labels", "flying"], "deseptr: labels 'flying'"),
        (["--protocol", "arena", "--folds", "7"], "deseptr: protocol arena: fold 7: found no such fold"),
        (["--protocol", "arena", "--subjects", "1,2"], "deseptr: synthetic: split by subject: found 2 subjects"),
    ],
)
def test_wrong_use_gives_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], line: str):
    with pytest.raises(SystemExit) as stop:
        main(["crossval", DATA, "-o", str(tmp_path / "out"), *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.strip().splitlines()[-1].startswith(line)
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_interruption_explains_how_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deseptr.evaluate.crossval.cross_validate", interrupt)
    result = run(DATA, "--protocol", "arena", "-o", tmp_path / "out")
    assert result.exit_code == 130
    assert "finished folds are kept; repeat the command to continue" in result.stderr


def test_failed_fold_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture):
    job = FoldJob(Fold("3", ("3",)), TrainConfig(), tmp_path / "fold-3", "made")
    with FoldProgress() as progress:
        progress.begin([job], 2)
        progress.fold(FoldFailure(job, ConversionError("run", found="a", expected="b", next_step="c")))
    error = capsys.readouterr().err
    assert "2 finished before and kept" in error
    assert "fold 3 (1/1) failed: run: found a, expected b; c" in error


def test_training_options_are_those_of_train():
    from deseptr.cli.train.train import train

    own = {"name", "out", "labels", "folds", "jobs", "address", "int8", "together"}
    only_train = {"run", "test_subjects", "teachers", "resume", "tensorboard", "labels", "drop_labels", "rate"}
    # Of a model that is to be worn; a cross-validation scores runs of labels.
    only_train |= {"event", "event_span", "preset"}
    assert {p.name for p in crossval.params} - own == {p.name for p in train.params} - only_train
