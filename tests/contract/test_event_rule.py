import math
from dataclasses import asdict

import pytest

from deseptr.contract import EventRule, SetupError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.0),
        ("threshold", 1.01),
        ("threshold", math.nan),
        ("windows", 0),
        ("windows", 1001),
        ("refractory_s", -1),
        ("confirm_s", math.inf),
        ("settle_s", math.nan),
        ("motion", 0.0),
        ("motion", math.inf),
        ("still", 0.0),
        ("still", 1.1),
        ("posture_deg", 0.0),
        ("posture_deg", 181),
    ],
)
def test_value_out_of_range_is_named(name, value):
    with pytest.raises(SetupError, match=rf"^event fall: {name}: found {value}, expected "):
        EventRule("fall", **{name: value})


def test_delay_is_that_of_the_confirmation():
    assert EventRule("fall", settle_s=2).delay_s == 0
    assert EventRule("fall", settle_s=2, confirm_s=3).delay_s == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": "0.5"}, "event: threshold is '0.5'"),
        ({"threshold": True}, "event: threshold is True"),
        ({"windows": True}, "event: windows is True"),
        ({"windows": 2.0}, "event: windows is 2.0"),
        ({"still": None}, "event: still is None"),
        ({"label": 5}, "event: label is no name"),
        ({"more": 1}, "an event has not the settings label, "),
    ],
)
def test_what_is_no_rule_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        EventRule.from_dict({**asdict(EventRule("fall")), **changes})


@pytest.mark.parametrize("posture_deg", [None, 60.0])
def test_a_rule_comes_back_as_it_was(posture_deg):
    rule = EventRule("fall", posture_deg=posture_deg)
    assert EventRule.from_dict(asdict(rule)) == rule
