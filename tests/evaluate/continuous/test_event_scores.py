import pytest
from hypothesis import given, strategies as st
from scipy.stats import beta, chi2

from deseptr.contract import DataError
from deseptr.evaluate.continuous.event_scores import (
    EventRecord,
    TrueEvent,
    binomial_interval,
    poisson_interval,
    score_events,
)


@given(st.integers(0, 60), st.sampled_from((0.9, 0.95, 0.99)))
def test_poisson_interval_is_garwoods(count: int, level: float):
    low, high = poisson_interval(count, level)
    tail = (1 - level) / 2
    assert low == pytest.approx(chi2.ppf(tail, 2 * count) / 2 if count else 0.0, abs=1e-6)
    assert high == pytest.approx(chi2.ppf(1 - tail, 2 * count + 2) / 2, rel=1e-6)


@given(st.integers(1, 60), st.data())
def test_binomial_interval_is_clopper_and_pearsons(trials: int, data: st.DataObject):
    hits = data.draw(st.integers(0, trials))
    low, high = binomial_interval(hits, trials) or (None, None)
    assert low == pytest.approx(beta.ppf(0.025, hits, trials - hits + 1) if hits else 0.0, abs=1e-6)
    assert high == pytest.approx(beta.ppf(0.975, hits + 1, trials - hits) if hits < trials else 1.0, abs=1e-6)


def test_events_by_hand():
    falls = (TrueEvent(10.0, until_s=15.0, early_s=0.5), TrueEvent(60.0, until_s=65.0))
    record = EventRecord("ada", 1800.0, falls, alarms_s=(9.75, 12.0, 30.0, 65.5))
    scores = score_events([record, EventRecord("alan", 1800.0, (), ())])
    # Two alarms of one fall count once; 30 s has no cause, 65.5 s is too late.
    assert (scores.detected, scores.missed, scores.false_alarms, scores.delays_s) == (1, 1, 2, (-0.25,))
    content = scores.to_dict()
    assert content["sensitivity"] == 0.5
    assert content["false_alarms_per_hour"]["value"] == 2.0
    assert content["false_alarms_per_day"]["value"] == 48.0


def test_no_event_has_no_sensitivity_and_no_time_no_rate():
    quiet = score_events([EventRecord("ada", 3600.0, (), ())])
    assert quiet.to_dict()["sensitivity"] is None
    # No false alarm in 2.64 h still allows 1.4 an hour.
    assert score_events([EventRecord("ada", 2.64 * 3600, (), ())]).false_alarms_per_hour().high == pytest.approx(
        1.397, abs=1e-3
    )
    with pytest.raises(DataError, match="no recordings"):
        score_events([])


times = st.lists(st.floats(0, 3600), max_size=8).map(tuple)


@given(times, times)
def test_every_event_and_alarm_is_counted(impacts: tuple[float, ...], alarms: tuple[float, ...]):
    events = tuple(TrueEvent(t, t + 5.0) for t in impacts)
    scores = score_events([EventRecord("ada", 3605.0, events, alarms)])
    assert scores.detected + scores.missed == len(impacts)
    assert len(scores.delays_s) == scores.detected
    assert scores.false_alarms <= len(alarms)
    assert scores.detected + scores.false_alarms > 0 or not alarms
