"""Samples pushed by a caller: the windows of an offline evaluation, however the samples are cut into pieces."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from deseptr.contract import DataError, ModelContract, SetupError, StftSpec
from deseptr.data import Dataset, Recording, cut_windows
from deseptr.device import DecisionConfig, GapEvent, LabelTracker, PushStream, WindowEvent

CONTRACT = ModelContract(labels=("low", "high"), window_length=32, hop_length=16, stft=StftSpec(16, 4, 2), model="tiny")


class SumEngine:
    """Says `high` where the mean of the first channel is above 0, and keeps every window."""

    contract = CONTRACT
    name = "sum"
    threads = 1
    embedding = None

    def __init__(self):
        self.windows = []

    def invoke(self, window):
        self.windows.append(window.copy())
        return np.array([0.0, 10 * window[:, 0].mean()], np.float32)


def feed(stream, samples, cuts):
    events = []
    for piece in np.split(samples, sorted(cuts)):
        events += stream.push(piece)
    return events


@given(
    st.integers(0, 200).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n), max_size=6))),
    st.integers(0, 2**31),
)
@settings(max_examples=60)
def test_events_do_not_depend_on_the_pieces(shape, seed):
    count, cuts = shape
    samples = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    whole, pieces = SumEngine(), SumEngine()
    one, many = PushStream(whole).push(samples), feed(PushStream(pieces), samples, cuts)
    assert [(e.t, e.label, e.sample) for e in one] == [(e.t, e.label, e.sample) for e in many]
    starts = range(0, count - 31, 16)
    assert len(whole.windows) == len(starts)
    for window, other, start in zip(whole.windows, pieces.windows, starts, strict=True):
        assert np.array_equal(window, samples[start : start + 32])
        assert np.array_equal(window, other)


@given(
    st.lists(st.tuples(st.integers(0, 90), st.lists(st.integers(0, 90), max_size=3)), min_size=1, max_size=4),
    st.integers(0, 2**31),
)
@settings(max_examples=60)
def test_windows_are_those_of_training_with_their_history_and_gaps(viewed_contract, segments, seed):
    rng = np.random.default_rng(seed)
    engine = SumEngine()
    engine.contract = viewed_contract = replace(viewed_contract, labels=CONTRACT.labels)
    stream = PushStream(engine)
    recordings, starts, first = [], [], 0
    for count, cuts in segments:
        samples = rng.normal(size=(count, 6)).astype(np.float32)
        events = feed(stream, samples, [cut for cut in cuts if cut < count])
        starts += [event.sample - first for event in events]
        first += count + stream.gap(0.4).lost_samples
        recordings += [Recording(samples, 50.0, "1", np.zeros(count, np.int16))] if count else []
    assume(any(len(recording.signals) >= 32 for recording in recordings))
    offline = cut_windows(
        Dataset(tuple(recordings), ("any",)),
        window_length=32,
        hop_length=16,
        rate_hz=50.0,
        history=viewed_contract.history,
    )
    assert np.array_equal(engine.windows, offline.signals)
    assert starts == offline.start.tolist()


def test_time_is_that_of_the_last_sample():
    events = PushStream(SumEngine()).push(np.ones((48, 6)))
    assert [event.t for event in events] == [31 / 50, 47 / 50]
    assert {event.label for event in events} == {"high"}


@given(st.floats(0, 100), st.integers(0, 60))
def test_no_window_spans_a_gap(seconds, before):
    engine = SumEngine()
    stream = PushStream(engine)
    stream.push(np.zeros((before, 6)))
    windows = len(engine.windows)
    event = stream.gap(seconds)
    assert isinstance(event, GapEvent)
    assert event.lost_samples == round(seconds * 50)
    stream.push(np.ones((31, 6)))
    assert len(engine.windows) == windows
    (found,) = stream.push(np.ones((1, 6)))
    assert np.array_equal(engine.windows[-1], np.ones((32, 6)))
    assert found.sample == before + round(seconds * 50)


def test_samples_at_another_rate_are_resampled():
    engine = SumEngine()
    t = np.arange(1000) / 100
    wave = np.repeat(np.sin(2 * np.pi * 2 * t)[:, None], 6, axis=1)
    events = PushStream(engine, 100.0).push(wave)
    assert len(events) == pytest.approx((500 - 32) / 16, abs=2)
    expected = np.sin(2 * np.pi * 2 * (np.arange(32) + 160) / 50)
    assert np.abs(engine.windows[10][:, 0] - expected).max() < 0.01


def test_label_is_decided():
    tracker = LabelTracker(CONTRACT.labels, DecisionConfig(dwell_s=0), CONTRACT.hop_s)
    events = PushStream(SumEngine(), tracker=tracker).push(np.ones((64, 6)))
    assert [event.label for event in events if not isinstance(event, WindowEvent)] == ["high"]


@pytest.mark.parametrize(
    ("samples", "message"),
    [(np.zeros((4, 3)), r"found shape \(4, 3\)"), (np.full((2, 6), np.nan), "found NaN or infinity")],
)
def test_wrong_samples_are_refused_and_not_taken(samples, message):
    engine = SumEngine()
    stream = PushStream(engine)
    with pytest.raises(DataError, match=message):
        stream.push(samples)
    stream.push(np.ones((32, 6)))
    assert len(engine.windows) == 1


@pytest.mark.parametrize("rate", [1.0, 1000.0, float("nan"), 0.0])
def test_rate_too_far_from_the_models_is_refused(rate):
    with pytest.raises(SetupError, match="rate_hz: found"):
        PushStream(SumEngine(), rate)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_gap_of_no_length_is_refused(seconds):
    with pytest.raises(DataError, match="gap: found"):
        PushStream(SumEngine()).gap(seconds)


def test_one_sample_at_a_time():
    stream = PushStream(SumEngine())
    counts = [len(stream.push(np.ones(6))) for _ in range(48)]
    assert [number for number, count in enumerate(counts) if count] == [31, 47]
