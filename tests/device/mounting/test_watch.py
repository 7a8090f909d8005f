"""A turned recording with the correction is labelled as the recording itself, pushed or over the bus."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import AS_TRAINED, MOUNTINGS, Mounting
from deseptr.data import load_sample
from deseptr.device import (
    MountingCorrection,
    MountingEvent,
    MountingWatch,
    PushStream,
    UnknownJudge,
    WindowEvent,
    default_model,
)
from deseptr.firmware_harness.simulator import replay
from deseptr.tflite import at_hop, load_engine


@pytest.fixture(scope="module")
def engine():
    return load_engine(default_model())


def turned(recording, mounting):
    return replace(recording, signals=MountingCorrection(mounting.inverse(), recording.channels)(recording.signals))


def pushed(engine, recording, mounting):
    watch = MountingWatch(engine.contract, mounting)
    stream = PushStream(engine, recording.rate_hz, unknown=UnknownJudge(engine.contract), mounting=watch)
    return stream.push(recording.signals[:1500])


def windows(events):
    return [(event.t, event.label, event.probabilities) for event in events if isinstance(event, WindowEvent)]


@given(st.sampled_from(MOUNTINGS), st.sampled_from([None, 0.16]))
@settings(max_examples=12, deadline=None)
def test_labels_of_a_turned_recording_are_those_of_the_recording_to_the_bit(engine, mounting, hop_s):
    engine, recording = at_hop(engine, hop_s), load_sample().recordings[0]
    plain = windows(pushed(engine, recording, AS_TRAINED))
    assert len(plain) > 10
    assert windows(pushed(engine, turned(recording, mounting), mounting)) == plain


def test_over_the_bus_as_well(engine):
    mounting, dataset = Mounting.named("x90+z180"), load_sample()
    one = replace(dataset, recordings=dataset.recordings[:1])
    other = replace(dataset, recordings=(turned(dataset.recordings[0], mounting),))
    plain = [each.event for each in replay(engine, one, seconds=12)]
    corrected = [
        each.event for each in replay(engine, other, seconds=12, mounting=MountingWatch(engine.contract, mounting))
    ]
    assert windows(corrected) == windows(plain)
    uncorrected = [each.event for each in replay(engine, other, seconds=12)]
    assert windows(uncorrected) != windows(plain)


def test_what_is_applied_is_said_with_the_first_window_of_each_recording(engine):
    dataset = load_sample()
    both = replace(dataset, recordings=dataset.recordings[:1] * 2)
    watch = MountingWatch(engine.contract, Mounting.named("y270"))
    said = [
        (each.recording, each.event)
        for each in replay(engine, both, mounting=watch)
        if isinstance(each.event, MountingEvent)
    ]
    assert [recording for recording, _ in said] == [0, 1]
    for _, event in said:
        assert (round(event.t, 2), event.applied, event.meaning) == (2.54, "y270", "turned by 270° about y")
        assert str(event).endswith("mounting: corrected for a sensor turned by 270° about y (y270)")


def test_windows_of_the_caller_stay_as_they_are(engine):
    samples = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    before = samples.copy()
    stream = PushStream(engine, mounting=MountingWatch(engine.contract, Mounting.named("x90")))
    assert isinstance(stream.push(samples)[0], MountingEvent)
    assert np.array_equal(samples, before)
