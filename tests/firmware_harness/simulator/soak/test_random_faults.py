import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator import DEFAULT_MIX, draw_faults, faults_from, faults_to_toml, held_s
from deseptr.firmware_harness.simulator.soak.random_faults import DRAWS

WEEK_S = 7 * 86_400
mixes = st.dictionaries(st.sampled_from(list(DRAWS)), st.floats(0.01, 1), min_size=1)


@given(st.integers(0, 2**32), st.integers(0, 120), st.floats(3_000, WEEK_S), mixes, st.floats(0, 3))
@settings(max_examples=60)
def test_faults_are_sorted_within_the_time_and_apart(seed, count, duration_s, mix, quiet_s):
    faults = draw_faults(seed, duration_s, count, mix, quiet_s=quiet_s, begin_s=5)
    assert len(faults) == count
    assert {fault.kind for fault in faults} <= set(mix)
    begins = np.array([fault.at_s for fault in faults]) - 5
    ends = begins + [held_s(fault) for fault in faults]
    # Times are kept to the microsecond.
    assert (begins[1:] >= ends[:-1] + quiet_s - 2e-6).all()
    assert (begins >= quiet_s - 1e-6).all()
    assert (ends <= duration_s - quiet_s + 2e-6).all()


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_seed_determines_everything(seed):
    faults = draw_faults(seed, 9_000, 50)
    assert draw_faults(seed, 9_000, 50) == faults
    assert draw_faults(seed + 1, 9_000, 50) != faults


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_drawn_faults_can_be_written_as_toml(seed):
    import tomllib

    faults = draw_faults(seed, 9_000, 50)
    assert faults_from(tomllib.loads(faults_to_toml(faults))["faults"]) == faults


def test_ten_thousand_in_a_week_come_like_a_poisson_process_in_the_mix():
    faults = draw_faults(1, WEEK_S, 10_000)
    counts = Counter(fault.kind for fault in faults)
    total = sum(DEFAULT_MIX.values())
    for kind, share in DEFAULT_MIX.items():
        expected = 10_000 * share / total
        assert abs(counts[kind] - expected) < 5 * math.sqrt(expected)
    waits = np.diff([fault.at_s for fault in faults]) - [held_s(fault) for fault in faults[:-1]]
    # Waiting times of a Poisson process: mean and standard deviation are the same.
    assert waits.std() / waits.mean() == pytest.approx(1, abs=0.05)
    per_hour = np.histogram([fault.at_s for fault in faults], bins=168, range=(0, WEEK_S))[0]
    assert per_hour.var() / per_hour.mean() == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 10, 1000), "fault campaign: found 1,000 faults that take"),
        ((1, 10, 1, {"gremlin": 1}), "fault campaign: found 1 of gremlin, expected a share of at least 0 of nack"),
        ((1, 10, 1, {"hang": -1}), "fault campaign: found -1 of hang"),
        ((1, 10, 1, {"hang": float("nan")}), "fault campaign: found nan of hang"),
        ((1, 10, 1, {}), "fault campaign: found an empty mix"),
    ],
)
def test_invalid_values_are_refused(arguments, message):
    with pytest.raises(SetupError) as caught:
        draw_faults(*arguments)
    assert str(caught.value).startswith(message)
