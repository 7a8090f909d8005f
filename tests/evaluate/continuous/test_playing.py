from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DecisionConfig, SetupError, channels_of
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import LabelTracker, PushStream, UnknownJudge, WindowEvent, default_model
from deseptr.evaluate.continuous.measure import measure, measure_over_bus
from deseptr.evaluate.continuous.playing import over_bus, play, truth_table, windows_of
from deseptr.evaluate.continuous.track import NONE
from deseptr.evaluate.predictor import load_predictor
from deseptr.firmware_harness.simulator import VirtualClock
from deseptr.tflite import at_hop, load_engine

MODEL = default_model()
CONFIG = DecisionConfig(horizon_s=1.0, dwell_s=0.5, threshold=0.6, thresholds={"jogging": 0.9}, hop_s=0.32)


def one_recording() -> Dataset:
    """The activities of the sample one after the other, the first part without labels."""
    sample = load_dataset("sample")
    signals = np.concatenate([each.signals for each in sample.recordings])
    labels = np.concatenate([each.labels for each in sample.recordings])
    labels[:200] = -1
    return replace(sample, recordings=(Recording(signals, 50.0, "5", labels),))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return one_recording()


def test_decisions_are_those_of_the_devices_own_stream(data: Dataset):
    engine = at_hop(load_engine(MODEL), CONFIG.hop_s)
    stream = PushStream(engine, tracker=LabelTracker(engine.contract.labels, CONFIG, engine.contract.hop_s))
    events = [each for each in stream.push(data.recordings[0].signals) if isinstance(each, WindowEvent)]
    (played,) = play(load_predictor(MODEL), data, CONFIG.hop_s)
    assert played.decide(CONFIG) == [event.state for event in events]
    assert played.t.tolist() == [event.t for event in events]
    assert len(played.t) == windows_of(engine.contract, data)


def test_implausible_samples_have_no_label_as_on_the_device(data: Dataset):
    recording = data.recordings[0]
    signals = recording.signals.copy()
    signals[2000:2400] = signals[2000]
    stuck = replace(data, recordings=(replace(recording, signals=signals),))
    engine = load_engine(MODEL)
    tracker = LabelTracker(engine.contract.labels, DecisionConfig(), engine.contract.hop_s)
    stream = PushStream(engine, tracker=tracker, unknown=UnknownJudge(engine.contract))
    states = [each.state for each in stream.push(signals) if isinstance(each, WindowEvent)]
    (played,) = play(load_predictor(MODEL), stuck)
    assert played.decide(DecisionConfig()) == states
    assert "implausible: stuck" in played.unknown
    assert (played.track(DecisionConfig()).shown[2200:2390] == NONE).all()


def test_a_wearer_who_is_still_has_labels_in_recordings_of_coarse_counts(acc_model):
    rng = np.random.default_rng(0)
    moves = np.array([0.02, 0.03, 9.73]) + np.repeat([0.01, 3.0], 500)[:, None] * rng.normal(size=(1000, 3))
    count = 16e-3 * 9.80665
    signals = np.rint(moves / count) * count
    still = Recording(signals, 50.0, "5", np.zeros(1000, np.int16), channels=channels_of(["acc"]))
    data = Dataset((still,), ("walking",))
    (played,) = play(load_predictor(acc_model), data)
    assert "implausible: stuck" not in played.unknown
    # Also where a sensor of finer counts plays them.
    config = DecisionConfig(hop_s=0.32)
    ((over, _),) = over_bus(load_engine(acc_model), data, config, sensor="adxl345", make_clock=VirtualClock)
    assert len(over.unknown) > 20
    assert "implausible: stuck" not in over.unknown


def test_label_is_shown_from_the_sample_that_completes_its_window(data: Dataset):
    (played,) = play(load_predictor(MODEL), data, 1.28)
    track = played.track(DecisionConfig("none", threshold=0, margin=0, dwell_s=0))
    assert (track.shown[:127] == NONE).all()
    assert track.shown[127] == played.probabilities[0].argmax()
    assert (track.truth[:200] == NONE).all()
    assert track.truth[200] == data.recordings[0].labels[200]


def test_bus_shows_what_the_direct_way_shows(data: Dataset):
    straight = measure(load_predictor(MODEL), data, CONFIG)
    bus = measure_over_bus(load_engine(MODEL), data, CONFIG, sensor="auto", make_clock=VirtualClock)
    # The chip rounds to 16 bits, so that a window on the edge may differ.
    assert (straight.tracks[0].shown == bus.tracks[0].shown).mean() > 0.98
    assert bus.figures["delay_s"]["onsets"] == straight.figures["delay_s"]["onsets"] == 6
    assert bus.figures["delay_s"]["p50"]["value"] == pytest.approx(straight.figures["delay_s"]["p50"]["value"], abs=0.4)


def test_shorter_hops_are_shorter_delays(data: Dataset):
    predictor = load_predictor(MODEL)
    plain = DecisionConfig("none", threshold=0, margin=0, dwell_s=0)
    delays = [
        measure(predictor, data, replace(plain, hop_s=hop)).figures["delay_s"]["p90"]["value"] for hop in (2.56, 0.16)
    ]
    assert delays[1] < delays[0]


def test_the_models_own_decision_is_used_unless_another_is_given(data: Dataset):
    predictor = load_predictor(MODEL)
    tuned = predictor._replace(contract=replace(predictor.contract, decision=CONFIG))
    assert measure(tuned, data).config == CONFIG
    assert measure(tuned, data, DecisionConfig()).config == DecisionConfig(hop_s=1.28)
    assert measure(predictor, data).config == DecisionConfig(hop_s=1.28)


def test_labels_that_the_model_lacks_are_unlabelled(data: Dataset):
    other = replace(data, label_names=("downstairs", "upstairs", "climbing", "standing", "walking", "jogging"))
    assert truth_table(load_engine(MODEL).contract, other).tolist() == [0, 1, NONE, 3, 4, 5, NONE]


def test_a_recording_shorter_than_a_window_shows_nothing(data: Dataset):
    short = replace(data, recordings=(Recording(np.zeros((60, 6)), 50.0, "5", np.zeros(60, int)),))
    (played,) = play(load_predictor(MODEL), short)
    assert played.decide(CONFIG) == []
    assert (played.track(CONFIG).shown == NONE).all()


def test_hop_beyond_the_window_is_refused(data: Dataset):
    with pytest.raises(SetupError, match=r"hop: found 3 s, expected 0.02 to 2.56 s"):
        next(play(load_predictor(MODEL), data, 3.0))
