import pytest

from deseptr.contract import SensorError
from deseptr.device import GapEvent, RateEvent, RecoveryEvent, WindowEvent
from deseptr.firmware_harness.simulator import Bounds, Expected, Outcome
from deseptr.firmware_harness.simulator.outcome import expected_from

EVENTS = [
    WindowEvent(1.0, "a", 1.0, {"a": 1.0}, 1.0, 0),
    WindowEvent(2.0, "a", 1.0, {"a": 1.0}, 1.0, 64),
    RecoveryEvent(2.5, "retry", "x", 1),
    RecoveryEvent(2.5, "reinit", "x", 1),
    GapEvent(3.0, "bus", 40),
    GapEvent(4.0, "overflow", 2),
    RateEvent(5.0, 52.0, 50.0, True),
    RateEvent(6.0, 50.1, 50.0, False),
]


@pytest.fixture
def outcome():
    made = Outcome()
    for event in EVENTS:
        made.note(event)
    return made


def test_events_are_counted(outcome):
    assert outcome.counts == {"windows": 2, "gaps": 2, "lost_samples": 42, "rates": 2, "resampled": 1}
    assert outcome.rungs == {"retry": 1, "reinit": 1}
    assert outcome.reasons == {"bus": 1, "overflow": 1}


@pytest.mark.parametrize(
    ("table", "differences"),
    [
        ({}, []),
        ({"windows": 2, "gaps": [1, 3], "lost_samples": [42, 42], "rates": 2, "resampled": 1}, []),
        ({"windows": 3}, ["windows: found 2, expected 3"]),
        ({"gaps": [3, 5]}, ["gaps: found 2, expected 3 to 5"]),
        ({"lost_samples": [43, float("inf")]}, ["lost_samples: found 42, expected at least 43"]),
        ({"rungs": {"retry": 1, "reinit": [0, 1]}}, []),
        ({"rungs": {"retry": 1}}, ["reinit: found 1, expected 0"]),
        ({"rungs": {"retry": 1, "reinit": 1, "reopen": 1}}, ["reopen: found 0, expected 1"]),
        ({"reasons": ["bus", "overflow", "silence"]}, []),
        ({"reasons": ["bus"]}, ["reasons: found bus, overflow, expected bus"]),
        ({"reasons": []}, ["reasons: found bus, overflow, expected none"]),
        ({"exit_code": 3}, ["exit_code: found 0, expected 3"]),
        ({"error": "gone"}, ["error: found none, expected one with 'gone'"]),
    ],
)
def test_differences(outcome, table, differences):
    assert expected_from(table, "here").differences(outcome) == differences


def test_an_unexpected_error_is_a_difference():
    outcome = Outcome()
    outcome.fail(SensorError("chip", found="smoke", expected="none", next_step="call the fire brigade"))
    assert Expected().differences(outcome) == ["exit_code: found 2, expected 0"]
    assert Expected(exit_code=2, error="found smoke").differences(outcome) == []


def test_bounds_in_words():
    assert [str(Bounds(1, 1)), str(Bounds(1, 2)), str(Bounds(3, float("inf")))] == ["1", "1 to 2", "at least 3"]
