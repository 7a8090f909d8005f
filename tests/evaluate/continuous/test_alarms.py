from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import EventRule
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import EventWatch, PushStream, default_model
from deseptr.evaluate.continuous.alarm_replay import alarms_of
from deseptr.evaluate.continuous.alarms import alarm_figures, true_events
from deseptr.evaluate.continuous.playing import play
from deseptr.evaluate.predictor import load_predictor
from deseptr.tflite import load_engine

MODEL = default_model()
RULES = (EventRule("jogging", threshold=0.8, refractory_s=5.0),)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Walking, jogging, sitting and jogging, one after the other."""
    sample = load_dataset("sample")
    by_label = {sample.label_names[each.labels[0]]: each for each in sample.recordings}
    parts = [by_label[name] for name in ("walking", "jogging", "sitting", "jogging")]
    signals = np.concatenate([each.signals for each in parts])
    labels = np.concatenate([each.labels for each in parts])
    return replace(sample, recordings=(Recording(signals, 50.0, "5", labels),))


def test_alarms_are_those_of_the_devices_own_stream(data: Dataset):
    engine = load_engine(MODEL)
    stream = PushStream(engine, watch=EventWatch(engine.contract, RULES))
    states = [each for each in stream.push(data.recordings[0].signals) if getattr(each, "state", None) == "raised"]
    (played,) = play(load_predictor(MODEL), data)
    alarms = alarms_of(played, engine.contract, RULES)
    assert [alarm.t for alarm in alarms] == [event.t for event in states]
    assert alarms


def test_every_stretch_is_an_event_and_alarms_outside_are_false(data: Dataset):
    predictor = load_predictor(MODEL)
    played = list(play(predictor, data))
    figures = alarm_figures(played, predictor.contract, RULES)["jogging"]
    assert (figures["detected"], figures["missed"], figures["false_alarms"]) == (2, 0, 0)
    deaf = [EventRule("jogging", threshold=1.0)]
    assert alarm_figures(played, predictor.contract, deaf)["jogging"]["missed"] == 2
    elsewhere = [replace(each, truth=np.zeros_like(each.truth)) for each in played]
    figures = alarm_figures(elsewhere, predictor.contract, RULES)["jogging"]
    assert (figures["detected"], figures["missed"], figures["false_alarms"]) == (0, 0, 2)
    assert figures["false_alarms_per_hour"]["value"] == pytest.approx(2 / figures["hours"])


def test_moment_of_an_event_is_its_largest_acceleration(data: Dataset):
    recording = data.recordings[0]
    signals = recording.signals.copy()
    signals[1300, :3] = 100.0
    (played,) = play(load_predictor(MODEL), replace(data, recordings=(replace(recording, signals=signals),)))
    first, second = true_events(played, data.label_names.index("jogging"), grace_s=3.0)
    assert (first.t, first.until_s, first.early_s) == (26.0, 43.0, 6.0)
    assert second.until_s == 83.0
