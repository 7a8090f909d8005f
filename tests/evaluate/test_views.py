"""A model whose contract has views gets the same inputs from every measurement."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import score
from deseptr.data import Dataset, Recording
from deseptr.device import GapEvent, WindowEvent
from deseptr.evaluate.compare import Timing, compare_models
from deseptr.evaluate.contestant import Engines, load_contestants
from deseptr.evaluate.over_bus import evaluate_bus
from deseptr.evaluate.predictor import evaluate_model, load_predictor, windows_for
from deseptr.firmware_harness.simulator import VirtualClock, load_scenario, run_scenario
from deseptr.tflite import load_engine, predict


@pytest.fixture(scope="module")
def dataset(contract):
    """Recordings of two subjects whose labels change in their midst."""
    rng = np.random.default_rng(0)
    recordings = []
    for subject in ("1", "2"):
        signals = np.cumsum(rng.normal(0, (0.5, 0.5, 0.5, 0.1, 0.1, 0.1), (200, 6)), axis=0).astype(np.float32)
        labels = np.repeat(np.array([0, 2, 1], np.int16), (70, 60, 70))
        recordings.append(Recording(signals, contract.rate_hz, subject, labels))
    return Dataset(tuple(recordings), contract.labels)


def test_windows_have_the_history_of_the_contract(dataset, contract, viewed_contract):
    plain, viewed = (windows_for(each, dataset) for each in (contract, viewed_contract))
    assert viewed.history == viewed_contract.history
    assert viewed.signals.shape == (len(plain), viewed_contract.input_length, 6)
    assert np.array_equal(viewed.own_signals, plain.signals)
    second = viewed.signals[np.flatnonzero(viewed.start == 70)[0]]
    assert np.array_equal(second, dataset.recordings[0].signals[70 - viewed.history : 70 + 32])


def test_some_channels_alone_keep_their_history(dataset, viewed_contract):
    gyro = replace(viewed_contract, channels=("gyro_z", "acc_x"), units=("rad/s", "m/s^2"), input_range=(1.0, 2.0))
    windows = windows_for(gyro, dataset)
    assert np.array_equal(windows.signals, windows_for(viewed_contract, dataset).signals[..., [5, 0]])


def test_scores_are_those_of_the_engine(dataset, viewed_model, viewed_contract):
    windows = windows_for(viewed_contract, dataset)
    predicted = predict(load_engine(viewed_model), windows.signals).argmax(1)
    expected = score(windows.labels, predicted, viewed_contract.labels, windows.subjects)
    assert len(set(predicted)) > 1
    assert evaluate_model(load_predictor(viewed_model), dataset).to_dict() == expected.to_dict()


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("model", ["viewed_model", "float_viewed_model"])
def test_a_contestant_is_fed_what_the_engine_feeds(request, dataset, model, scaled, viewed_contract):
    path = request.getfixturevalue(model)
    (contestant,) = load_contestants([path], Engines(), scaled=scaled)
    windows = windows_for(viewed_contract, dataset).signals
    engine = load_engine(path)
    for window in windows:
        (fed,) = contestant.feed(window)
        assert np.array_equal(fed[0], engine.graph_input(window))
    predictor = contestant.predictor(Engines())
    assert np.array_equal(predictor.predict(windows), predict(engine, windows))


def test_models_with_and_without_views_are_compared_on_the_same_windows(dataset, int8_model, viewed_model):
    contestants = load_contestants([int8_model, viewed_model], Engines())
    content = compare_models(contestants, dataset, Engines(), Timing(rounds=3, warm_up=1), {})
    plain, viewed = (each["scores"] for each in content["models"])
    assert plain["windows"] == viewed["windows"]
    assert 0 < viewed["agreement"] < 1


def test_its_onnx_is_fed_the_same(dataset, float_viewed_model, viewed_contract):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    original, onnx = load_contestants([float_viewed_model], Engines(), onnx=True)
    windows = windows_for(viewed_contract, dataset).signals
    assert np.array_equal(onnx.feed(windows[0])[0], original.feed(windows[0])[0])
    both = [each.predictor(Engines()).predict(windows) for each in (original, onnx)]
    np.testing.assert_allclose(*both, atol=1e-5)


class WindowKeeper:
    """An engine that keeps every window that it is given."""

    name, threads, embedding = "keeper", 1, None

    def __init__(self, contract):
        self.contract, self.windows = contract, []

    def invoke(self, window):
        self.windows.append(window.copy())
        return np.zeros(len(self.contract.labels), np.float32)


def test_the_bus_brings_the_windows_of_the_recordings(dataset, viewed_contract):
    engine = WindowKeeper(viewed_contract)
    run = evaluate_bus(engine, dataset, sensor="mpu6050", make_clock=VirtualClock)
    over_bus, straight = np.array(engine.windows[0::2]), np.array(engine.windows[1::2])
    # 200 samples of each of two recordings: a window at 0, 16, ... 160, whatever its labels.
    assert over_bus.shape == straight.shape == (2 * 11, viewed_contract.input_length, 6)
    assert np.array_equal(straight[0], dataset.recordings[0].signals[np.maximum(np.arange(-7, 32), 0)])
    assert np.array_equal(straight[1], dataset.recordings[0].signals[16 - 7 : 16 + 32])
    # Half a count of 16 bits at 8 g and 1,000 degrees per second, and float32.
    assert np.abs(over_bus - straight).max((0, 1)) == pytest.approx([0.0012] * 3 + [0.00027] * 3, rel=0.1)
    assert len(run.predicted) == 14


def test_after_a_gap_on_the_bus_the_history_is_the_first_sample(viewed_contract):
    engine, history, hop = WindowKeeper(viewed_contract), viewed_contract.history, viewed_contract.hop_length
    events = list(run_scenario(engine, load_scenario("brown-out")))
    starts = [event.sample for event in events if isinstance(event, WindowEvent)]
    first = [index == 0 or start != starts[index - 1] + hop for index, start in enumerate(starts)]
    assert sum(first) == 1 + sum(isinstance(event, GapEvent) for event in events) > 1
    for index, window in enumerate(engine.windows):
        assert (window[:history] == window[history]).all() == first[index]
        if not first[index]:
            assert np.array_equal(window[: history + hop], engine.windows[index - 1][hop : history + 2 * hop])
