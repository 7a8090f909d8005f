import json

import pytest
from drift_parts import drift_part

from deseptr.device import (
    AlarmEvent,
    DriftEvent,
    DriftSummary,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)

WINDOW = WindowEvent(2.54, "walking", 2 / 3, {"walking": 2 / 3, "sitting": 1 / 3}, 812.34567, 0)


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (GapEvent(3.0000001, "overflow", 12), {"gap": {"reason": "overflow", "lost_samples": 12}, "t": 3.0}),
        (
            LabelEvent(2.54, "walking", None, 2 / 3),
            {"change": {"label": "walking", "previous": None, "confidence": 0.666667}, "t": 2.54},
        ),
        (
            AlarmEvent(9.5, "fall", "raised", 2 / 3, "1f", 7.0000001, "not confirmed: the samples ended"),
            {
                "alarm": {
                    "event": "fall",
                    "state": "raised",
                    "confidence": 0.666667,
                    "peak_t": 7.0,
                    "key": "1f",
                    "reason": "not confirmed: the samples ended",
                },
                "t": 9.5,
            },
        ),
        (
            LabelEvent(2.54, "unknown", "walking", 2 / 3, "implausible: stuck"),
            {
                "change": {
                    "label": "unknown",
                    "previous": "walking",
                    "confidence": 0.666667,
                    "reason": "implausible: stuck",
                },
                "t": 2.54,
            },
        ),
        (
            ImplausibleEvent(5.0000001, "stuck", "samples repeat", 2),
            {"implausible": {"finding": "stuck", "meaning": "samples repeat", "count": 2, "ended": False}, "t": 5.0},
        ),
        (
            MountingEvent(2.5400001, "none", "x90", "it seems turned"),
            {"mounting": {"applied": "none", "found": "x90", "meaning": "it seems turned"}, "t": 2.54},
        ),
        (
            RecoveryEvent(4.0, "reinit", "no answer", 2),
            {"recovery": {"rung": "reinit", "cause": "no answer", "count": 2}, "t": 4.0},
        ),
        (
            RateEvent(20.0, 50.123456, 50.0, True),
            {"rate": {"rate_hz": 50.1235, "nominal_hz": 50.0, "resampled": True}, "t": 20.0},
        ),
        (
            drift_part(3),
            {
                "drift": {
                    "day": "2026-11-27",
                    "key": "r-3",
                    "ended": "hour",
                    "windows": 2,
                    "seconds": 2.56,
                    "labels": {"walking": 2},
                    "mean_confidence": 0.75,
                    "confidence": [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
                    "reference": "0123abcd",
                    "verdict": {"word": "too few windows", "findings": ["2 of 300"], "psi": {"confidence": 0.5}},
                },
                "t": 1.0,
            },
        ),
        (
            DriftEvent(1.0, "2026-11-27", "r-3", "run", DriftSummary(gaps=1, lost_samples=9), wearer="eve"),
            {
                "drift": {
                    "day": "2026-11-27",
                    "key": "r-3",
                    "ended": "run",
                    "windows": 0,
                    "seconds": 0.0,
                    "labels": {},
                    "gaps": 1,
                    "lost_samples": 9,
                },
                "t": 1.0,
                "wearer": "eve",
            },
        ),
    ],
)
def test_event_as_json(event, keys):
    assert event.to_dict() == keys
    assert json.loads(json.dumps(event.to_dict())) == keys


def test_window_without_a_state_has_the_keys_of_the_first_release():
    assert WINDOW.to_dict() == {
        "t": 2.54,
        "label": "walking",
        "confidence": 0.666667,
        "probabilities": {"walking": 0.666667, "sitting": 0.333333},
        "latency_us": 812.346,
    }


def test_window_with_a_state_adds_it():
    event = WindowEvent(2.54, "walking", 1.0, {"walking": 1.0}, 1.0, 0, "unknown")
    assert list(event.to_dict())[-1] == "state"
    assert event.to_dict()["state"] == "unknown"


def test_window_without_a_label_says_why():
    event = WindowEvent(2.54, "unknown", 1.0, {"walking": 1.0}, 1.0, 0, "unknown", "implausible: stuck")
    assert list(event.to_dict())[-2:] == ["state", "unknown"]
    assert event.to_dict()["unknown"] == "implausible: stuck"
    assert "unknown (implausible: stuck)" in str(event)
