from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import EventRule, SetupError
from deseptr.device import AlarmEvent, Answers, EventWatch, GapEvent, PushStream, UnhealthyError, run_live
from deseptr.firmware_harness.simulator import BrownOut, simulated_session


class Spins:
    """Says `spinning` where the gyroscope's z axis turns."""

    name, threads, embedding = "spins", 1, None

    def __init__(self, contract):
        self.contract = contract

    def invoke(self, window):
        return np.array([0.0, 0.0, 8 * (abs(window[:, 5]).mean() > 1) - 4], np.float32)


def signals(seconds, spins=(), moves=()):
    made = np.zeros((round(seconds * 50), 6), np.float32)
    made[:, 2] = 9.8
    for begin, end in spins:
        made[round(begin * 50) : round(end * 50), 5] = 5
    for begin, end in moves:
        made[round(begin * 50) : round(end * 50) : 2, 0] = 8
    return made


RULE = EventRule("spinning", confirm_s=4, settle_s=1)


def stream(contract, rule=RULE, answers=None):
    keys = iter("abcdef")
    watch = EventWatch(contract, [rule], answers, lambda: next(keys))
    return PushStream(Spins(contract), watch=watch)


def alarms(events):
    return [event for event in events if isinstance(event, AlarmEvent)]


def test_alarms_are_events_of_the_stream(contract):
    made = alarms(stream(contract).push(signals(20, spins=[(5, 6)])))
    assert [(event.label, event.state, event.key) for event in made] == [
        ("spinning", "suspected", "a"),
        ("spinning", "raised", "a"),
    ]
    assert 5 < made[0].t < 6 + contract.window_s
    assert made[1].t - made[0].t == pytest.approx(5, abs=contract.hop_s)


def test_wearer_who_moves_cancels(contract):
    made = alarms(stream(contract).push(signals(20, spins=[(5, 6)], moves=[(8, 20)])))
    assert [(event.state, event.reason) for event in made] == [("suspected", ""), ("cancelled", "motion")]


def test_answers_come_with_the_next_samples(contract):
    answers = Answers()
    running = stream(contract, answers=answers)
    running.push(signals(10, spins=[(5, 6)]))
    answers.post("mqtt", "lying")
    assert alarms(running.push(signals(0.1))) == []
    answers.post("mqtt", "spinning")
    (event,) = alarms(running.push(signals(0.1)))
    assert (event.state, event.reason, event.key) == ("cancelled", "mqtt", "a")


def test_a_gap_in_the_confirmation_cancels_nothing(contract):
    running = stream(contract)
    running.push(signals(7, spins=[(5, 6)]))
    assert isinstance(running.gap(3.0), GapEvent)
    assert [event.state for event in alarms(running.push(signals(3, moves=[(0, 3)])))] == ["raised"]


def test_the_end_of_the_samples_raises_what_is_suspected(contract):
    running = stream(contract)
    running.push(signals(7, spins=[(5, 6)]))
    (event,) = running.end()
    assert (event.state, event.reason, event.t) == ("raised", "not confirmed: the samples ended", pytest.approx(7))
    assert running.end() == []


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([EventRule("falling")], "no such class in the model"),
        ([EventRule("lying"), EventRule("lying")], "two rules for it"),
    ],
)
def test_rules_that_do_not_fit_the_model_are_refused(contract, rules, found):
    with pytest.raises(SetupError, match=rf"^event {rules[0].label}: found {found}"):
        EventWatch(contract, rules)


def test_confirmation_needs_an_accelerometer(contract):
    axes = ("gyro_x", "gyro_y", "gyro_z")
    blind = replace(contract, channels=axes, units=("rad/s",) * 3, input_range=(10.0,) * 3)
    EventWatch(blind, [EventRule("spinning")])
    with pytest.raises(SetupError, match=r"^event spinning: confirm_s: found a model without an accelerometer"):
        EventWatch(blind, [RULE])


class Played:
    """The signals as a sensor measures them, then the last one for ever."""

    duration_ns = None

    def __init__(self, signals):
        self._signals = signals

    def at(self, times_ns):
        return self._signals[np.minimum(np.round(times_ns * 50e-9).astype(int), len(self._signals) - 1)]


def test_a_run_takes_answers_between_windows_and_the_loss_of_its_sensor_raises_what_is_suspected(contract):
    answers = Answers()
    watch = EventWatch(contract, [RULE], answers)
    source = Played(signals(30, spins=[(5, 6), (20, 21)]))
    session = simulated_session(source, faults=[BrownOut(at_s=23.0, duration_s=1000.0)])
    made = []

    def follow():
        for event in run_live(Spins(contract), session, watch=watch, patience_s=1.0):
            made.append(event)
            if isinstance(event, AlarmEvent) and event.state == "suspected" and event.t < 10:
                answers.post("button")

    with pytest.raises(UnhealthyError):
        follow()
    steps = [(event.state, event.reason) for event in alarms(made)]
    assert steps[0][0] == steps[2][0] == "suspected"
    assert steps[1] == ("cancelled", "button")
    assert steps[3] == ("raised", "not confirmed: the sensor was lost")
    # The answer came with the next read of the FIFO, not with the next window.
    suspected, cancelled = (event.t for event in alarms(made)[:2])
    assert cancelled - suspected < contract.hop_s
