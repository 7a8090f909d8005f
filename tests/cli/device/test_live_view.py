import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from deseptr.cli.device.line_view import LineView
from deseptr.cli.device.live_view import LiveView
from deseptr.cli.device.run_summary import RunFigures
from deseptr.contract import CHANNELS
from deseptr.device import (
    AlarmEvent,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    Profiler,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.device.drained import Drained
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


def show(width, events, timer=lambda: 0.0, *, labels=LABELS, end=True):
    """A view of events and, where one is :class:`Drained`, of samples."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=60, record=True)
    figures = RunFigures(labels, simulated=True)
    view = LiveView(labels, figures, Profiler(), 50.0, console, timer)
    for event in events:
        if isinstance(event, Drained):
            view.drained(event)
            continue
        figures.note(event)
        view.show(event)
    if end:
        view.close()
    return console, view


def screen(width, view, height=60):
    console = Console(file=io.StringIO(), width=width, height=height)
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
    _, view = show(80, [MountingEvent(2.54, "none", "x90", "the sensor seems turned by 90° about x"), window(0)])
    assert "turned by 90° about x" in screen(80, view)


def test_before_the_first_window_it_waits():
    _, view = show(40, [], end=False)
    assert "waiting for the first window" in screen(40, view)
    view.close()
    assert screen(40, view).strip() == "no window"


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
        "5 windows; 66.7% agree with the truth where it is known (3); 66.7% as decided; 1 gap (7 samples); "
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


MANY = tuple(f"activity_{number:02}" for number in range(19))


def of_many(number):
    probabilities = dict.fromkeys(MANY, 0.002) | {"activity_07": 0.5, "activity_03": 0.3, "activity_18": 0.17}
    return WindowEvent(1.28 * number, "activity_07", 0.5, probabilities, 800.0, 64 * number, "activity_07")


def lying(seconds, t=0.0, rate_hz=50.0, z=9.8):
    return Drained(t, np.tile(np.float32([0.2, -0.04, z, 0, 0, 0]), (int(50 * seconds), 1)), CHANNELS, rate_hz)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
@pytest.mark.parametrize("labels", [LABELS, MANY])
def test_everything_is_on_a_terminal_of_usual_size(width, height, labels):
    windows = [of_many(3)] if labels is MANY else [window(0, "walking")]
    trouble = [GapEvent(131.0, "overflow", 12), RecoveryEvent(132.0, "reinit", "no answer", 2)]
    _, view = show(width, [lying(1.0), *windows, *trouble], labels=labels)
    lines = screen(width, view, height).rstrip().splitlines()
    assert len(lines) <= height
    text = "\n".join(lines)
    for part in ("mean a", "x 0.2, y 0.0, z 9.8 m/s²", "9.8 m/s²", "last trouble", "read to label"):
        assert part in text


def test_of_many_classes_the_most_probable_are_shown_and_the_others_counted():
    _, view = show(80, [of_many(3)], labels=MANY)
    rows = [line.split() for line in screen(80, view, 24).splitlines() if line.startswith("activity")]
    assert len(rows) >= 5
    assert [(row[0], row[-1]) for row in rows[:3]] == [
        ("activity_07", "50.0%"),
        ("activity_03", "30.0%"),
        ("activity_18", "17.0%"),
    ]
    (others,) = [line.split() for line in screen(80, view, 24).splitlines() if " others " in line]
    assert others == [str(19 - len(rows)), "others", f"{0.2 * (19 - len(rows)):.1f}%"]
    assert sum(line.startswith("activity") for line in screen(80, view, 60).splitlines()) == 19


def test_a_replay_has_the_truth_beside_the_label():
    _, right = show(60, [ReplayedWindow(window(0, "walking"), 0, 0, "walking")])
    assert "✓ as labelled" in screen(60, right)
    _, wrong = show(60, [ReplayedWindow(window(0, "walking"), 0, 0, "sitting")])
    assert "✗ labelled sitting" in screen(60, wrong)
    _, between = show(60, [ReplayedWindow(window(0, "walking"), 0, 0, None)])
    assert "labelled" not in screen(60, between)


def test_the_next_recording_of_a_replay_is_told_from_the_one_before():
    first = [ReplayedWindow(window(number), 0, 64 * number, None) for number in range(3)]
    gap = ReplayedEvent(GapEvent(6.0, "overflow", 3), 0)
    _, view = show(60, [lying(2.0, z=30.0), *first, gap, ReplayedWindow(window(0), 1, 0, None), lying(0.5)], end=False)
    text = screen(60, view)
    assert "███╳│█" in text
    assert "recording 1" in text
    assert "last trouble" not in text
    assert "▄▄   9.8 m/s²" in text
    # From the window that ended 2.56 s into the first recording to the one at 2.56 s of the second, 6 s later.
    assert "the last 6 s" in text
    view.close()
    assert "recording 1, its last window" in screen(60, view)


def test_the_rate_is_an_estimate_before_it_is_measured():
    _, nominal = show(60, [lying(0.2), window(0)])
    assert "50 Hz nominal, not measured yet" in screen(60, nominal)
    _, estimated = show(60, [lying(0.2, rate_hz=51.26), window(0)])
    assert "about 51.3 Hz so far, 50 Hz nominal" in screen(60, estimated)
    _, measured = show(60, [lying(0.2, rate_hz=51.26), RateEvent(140.0, 51.234, 50.0, True), window(0)])
    assert "51.23 Hz measured" in screen(60, measured)


def test_without_an_accelerometer_there_is_no_strip():
    turning = Drained(0.0, np.ones((50, 3), np.float32), CHANNELS[3:], 50.0)
    _, view = show(60, [turning, window(0)])
    assert "m/s²" not in screen(60, view)


def test_alarms_of_a_run_are_counted_by_their_state():
    figures = RunFigures(LABELS, simulated=False)
    for state in ("suspected", "cancelled", "suspected", "raised"):
        figures.note(AlarmEvent(5.0, "walking", state, 0.9, "1"))
    assert figures.summary(Profiler()) == (
        "0 windows; 0 gaps; alarms: 2 suspected, 1 cancelled, 1 raised; read to label p50 0 µs, p99 0 µs"
    )


@pytest.mark.parametrize("width", [40, 60])
def test_a_strip_of_minutes_keeps_its_newest_cells_and_its_number_on_the_screen(width):
    _, view = show(width, [lying(120.0, z=1.0), lying(1.0, t=120.0, z=30.0), window(0)])
    (strip,) = (line for line in screen(width, view).splitlines() if line.endswith(" 30.0 m/s²"))
    assert len(strip) == width
    assert strip[-13:] == "██  30.0 m/s²"
