"""Progress of long calls, from reports written here by hand: what a callback is given, and what is logged."""

import logging
from pathlib import Path
from typing import Any

import pytest

from deseptr import CancelledError, Progress
from deseptr.contract import ModelError
from deseptr.data.protocols import Fold
from deseptr.evaluate.executors import FoldFailure
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.progress import conversion_steps, fold_reporter, round_counter, training_reporter
from deseptr.train.config import TrainConfig


def row(stage: str, epoch: int) -> dict[str, Any]:
    return {"stage": stage, "epoch": epoch, "loss": 1.25, "val_macro_f1": 0.5, "windows_per_s": 99.6}


def job(name: str) -> FoldJob:
    return FoldJob(Fold(name, (name,)), TrainConfig(), Path(name), "digest")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_training_is_told_by_epochs_and_their_parts():
    seen: list[Progress] = []
    with training_reporter(seen.append, "run", 8) as reporter:
        reporter.stage("teacher", 4, 1, 80)
        reporter.batch(20)
        reporter.batch(60)
        reporter.batch(8)
        reporter.epoch(row("teacher", 2))
        reporter.batch(40)
        reporter.stopped(2)
        reporter.stage("student", 0, 0, 0)
        reporter.batch(1)
    assert [(each.stage, each.done, each.total, each.share) for each in seen] == [
        ("teacher", 1, 4, 0.25),
        ("teacher", 1, 4, 0.3125),
        ("teacher", 1, 4, 0.5),
        # More windows than were announced are no more than an epoch.
        ("teacher", 1, 4, 0.5),
        ("teacher", 2, 4, 0.5),
        ("teacher", 2, 4, 0.625),
        ("teacher", 2, 2, 1.0),
        ("student", 0, 0, 0.0),
        ("student", 0, 0, 1.0),
    ]
    assert [each.figures for each in seen if each.figures] == [row("teacher", 2)]


def test_training_is_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "deseptr"), training_reporter(False, "run", 8) as reporter:
        reporter.stage("teacher", 40, 1, 83)
        reporter.batch(8)
        reporter.epoch(row("teacher", 2))
        reporter.stopped(2)
        reporter.stage("student", 9, 0, 83)
    assert messages(caplog) == [
        "teacher: 40 epochs of 83 windows, 1 done before",
        "teacher, epoch 2: loss 1.250  validation macro-F1 0.500  100 windows/s",
        "stopped after 2 epochs",
        "student: 9 epochs of 83 windows, 0 done before",
        "student: training steps: found 99 (epochs: 9, windows: 83, batch_size: 8), expected 100 or more to learn "
        "from; pass a smaller batch_size or more epochs",
    ]


def test_a_callback_that_returns_false_ends_the_training():
    with training_reporter(lambda progress: progress.done < 1, "run", None) as reporter:
        reporter.stage("teacher", 4, 0, 80)
        with pytest.raises(CancelledError, match=r"^run: found False .* in teacher, 1 of 4 done"):
            reporter.epoch(row("teacher", 1))


def test_folds_are_counted_with_those_that_are_kept(caplog: pytest.LogCaptureFixture):
    seen: list[Progress] = []
    error = ModelError("fold", found="nothing", expected="windows", next_step="add some")
    with caplog.at_level(logging.INFO, "deseptr"), fold_reporter(seen.append, "out") as reporter:
        reporter.begin([job("ada"), job("bob")], 2)
        reporter.fold(FoldResult(job("ada"), {"float": {"macro_f1": 0.5}}))
        reporter.fold(FoldFailure(job("bob"), error))
    assert seen == [
        Progress("folds", 2, 4, 0.5),
        Progress("folds", 3, 4, 0.75, {"float": {"macro_f1": 0.5}}),
        Progress("folds", 4, 4, 1.0, {"error": "fold: found nothing, expected windows; add some"}),
    ]
    assert messages(caplog) == ["fold ada ended, 3 of 4", "fold bob ended, 4 of 4"]
    with fold_reporter(seen.append, "out") as reporter:
        reporter.begin([], 0)
    assert seen[-1] == Progress("folds", 0, 0, 0.0)


def test_rounds_are_counted():
    seen: list[Progress] = []
    with round_counter(seen.append, 8) as step:
        step(2)
    assert seen == [Progress("timing", 2, 8, 0.25)]


@pytest.mark.parametrize("progress", [False, True, lambda progress: None])
def test_steps_of_a_conversion_are_logged_in_any_case(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], progress: Any
):
    with caplog.at_level(logging.INFO, "deseptr"):
        conversion_steps(progress, "run")("converting to int8")
    assert messages(caplog) == ["run: converting to int8"]
    assert capsys.readouterr().err == ("run: converting to int8\n" if progress is True else "")


def test_a_step_of_a_conversion_can_be_refused():
    steps: list[Progress] = []

    def refuse(progress: Progress) -> bool:
        steps.append(progress)
        return False

    with pytest.raises(CancelledError, match="nothing was written"):
        conversion_steps(refuse, "run")("comparing")
    assert steps == [Progress("comparing")]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (
            Progress("student", 3, 20, 0.15, {"loss": 1.25, "val_macro_f1": None, "time": 9.0}),
            "student 3 of 20, 15%  loss 1.250",
        ),
        (Progress("folds", 0, 4, 0.0, {"error": "none"}), "folds 0 of 4, 0%"),
        (Progress("timing"), "timing"),
    ],
)
def test_progress_in_a_line(progress: Progress, line: str):
    assert str(progress) == line
