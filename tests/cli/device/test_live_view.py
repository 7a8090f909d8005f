import io
from dataclasses import replace

import pytest
from rich.console import Console

from deseptr.cli.device.line_view import LineView
from deseptr.cli.device.live_view import LiveView
from deseptr.cli.device.run_summary import RunFigures
from deseptr.device import (
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    Profiler,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.firmware_harness.simulator import ReplayedEvent, ReplayedWindow

LABELS = ("sitting", "walking", "walking_downstairs_slowly")
PROBABILITIES = {"sitting": 0.1, "walking": 0.7, "walking_downstairs_slowly": 0.2}


def window(number, state=None):
    return WindowEvent(1.28 * (number + 2), "walking", 0.7, PROBABILITIES, 800.0, 64 * number, state)


EVENTS = [
    *(window(number, "walking") for number in range(100)),
    LabelEvent(130.0, "unknown", "walking", 0.3),
    window(101, "unknown"),
    GapEvent(131.0, "overflow", 12),
    RecoveryEvent(132.0, "reinit", "mpu6050 at 0x68 [does not answer]", 2),
    RateEvent(140.0, 51.234, 50.0, True),
    window(110, "sitting"),
]


def show(width, events, timer=lambda: 0.0):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=60, record=True)
    figures = RunFigures(LABELS, simulated=True)
    view = LiveView(LABELS, figures, Profiler(), 50.0, console, timer)
    for event in events:
        figures.note(event)
        view.show(event)
    view.close()
    return console, view


def screen(width, view):
    console = Console(file=io.StringIO(), width=width, height=60)
    console.print(view)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [10, 20, 40, 80, 200])
def test_screen_fits_any_width(width):
    _, view = show(width, EVENTS)
    text = screen(width, view)
    assert all(len(line) <= width for line in text.splitlines())
    if width >= 20:
        assert "SITTING" in text
    if width >= 40:
        for part in ("51.23 Hz measured", "resampled", "1 (12 samples)", "1 reinit", "[does not", "70.0%", "╳"):
            assert part in text


def test_of_a_long_name_no_more_than_half_the_width_is_shown_beside_its_bar():
    _, narrow = show(20, [window(0)])
    assert screen(20, narrow).splitlines()[5:8] == ["sitting       10.0%", "walking    █  70.0%", "walking_do    20.0%"]
    _, wider = show(36, [window(0)])
    assert screen(36, wider).splitlines()[5:8] == [
        "sitting            █          10.0%",
        "walking            ██████     70.0%",
        "walking_downstairs ██         20.0%",
    ]


def test_a_window_without_a_label_says_why_in_both_views(capsys):
    refused = replace(window(1, "unknown"), label="unknown", unknown="implausible: stuck")
    implausible = ImplausibleEvent(3.84, "stuck", "samples repeat", 1)
    _, view = show(80, [refused, implausible])
    text = screen(80, view)
    for part in ("UNKNOWN", "1 implausible: stuck", "stuck, samples repeat"):
        assert part in text
    lines = LineView(LABELS)
    for event in (refused, implausible, replace(implausible, ended=True)):
        lines.show(event)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.endswith("implausible: stuck")
    assert second == "     3.84 s  implausible: stuck, samples repeat (1)"
    assert third == "     3.84 s  plausible again after: stuck"


def test_a_corrected_mounting_is_on_the_screen():
    _, view = show(80, [MountingEvent(2.54, "x90", "turned by 90° about x"), window(0)])
    assert "turned by 90° about x" in screen(80, view)


def test_before_the_first_window_it_waits():
    _, view = show(40, [])
    assert "waiting for the first window" in screen(40, view)


def test_without_a_tracker_the_label_is_the_windows():
    _, view = show(60, [window(0)])
    text = screen(60, view)
    assert "WALKING" in text
    assert "50 Hz nominal, not measured yet" in text
    assert "recoveries     none" in " ".join(text.split("\n"))


def test_timeline_has_a_cell_a_window_and_the_newest_is_right():
    _, view = show(40, [window(0, "sitting"), window(1, "walking"), GapEvent(5.0, "overflow", 3), window(3, "walking")])
    (line,) = [line for line in screen(40, view).splitlines() if "╳" in line]
    assert line.rstrip() == "██╳█"


def test_many_events_are_drawn_at_most_ten_times_a_second():
    times = iter(number * 0.01 for number in range(1000))
    busy, _ = show(80, EVENTS[:100], timer=lambda: next(times))
    calm, _ = show(80, EVENTS[:10], timer=iter(number * 1.0 for number in range(100)).__next__)
    # A hundred events within a second, and ten in ten.
    assert busy.file.getvalue().count("WALKING") == pytest.approx(11, abs=1)
    assert calm.file.getvalue().count("WALKING") == pytest.approx(11, abs=1)


def test_figures_of_a_replay_count_windows_and_decisions():
    figures = RunFigures(LABELS, simulated=True)
    for number, (truth, state) in enumerate(
        [
            ("walking", "walking"),
            ("walking", "unknown"),
            ("sitting", "sitting"),
            (None, "walking"),
            ("lying", "walking"),
        ]
    ):
        figures.note(ReplayedWindow(window(number, state), 0, 64 * number, truth))
    figures.note(ReplayedEvent(GapEvent(5.0, "overflow", 7), 0))
    figures.note(RecoveryEvent(5.0, "retry", "no answer", 1))
    figures.note(RecoveryEvent(6.0, "retry", "no answer", 2))
    assert figures.summary(Profiler()) == (
        "5 windows; 66.7% agree with the truth where it is known (3); 66.7% as decided; 1 gaps (7 samples); "
        "recoveries: 2 retry; read to label p50 0 µs, p99 0 µs, simulated bus"
    )


def test_lines_of_every_kind_of_event(capsys):
    view = LineView(LABELS)
    for event in [
        ReplayedWindow(window(0, "walking"), 3, 0, "sitting"),
        ReplayedEvent(LabelEvent(2.56, "walking", None, 0.7), 3),
        GapEvent(131.0, "overflow", 12),
        RecoveryEvent(132.0, "reinit", "no answer [EREMOTEIO]", 2),
        RateEvent(140.0, 51.234, 50.0, True),
    ]:
        view.show(event)
    view.close()
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "2.56 s #3 ▸ walking ██████████████░░░░░░ 70.0% (sitting)",
        "2.56 s → walking",
        "131.00 s gap: overflow, 12 samples",
        "132.00 s recovery: reinit (2) after no answer [EREMOTEIO]",
        "140.00 s rate: 51.23 Hz measured, 50 Hz nominal, resampled to the model's",
    ]
