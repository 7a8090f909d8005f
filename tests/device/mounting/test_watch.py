"""A turned recording with the correction is labelled as the recording itself, pushed or over the bus."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from worn_windows import wearer_samples, worn_windows

from deseptr.contract import AS_TRAINED, CHANNELS, MOUNTINGS, KnownWindows, Mounting, SetupError
from deseptr.data import load_sample
from deseptr.device import (
    MountingCorrection,
    MountingEvent,
    MountingWatch,
    PushStream,
    UnknownJudge,
    Window,
    WindowEvent,
    default_model,
)
from deseptr.device.mounting.estimator import LEAST_WINDOWS
from deseptr.firmware_harness.simulator import replay
from deseptr.tflite import at_hop, load_engine
from deseptr.train.mounting_reference import mounting_reference


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
        assert (round(event.t, 2), event.applied, event.found) == (2.54, "y270", None)
        assert str(event).endswith("the sensor is turned by 270° about y, as was said; samples are corrected by y270")


def test_windows_of_the_caller_stay_as_they_are(engine):
    samples = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    before = samples.copy()
    stream = PushStream(engine, mounting=MountingWatch(engine.contract, Mounting.named("x90")))
    assert isinstance(stream.push(samples)[0], MountingEvent)
    assert np.array_equal(samples, before)


@pytest.fixture(scope="module")
def referring(engine):
    """The engine, with a contract that knows how the sensor was worn."""
    reference = mounting_reference(worn_windows())
    classes = tuple(each for each in reference.classes if each.label in engine.contract.labels)

    class Referring:
        contract = replace(engine.contract, mounting=replace(reference, classes=classes))
        name, threads, invoke = engine.name, engine.threads, engine.invoke

    return Referring()


def minutes_of(turn, windows=40):
    """Samples of a wearer who stands, walks and sits in turn with a turned sensor."""
    rounds = [wearer_samples(90, label, 4) for _ in range(windows // 8) for label in ("walking", "standing", "sitting")]
    return MountingCorrection(Mounting.named(turn).inverse(), CHANNELS)(np.concatenate(rounds))


def said(events):
    return [event for event in events if isinstance(event, MountingEvent)]


def test_windows_that_are_unfamiliar_for_the_turn_are_asked_for_it(referring):
    strange = KnownWindows.of((1.0,) * 9, np.full((1, 9), 100.0), limit=1.0, share=0.9)
    contract = replace(referring.contract, known_windows=strange)

    class Knowing:
        name, threads, invoke = referring.name, referring.threads, referring.invoke

    Knowing.contract = contract
    judge = UnknownJudge(contract, plausibility=False)
    stream = PushStream(Knowing(), unknown=judge, mounting=MountingWatch.of(contract, None))
    events = stream.push(minutes_of("x90"))
    assert {event.unknown for event in events if isinstance(event, WindowEvent)} == {"unfamiliar"}
    (event,) = said(events)
    assert event.found == "x90"


def test_a_turned_sensor_is_named_once_and_left_as_it_is(referring):
    stream = PushStream(referring, mounting=MountingWatch.of(referring.contract, None))
    events = stream.push(minutes_of("x90"))
    (event,) = said(events)
    assert (event.applied, event.found, event.turned) == ("none", "x90", True)
    assert str(event).endswith("the sensor seems turned by 90° about x; if so, correct it with --mounting x90")
    assert windows(events) == windows(PushStream(referring).push(minutes_of("x90")))


def test_a_sensor_that_is_mounted_as_in_training_is_no_alarm(referring):
    (event,) = said(PushStream(referring, mounting=MountingWatch.of(referring.contract, None)).push(minutes_of("none")))
    assert (event.applied, event.found, event.turned) == ("none", "none", False)


def test_an_estimated_turn_is_corrected_from_then_on(referring):
    stream = PushStream(referring, mounting=MountingWatch(referring.contract, "auto"))
    events = stream.push(minutes_of("z270"))
    (event,) = said(events)
    assert (event.applied, event.found) == ("z270", "z270")
    after = [each for each in windows(events) if each[0] > event.t]
    plain = windows(PushStream(referring).push(minutes_of("none")))
    assert after == [each for each in plain if each[0] > event.t]
    assert len(after) > 10


def test_what_is_corrected_is_settled_when_it_is_said(referring):
    for mounting, before, after in (("auto", None, "z270"), ("x90", "x90", "x90"), (None, "none", "none")):
        watch = MountingWatch(referring.contract, mounting)
        stream = PushStream(referring, mounting=watch)
        assert (watch.settled and watch.settled.name) == before
        samples = minutes_of("z270")
        for start in range(0, len(samples), 128):
            told = said(stream.push(samples[start : start + 128]))
            if told and mounting == "auto":
                break
            assert (watch.settled and watch.settled.name) == before
        assert watch.settled == Mounting.named(after)
        watch.reset()
        assert (watch.settled and watch.settled.name) == before


def test_a_turn_that_stays_unknown_is_settled_as_none(referring):
    watch, still = MountingWatch(referring.contract, "auto"), wearer_samples(90, "sitting", 1)
    for each in range(400):
        watch.note(Window(128 * each, still), 2.56 * each, plausible=True)
    assert watch.settled == AS_TRAINED


def test_an_estimate_makes_a_stream_of_columns_begin_anew(referring):
    watch = MountingWatch(referring.contract, "auto")
    samples = minutes_of("x180")
    cut = [Window(start, samples[start : start + 128], segment=3) for start in range(0, len(samples) - 127, 64)]
    segments = []
    for window in cut:
        corrected = watch.correct(window)
        segments.append((corrected.segment, np.array_equal(corrected.samples, window.samples)))
        watch.note(window, window.end / 50, plausible=True)
    assert set(segments) == {(3, True), (-5, False)}
    assert segments == sorted(segments, reverse=True)


def test_implausible_windows_and_overlapping_ones_are_no_evidence(referring):
    samples, watch = minutes_of("x90"), MountingWatch.of(referring.contract, None)
    for start in range(0, len(samples) - 127, 64):
        assert watch.note(Window(start, samples[start : start + 128]), start / 50, plausible=False) is None
    told = []
    for start in range(0, len(samples) - 127, 4):
        event = watch.note(Window(start, samples[start : start + 128]), start / 50, plausible=True)
        told += [start] if event else []
    assert len(told) == 1
    assert told[0] >= (LEAST_WINDOWS - 1) * 128


def test_what_stays_unclear_is_said_to_be_unknown(referring):
    watch = MountingWatch.of(referring.contract, None)
    still = wearer_samples(90, "sitting", 1)
    events = [watch.note(Window(128 * each, still), 2.56 * each, plausible=True) for each in range(400)]
    (event,) = filter(None, events)
    assert (event.found, event.applied, event.turned) == (None, "none", False)
    assert "not known after 10 min" in event.meaning
    assert events.index(event) == round(600 / 2.56)


def test_without_a_reference_nothing_is_said(engine):
    assert MountingWatch.of(replace(engine.contract, mounting=None), None) is None
    with pytest.raises(SetupError, match="--mounting auto: found a model that does not know"):
        MountingWatch.of(replace(engine.contract, mounting=None), "auto")
