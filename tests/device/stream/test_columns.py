"""Streams by columns give the events of streams of whole windows, to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import DecisionConfig
from deseptr.device import LabelTracker, PushStream, WindowAssembler, WindowEvent, default_model
from deseptr.tflite import at_hop, embed_contract, load_engine, predict, read_tflite, without_archive
from deseptr.tflite.streaming_engine import streamed

ENGINE = load_engine(default_model())
RATE = ENGINE.contract.rate_hz
SIGNAL = np.random.default_rng(5).normal((0, 0, 9.8, 0, 0, 0), 4, (6000, 6)).astype(np.float32)
SCHEDULES = st.lists(
    st.one_of(st.integers(0, 300), st.tuples(st.just("gap"), st.integers(0, 90))), min_size=1, max_size=24
)


@pytest.fixture(scope="module")
def whole_engine(tmp_path_factory):
    """The same model in a file without columns."""
    path = tmp_path_factory.mktemp("whole") / "whole.tflite"
    model = read_tflite(default_model())
    path.write_bytes(embed_contract(without_archive(model.content), model.contract))
    return load_engine(path)


def events(engine, hop: int, schedule):
    labels = engine.contract.labels
    stream = PushStream(at_hop(engine, hop / RATE), tracker=LabelTracker(labels, DecisionConfig(), hop / RATE))
    taken, found = 0, []
    for step in schedule:
        if isinstance(step, tuple):
            found.append(stream.gap(step[1] / RATE))
        else:
            found += stream.push(SIGNAL[taken : taken + step])
            taken += step
    return [replace(event, latency_us=0.0) if isinstance(event, WindowEvent) else event for event in found]


@settings(max_examples=25, deadline=None)
@given(st.one_of(st.sampled_from([8, 16, 24, 32, 64]), st.integers(1, 128)), SCHEDULES)
def test_events_are_those_of_whole_windows_whatever_is_drained_and_lost(whole_engine, hop, schedule):
    assert events(ENGINE, hop, schedule) == events(whole_engine, hop, schedule)


@pytest.mark.parametrize(
    ("hop", "shared"), [(8, True), (16, True), (32, True), (4, True), (5, False), (48, False), (64, False)]
)
def test_columns_are_shared_where_that_saves_anything(whole_engine, hop, shared):
    assert (streamed(at_hop(ENGINE, hop / RATE)) is not None) == shared
    assert streamed(at_hop(whole_engine, hop / RATE)) is None


def test_first_label_after_a_gap_comes_when_the_window_is_full_again():
    found = events(ENGINE, 16, [128, ("gap", 10), 127, 1, 15, 1])
    times = [round(event.t * RATE) for event in found if isinstance(event, WindowEvent)]
    assert times == [127, 138 + 127, 138 + 143]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["motionsense.npz", "hapt.npz"])
def test_ten_thousand_windows_of_real_recordings(real_file, name):
    from deseptr.data import load_dataset

    contract = ENGINE.contract
    data, compared = load_dataset(real_file(name)), 0
    for hop in (8, 16):
        engine = streamed(at_hop(ENGINE, hop / RATE))
        for number, recording in enumerate(data.recordings):
            assembler = WindowAssembler(contract.window_length, hop, 6, contract.history)
            signals = recording.signals.astype(np.float32)
            for window in assembler.push(signals):
                logits = engine.invoke(window.samples, window.start, 2 * number + window.segment)
                assert np.array_equal(logits, ENGINE.invoke(window.samples))
                compared += 1
            if compared >= (5000 if hop == 8 else 10_000):
                break
    assert compared >= 10_000


def test_the_loop_allocates_no_buffers():
    import tracemalloc

    engine = streamed(at_hop(ENGINE, 16 / RATE))
    length = ENGINE.contract.input_length
    for start in range(0, 1600, 16):
        engine.invoke(SIGNAL[start : start + length], start)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for start in range(1600, 3200, 16):
            engine.invoke(SIGNAL[start : start + length], start)
        # Array headers of views come and go; what is encoded in a hop has 192 bytes, a column 208, a window 1,536.
        assert tracemalloc.get_traced_memory()[1] - before < 1500
    finally:
        tracemalloc.stop()


def test_logits_are_those_of_predict():
    engine = streamed(at_hop(ENGINE, 16 / RATE))
    length = ENGINE.contract.input_length
    starts = range(0, 800, 16)
    windows = np.stack([SIGNAL[start : start + length] for start in starts])
    rows = [engine.invoke(window, start).copy() for window, start in zip(windows, starts, strict=True)]
    assert np.array_equal(rows, predict(ENGINE, windows))
