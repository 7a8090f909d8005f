import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.train.train import train
from deseptr.train import RunFolder, TrainConfig

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=4,seconds=12"


def tiny(student_epochs: int, heads: int) -> list[object]:
    """Options of a training on the spectrogram model that takes a moment."""
    teacher = ["--teacher-width", 4, "--teacher-epochs", 1]
    student = ["--student-epochs", student_epochs, "--dim", 8, "--heads", heads]
    return ["--model", "deseptr-spectrogram", *teacher, *student]


SMALL = tiny(student_epochs=1, heads=1)


def run(*arguments: object):
    return CliRunner().invoke(train, list(map(str, arguments)))


def test_train_shows_progress_and_the_next_command(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--test-subjects", "2", *SMALL)
    assert result.exit_code == 0, result.output
    assert "teacher 1/1  loss" in result.stderr
    assert "held-out subject 2," in result.stdout
    assert result.stderr.endswith(f"\nnext: deseptr convert {tmp_path / 'run'} -o run.tflite\n")
    metrics = json.loads(RunFolder(tmp_path / "run").metrics.read_text())
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["teacher", "student"] in lines
    assert ["macro-F1", *(f"{metrics[name]['macro_f1']:.3f}" for name in ("teacher", "student"))] in lines
    config = TrainConfig.load(RunFolder(tmp_path / "run").config)
    assert (config.teacher_width, config.dim, config.heads, config.seed) == (4, 8, 1, 0)


def test_early_stop_is_reported(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--model", "cnn-har", "--patience", 1, "--student-epochs", 40)
    assert result.exit_code == 0, result.output
    assert " of 40 epochs: validation macro-F1 no longer improves" in result.stderr


def test_model_is_chosen_by_name(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--model", "random-forest")
    assert result.exit_code == 0, result.output
    assert result.stderr.endswith(f"\nnext: deseptr evaluate {tmp_path / 'run'} DATA\n")
    assert "teacher" not in result.stdout
    assert TrainConfig.load(RunFolder(tmp_path / "run").config).model == "random-forest"


def test_whose_labels_were_used_is_printed(tmp_path: Path):
    few = ["--labelled-subjects", 1, "--validation", 0, "--test-subjects", 2]
    result = run(DATA, "-o", tmp_path / "run", "--model", "random-forest", *few)
    assert result.exit_code == 0, result.output
    (labelled,) = json.loads(RunFolder(tmp_path / "run").labelled.read_text())["labelled"]
    assert labelled in ("1", "3", "4")
    assert f"labels of subject {labelled}\n" in result.stdout
    refused = run(DATA, "-o", tmp_path / "other", "--model", "random-forest", "--unlabelled", DATA)
    assert "--unlabelled: found the model random-forest" in str(refused.exception)


def test_precision_is_recorded_also_by_a_model_that_has_none(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--model", "random-forest", "--precision", "bfloat16")
    assert result.exit_code == 0, result.output
    assert TrainConfig.load(RunFolder(tmp_path / "run").config).precision == "bfloat16"


def test_unknown_model_lists_the_known_ones(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--model", "svm")
    assert result.exit_code == 2
    assert "'tinierhar'" in result.output


def test_finished_run_is_shown_again_by_resume(tiny_run: Path):
    result = run(DATA, "-o", tiny_run, "--resume", "--json", "--batch-size", 64, *tiny(student_epochs=2, heads=2))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads(RunFolder(tiny_run).metrics.read_text())


def test_interruption_names_the_kept_files_and_how_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from deseptr.cli.train.progress import TrainingProgress

    def interrupt(self: TrainingProgress, row: dict) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "epoch", interrupt)
    result = run(DATA, "-o", tmp_path / "run", *SMALL)
    assert result.exit_code == 130
    assert "interrupted: no student yet; continue with the same command and --resume" in result.stderr


def test_resume_and_overwrite_exclude_each_other(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--resume", "--overwrite")
    assert result.exit_code == 2
    assert "--resume continues a run and --overwrite replaces it: give one" in result.output
