import io
from typing import Any

import pytest
from rich.console import Console

from deseptr.cli.train.progress import TrainingProgress


def row(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "loss": 1.0, "val_macro_f1": 0.5, "windows_per_s": 100.0}


@pytest.mark.parametrize("terminal", [True, False])
def test_stage_that_stops_early_fills_its_bar_and_prints_a_line(terminal: bool):
    written = io.StringIO()
    with TrainingProgress(Console(file=written, force_terminal=terminal, width=120)) as progress:
        progress.stage("student", 9, 0, 100)
        progress.epoch(row(1))
        progress.stopped(1)
        assert all(task.finished for task in progress.bars.tasks)
    assert "student stopped after 1 of 9 epochs: validation macro-F1 no longer improves" in written.getvalue()
    assert ("1/1" in written.getvalue()) == terminal


def test_the_time_left_is_that_of_the_epochs_since_the_call_began(monkeypatch: pytest.MonkeyPatch):
    times = iter([100.0, 102.0, 108.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    written = io.StringIO()
    progress = TrainingProgress(Console(file=written, width=120))
    # Two of nine epochs were done by an earlier call; then one takes 2 s, and two take 8 s.
    progress.stage("student", 9, 2, 100)
    progress.epoch(row(3))
    progress.epoch(row(4))
    figures = "loss 1.000  validation macro-F1 0.500  100 windows/s"
    assert written.getvalue().splitlines() == [
        "student: 9 epochs of 100 windows",
        f"student 3/9  {figures}  12 s left",
        f"student 4/9  {figures}  20 s left",
    ]
