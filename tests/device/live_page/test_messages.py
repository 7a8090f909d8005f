"""What the page is told of events and samples, what is kept for those who come late, and what a slow viewer loses."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
from drift_parts import drift_part
from hypothesis import given, strategies as st

from deseptr.contract import CHANNELS, UNITS, ModelContract
from deseptr.device import (
    AlarmEvent,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.device.drained import Drained
from deseptr.device.live_page.messages import PageMessages
from deseptr.device.live_page.past import LABELS_S, SIGNALS_S, Past
from deseptr.device.live_page.viewers import Viewer, Viewers

CONTRACT = ModelContract(labels=("still", "walking"))


def window(t: float) -> WindowEvent:
    return WindowEvent(t, "walking", 0.75, {"still": 0.25, "walking": 0.75}, 300.0, 0, "still")


def drained(t: float, count: int = 10) -> Drained:
    return Drained(t, np.zeros((count, 6), np.float32), CHANNELS, 50.0)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            window(2.56),
            {"kind": "window", "at": 2.56, "label": "walking", "state": "still", "p": [0.25, 0.75], "unknown": None},
        ),
        (GapEvent(3.0, "overflow", 17), {"kind": "gap", "at": 3.0, "reason": "overflow", "lost": 17}),
        (LabelEvent(3.0, "still", None, 0.9), {"kind": "change", "at": 3.0, "label": "still", "previous": None}),
        (
            RecoveryEvent(3.0, "reinit", "NACK", 2),
            {"kind": "recovery", "at": 3.0, "rung": "reinit", "cause": "NACK", "count": 2},
        ),
        (
            ImplausibleEvent(5.0, "stuck", "the same value again and again", 1),
            {"kind": "implausible", "at": 5.0, "meaning": "the same value again and again", "ended": False},
        ),
        (
            MountingEvent(5.0, "none", "x90", "the sensor seems turned by 90° about x"),
            {
                "kind": "mounting",
                "at": 5.0,
                "applied": "none",
                "meaning": "the sensor seems turned by 90° about x",
                "turned": True,
            },
        ),
        (
            replace(drift_part(), t=5.0),
            {
                "kind": "drift",
                "at": 5.0,
                "windows": 2,
                "verdict": "too few windows: 2 of 300",
                "differs": False,
            },
        ),
        (
            replace(drift_part(), t=5.0, verdict=None),
            {"kind": "drift", "at": 5.0, "windows": 2, "verdict": None, "differs": False},
        ),
        (
            AlarmEvent(5.0, "walking", "raised", 0.9, "k1", 4.5, "at the end"),
            {"kind": "alarm", "at": 5.0, "label": "walking", "state": "raised", "key": "k1", "reason": "at the end"},
        ),
        (
            RateEvent(9.0, 50.1234, 50.0, False),
            {"kind": "rate", "at": 9.0, "rate": 50.123, "nominal": 50.0, "resampled": False},
        ),
    ],
)
def test_messages_of_events(event: object, message: dict[str, object]):
    assert PageMessages(CONTRACT).of_event(event) == message  # type: ignore[arg-type]


def test_samples_are_the_channels_of_the_model():
    contract = ModelContract(labels=("a", "b"), channels=CHANNELS[2::-1], units=UNITS[:3], input_range=(40.0,) * 3)
    signals = np.arange(12, dtype=np.float32).reshape(2, 6) + np.float32(0.00049)
    message = PageMessages(contract).of_samples(Drained(1.0, signals, CHANNELS, 49.9876))
    assert message == {
        "kind": "samples", "at": 1.0, "rate": 49.988, "first": True, "n": 0, "x": [[2.0, 8.0], [1.0, 7.0], [0.0, 6.0]],
    }  # fmt: skip


def test_a_recording_that_begins_anew_goes_on_after_the_last():
    messages = PageMessages(CONTRACT)
    assert messages.of_samples(drained(0.0, 100))["first"]
    assert messages.of_event(window(1.5))["at"] == 1.5
    assert not messages.of_samples(drained(2.0, 50))["first"]
    following = messages.of_samples(drained(0.0, 100))
    assert (following["at"], following["first"]) == (3.0, True)
    assert messages.of_event(window(1.5))["at"] == 4.5


def test_samples_are_counted_from_the_last_gap():
    messages = PageMessages(CONTRACT)
    assert [messages.of_samples(drained(t, 50))["n"] for t in (0.0, 1.0, 2.0)] == [0, 50, 100]
    messages.of_event(GapEvent(4.0, "overflow", 50))
    assert [messages.of_samples(drained(t, 30))["n"] for t in (4.0, 4.6)] == [0, 30]
    # A recording that begins anew.
    assert messages.of_samples(drained(0.0, 10))["n"] == 0


def test_windows_of_a_late_and_large_read_begin_nothing_anew():
    messages = PageMessages(CONTRACT)
    messages.of_samples(drained(0.0, 500))
    assert [messages.of_event(window(t))["at"] for t in (2.56, 3.84, 5.12)] == [2.56, 3.84, 5.12]


@given(st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=6), min_size=1, max_size=5))
def test_time_never_goes_back(recordings: list[list[int]]):
    messages = PageMessages(CONTRACT)
    newest = 0.0
    for reads in recordings:
        t = 0.0
        for count in reads:
            message = messages.of_samples(drained(t, count))
            assert message["at"] == pytest.approx(newest, abs=1e-3)
            t += count / 50
            newest += count / 50
            assert messages.of_event(window(t))["at"] == pytest.approx(newest, abs=1e-3)


def test_the_past_forgets_what_is_old_and_keeps_the_counts():
    past, messages = Past(), PageMessages(CONTRACT)
    for second in range(2000):
        past.note(messages.of_samples(drained(float(second), 50)))
        past.note(messages.of_event(window(float(second + 1))))
        past.note(messages.of_event(GapEvent(float(second + 1), "overflow", 3)))
        past.note(messages.of_event(RateEvent(float(second + 1), 50.0 + second, 50.0, False)))
    kept = past.messages()
    assert [message["rate"] for message in kept if message["kind"] == "rate"] == [2049.0]
    assert sum(message["kind"] == "gap" for message in kept) == 100
    windows = [message["at"] for message in kept if message["kind"] == "window"]
    assert (windows[0], windows[-1]) == (2000 - LABELS_S, 2000.0)
    samples = [message["at"] for message in kept if message["kind"] == "samples"]
    assert (samples[0], samples[-1]) == (1999 - SIGNALS_S, 1999.0)
    assert past.counts() == {"windows": 2000, "gaps": 2000, "lost": 6000, "recoveries": 0}
    json.dumps(kept, allow_nan=False)


def test_the_newest_wins_and_what_is_dropped_is_counted():
    async def scene() -> tuple[list[str], int]:
        viewer = Viewer(capacity=3)
        for number in range(5):
            viewer.offer(str(number))
        return [await viewer.next() for _ in range(3)], viewer.dropped

    assert asyncio.run(scene()) == (["2", "3", "4"], 2)


def test_a_viewer_waits_for_what_comes():
    async def scene() -> str:
        viewer = Viewer()
        waiting = asyncio.ensure_future(viewer.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        viewer.offer("come")
        return await waiting

    assert asyncio.run(scene()) == "come"


def test_no_more_viewers_than_there_is_room_for():
    viewers = Viewers(most=2)
    first = viewers.join()
    assert viewers.join() is not None
    assert viewers.join() is None
    assert first is not None
    viewers.leave(first)
    assert viewers.join() is not None
