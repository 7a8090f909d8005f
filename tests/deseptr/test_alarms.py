"""Classes that raise alarms: in a stream, a simulated run and a continuous evaluation."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import deseptr
from deseptr.device import AlarmEvent
from deseptr.evaluate.continuous.tuned_model import write_event

RULE = deseptr.EventRule("jogging", threshold=0.8, refractory_s=3600.0)


@pytest.fixture(scope="module")
def jogging() -> deseptr.Dataset:
    sample = deseptr.load("sample")
    label = sample.label_names.index("jogging")
    return replace(sample, recordings=tuple(each for each in sample.recordings if (each.labels == label).any()))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> deseptr.Model:
    """The packaged model with a rule of its own."""
    path = tmp_path_factory.mktemp("model") / "own.tflite"
    path.write_bytes(deseptr.load_model().path.read_bytes())
    write_event(path, None, RULE)
    return deseptr.load_model(path)


def alarms_in(events: Iterable[Any]) -> list[str]:
    """The alarms among the events of a run, a stream or a simulation."""
    plain = (getattr(each, "event", each) for each in events)
    return [f"{each.label} {each.state}" for each in plain if isinstance(each, AlarmEvent)]


def test_events_are_those_that_are_asked_for(jogging: deseptr.Dataset):
    packaged, signals = deseptr.load_model(), jogging.recordings[0].signals
    assert alarms_in(deseptr.stream(packaged).push(signals)) == []
    assert alarms_in(deseptr.stream(packaged, events=[RULE]).push(signals)) == ["jogging raised"]
    assert alarms_in(packaged.simulate(jogging)) == []
    assert alarms_in(packaged.simulate(jogging, events=[RULE])) == ["jogging raised"] * len(jogging.recordings)
    assert "events" not in packaged.continuous(jogging).to_dict()
    assert packaged.continuous(jogging, events=[RULE]).to_dict()["events"]["jogging"]["missed"] == 0


def test_events_are_those_that_the_model_brings(jogging: deseptr.Dataset, model: deseptr.Model):
    assert alarms_in(deseptr.stream(model).push(jogging.recordings[0].signals)) == ["jogging raised"]
    assert alarms_in(model.simulate(jogging)) == ["jogging raised"] * len(jogging.recordings)
    assert alarms_in(model.simulate(jogging, events=[])) == []
    assert "jogging" in model.continuous(jogging).to_dict()["events"]


def test_rule_that_does_not_fit_the_model_is_refused():
    with pytest.raises(deseptr.DeseptrError, match="event fall: found no such class"):
        deseptr.stream(events=[deseptr.EventRule("fall")])
    with pytest.raises(deseptr.DeseptrError, match="event fall: found no such class"):
        deseptr.load_model().run(events=[deseptr.EventRule("fall")])


def test_end_of_a_stream_raises_what_waits_for_its_confirmation(jogging: deseptr.Dataset):
    still = np.tile(np.float32([0, 9.8, 0, 0, 0, 0]), (200, 1))
    source = deseptr.stream(events=[replace(RULE, confirm_s=60.0)])
    assert alarms_in(source.push(jogging.recordings[0].signals[:150])) == ["jogging suspected"]
    assert alarms_in(source.push(still)) == []
    assert alarms_in(source.end()) == ["jogging raised"]
