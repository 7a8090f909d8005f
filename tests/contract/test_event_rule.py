import math

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
