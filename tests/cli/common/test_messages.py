"""Lines on stderr."""

import shlex

import pytest

from deseptr.cli.common.messages import suggest, suggest_training


def test_a_suggestion_can_be_pasted(capsys: pytest.CaptureFixture[str]):
    words = ["evaluate", "my models/it's.tflite", "DATA"]
    suggest(*words)
    start, line = capsys.readouterr().err.split(": ", 1)
    assert (start, shlex.split(line)) == ("next", ["deseptr", *words])


def test_a_suggestion_shows_the_name_of_a_file_without_obeying_it(capsys: pytest.CaptureFixture[str]):
    suggest("evaluate", "\x1b[2J.tflite")
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "step"),
    [
        ("walk.labelled.npz", "next: deseptr train walk.labelled.npz -o runs/walk\n"),
        ("a/b.csv", "next: deseptr train a/b.csv -o runs/b\n"),
        ("for-another-program", ""),
    ],
)
def test_training_is_suggested_on_recordings_of_own_layouts(data: str, step: str, capsys: pytest.CaptureFixture[str]):
    suggest_training(data)
    assert capsys.readouterr().err == step
