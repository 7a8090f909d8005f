from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import DataError, EventRule, ModelContract, SetupError
from deseptr.data import Recording
from deseptr.evaluate.continuous.alarm_replay import alarms_of, sight
from deseptr.evaluate.continuous.alarm_target import AlarmTarget
from deseptr.evaluate.continuous.alarm_tuning import THRESHOLDS, alarm_cases, alarm_rules, tune_alarm
from deseptr.evaluate.continuous.playing import Played

CONTRACT = ModelContract(labels=("upright", "fall")).at_hop(0.64)
FALL = 1
AT_ONCE = EventRule("fall", confirm_s=0.0, refractory_s=0.0)


def played(probabilities: list[float], *, fall: bool, moving: bool = False, seed: int = 0) -> Played:
    """A recording whose windows have these probabilities of a fall; its second half moves, if it is to."""
    rate, hop, length = CONTRACT.rate_hz, CONTRACT.hop_length, CONTRACT.window_length
    samples = length + hop * (len(probabilities) - 1)
    signals = np.zeros((samples, 6), np.float32)
    signals[:, 1] = 9.8
    if moving:
        signals[samples // 2 :, 0] = np.random.default_rng(seed).normal(0, 3, samples - samples // 2)
    truth = np.full(samples, FALL if fall else 0, np.int16)
    t = (length + hop * np.arange(len(probabilities))) / rate
    rows = np.array([(1 - p, p) for p in probabilities], np.float32)
    recording = Recording(signals, rate, "ada", truth)
    return Played(0, recording, truth, t, rows, (None,) * len(t), CONTRACT.labels, CONTRACT.hop_s)


def tuned(recordings: list[Played], target: str, before: EventRule = AT_ONCE):
    return tune_alarm(alarm_cases(recordings, CONTRACT, "fall"), AlarmTarget.parse(target), before)


RULES = st.builds(
    EventRule,
    st.just("fall"),
    threshold=st.sampled_from(THRESHOLDS),
    windows=st.integers(1, 3),
    refractory_s=st.sampled_from((0.0, 3.0)),
    confirm_s=st.sampled_from((0.0, 2.0, 100.0)),
    posture_deg=st.sampled_from((None, 30.0)),
)


@settings(deadline=None, max_examples=60)
@given(RULES, st.lists(st.floats(0.01, 0.99), max_size=25), st.booleans())
def test_alarms_are_those_of_the_devices_watch_under_every_rule(rule: EventRule, found: list[float], moving: bool):
    recording = played(found or [0.1], fall=True, moving=moving)
    alarms = tuple(alarm.t for alarm in alarms_of(recording, CONTRACT, [rule]))
    assert sight(recording, CONTRACT, "fall").raised(rule) == alarms


def test_threshold_is_in_the_middle_of_those_that_separate():
    quiet, falls = played([0.1, 0.4, 0.1], fall=False), played([0.1, 0.95, 0.1], fall=True)
    result = tuned([quiet, falls], "false-alarms=0.1/h", replace(AT_ONCE, threshold=0.3))
    good = [threshold for threshold in THRESHOLDS if 0.4 < threshold <= 0.95]
    assert result.reached
    assert (result.scores.missed, result.scores.false_alarms) == (0, 0)
    assert result.chosen.threshold == good[len(good) // 2]
    assert result.chosen.windows == 1
    assert result.before[1].false_alarms == 1


def test_false_alarms_that_no_threshold_tells_from_falls_need_more_windows():
    knock, fall = played([0.1, 0.99, 0.1, 0.1], fall=False), played([0.1, 0.9, 0.9, 0.9, 0.1], fall=True)
    assert tuned([knock, fall], "sensitivity=1").chosen.windows > 1


def test_bound_decides_between_falls_missed_and_false_alarms():
    # A mild fall and a hard knock that look alike, so that one of the two must be given up.
    recordings = [played([0.1, p, 0.1], fall=fall) for p, fall in ((0.99, True), (0.6, True), (0.8, False))]
    hours = sum(each.recording.duration_s for each in recordings) / 3600
    careful, keen = tuned(recordings, "false-alarms=0/h"), tuned(recordings, "sensitivity=1")
    assert (careful.scores.missed, careful.scores.false_alarms) == (1, 0)
    assert (keen.scores.missed, keen.scores.false_alarms) == (0, 1)
    assert tuned(recordings, f"false-alarms={1 / hours + 0.1}/h").scores == keen.scores
    assert [(s.false_alarms, s.missed) for _, s in keen.front()] == [(0, 1), (1, 0)]


def test_target_out_of_reach_is_said_and_approached():
    result = tuned([played([0.9, 0.9], fall=False), played([0.1, 0.1], fall=True)], "sensitivity=1")
    assert not result.reached
    assert result.to_dict()["reached"] is False


def test_rule_before_stays_where_none_that_was_tried_is_better():
    recordings = [played([0.1, 0.99945, 0.1], fall=True), played([0.1, 0.9993, 0.1], fall=False)]
    before = replace(AT_ONCE, threshold=0.9994)
    assert tuned(recordings, "sensitivity=1", before).chosen == before


def test_angle_is_tried_if_there_is_a_confirmation_to_use_it():
    assert {rule.posture_deg for rule in alarm_rules(AT_ONCE)} == {None}
    confirmed = alarm_rules(replace(AT_ONCE, confirm_s=5.0, posture_deg=50.0))
    assert {rule.posture_deg for rule in confirmed} >= {None, 50.0}
    assert {rule.confirm_s for rule in confirmed} == {5.0}


def test_recordings_without_the_event_are_refused():
    with pytest.raises(DataError, match="event fall: found none"):
        tuned([played([0.1], fall=False)], "sensitivity=1")


@pytest.mark.parametrize(
    "text", ["", "f1", "sensitivity=2", "sensitivity=1/h", "false-alarms=1", "false-alarms=1.2.3/h", "sensitivity=."]
)
def test_other_targets_are_refused(text: str):
    with pytest.raises(SetupError, match="--target: found"):
        AlarmTarget.parse(text)
