import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from deseptr.cli.device.record_view import RecordView
from deseptr.device.recorder import Interruption, Progress, SessionStep, StepBegan, Take

STEPS = (
    SessionStep("prepare", "walking", 3, "Walk [about]."),
    SessionStep("activity", "walking", 60, "Walk [about]."),
    SessionStep("rest", "walking", 2),
)


@pytest.fixture
def screen():
    return io.StringIO()


def shown(screen, events, *, terminal):
    with RecordView(Console(file=screen, force_terminal=terminal, width=100, highlight=False)) as view:
        for event in events:
            view.show(event)
    return screen.getvalue()


def session():
    for number, step in enumerate(STEPS, 1):
        yield StepBegan(step, number, 3)
        yield Progress(step, step.seconds / 2, Path("a.csv") if step.kind == "activity" else None)
        if step.kind == "activity":
            yield Interruption(12.5, "overflow", 40)
            yield Take(Path("a.csv"), "walking", 2960, 60.0, 1, 50.0, 51.0)


def test_terminal_has_countdown_bars_and_a_bell_at_both_ends(screen, capsys):
    text = shown(screen, session(), terminal=True)
    assert text.count("\a") == 2
    assert "get ready: walking – Walk [about]." in text
    assert "1 s left" in text
    assert "12.50 s: 40 samples lost (overflow); a new recording begins" in text
    assert capsys.readouterr().out == (
        "a.csv: 2,960 samples, 60.0 s at 50.00 Hz, 1 gap (the sensor's measured rate: 51.00 Hz)\n"
    )


def test_without_a_terminal_one_line_per_step_and_no_bell(screen, capsys):
    text = shown(screen, session(), terminal=False)
    assert text.splitlines() == [
        "1/3 get ready: walking – Walk [about]., 3 s",
        "2/3 now: walking – Walk [about]., 60 s",
        "12.50 s: 40 samples lost (overflow); a new recording begins",
        "3/3 rest after walking, 2 s",
    ]
    assert capsys.readouterr().err == "1 take, 2,960 samples, 1 gap\n"


def test_a_take_that_ends_early_is_reported(screen, capsys):
    endless = SessionStep("activity", "walking", math.inf)
    text = shown(screen, [StepBegan(endless, 1, 1), Progress(endless, 7.25, Path("a.csv"))], terminal=True)
    assert "7 s" in text
    assert capsys.readouterr().err == "a.csv: ended early, 7.2 s are kept\n"
