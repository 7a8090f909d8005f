import json
import tomllib

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator import (
    KINDS,
    BrokenTransfer,
    BusFault,
    Clone,
    Nack,
    RateError,
    RegisterUpset,
    StuckBus,
    fault_to_dict,
    faults_from,
    faults_to_toml,
)
from deseptr.firmware_harness.simulator.faults.toml import check_type

times = st.floats(0, 1e6)
lasting = {"at_s": times, "duration_s": st.floats(1e-3, 1e4)}
counted = {
    "at_s": times,
    "register": st.none() | st.integers(0, 255),
    "fifo": st.booleans(),
    "after": st.integers(0, 9),
    "transfers": st.integers(1, 9),
}
FIELDS = {
    "nack": lasting,
    "stuck-bus": lasting,
    "brown-out": lasting,
    "overflow": lasting,
    "clock-stretch": lasting | {"stretch_s": st.floats(1e-3, 1)},
    "broken-transfer": counted | {"consumed": st.integers(0, 240)},
    "bit-flip-read": counted | {"bit": st.none() | st.integers(0, 100)},
    "bit-flip-write": counted | {"bit": st.none() | st.integers(0, 100)},
    "bus-error": {"number": st.integers(1, 130), "times": st.integers(1, 9), "after": st.integers(0, 9)},
    "register-upset": {
        "at_s": times,
        "register": st.none() | st.integers(0, 255),
        "bit": st.none() | st.integers(0, 7),
    },
    "hang": {"at_s": times, "address": st.none() | st.integers(8, 0x77)},
    "rate-error": {"at_s": times, "rate_error": st.floats(-0.5, 0.5)},
    "clone": {"who_am_i": st.integers(0, 255)},
}
faults = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.builds(KINDS[kind], **FIELDS[kind]))


def test_the_generator_covers_every_kind():
    assert set(FIELDS) == set(KINDS)


@given(st.lists(faults, max_size=6))
def test_toml_reads_back_the_same(made):
    text = faults_to_toml(made)
    assert faults_from(tomllib.loads(text).get("faults", [])) == made


@given(faults)
def test_json_reads_back_the_same(made):
    assert faults_from([json.loads(json.dumps(fault_to_dict(made)))]) == [made]


def test_entry_may_stand_for_several_faults():
    made = faults_from([{"kind": "stuck-bus", "at_s": 10, "duration_s": 1, "every_s": 2.5, "times": 3}])
    assert made == [StuckBus(at_s=at_s, duration_s=1) for at_s in (10, 12.5, 15)]


def test_a_bus_error_has_its_own_key_times():
    assert faults_from([{"kind": "bus-error", "times": 3}]) == [BusFault(times=3)]


def test_default_values_are_left_out():
    assert fault_to_dict(Nack(transfers=2)) == {"kind": "nack", "transfers": 2}
    assert fault_to_dict(RegisterUpset()) == {"kind": "register-upset"}
    assert fault_to_dict(RateError(rate_error=0.05)) == {"kind": "rate-error", "rate_error": 0.05}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "mine.toml, fault 1, kind: found None, expected one of nack, stuck-bus"),
        ({"kind": "gremlin"}, "mine.toml, fault 1, kind: found gremlin, expected one of nack"),
        ({"kind": "nack", "duration": 1}, "mine.toml, fault 1: found the key duration, expected a nack fault knows at"),
        (
            {"kind": "stuck-bus"},
            "mine.toml, fault 1: found no duration_s, expected one for stuck-bus; write",
        ),
        ({"kind": "stuck-bus", "duration_s": "1 s"}, "mine.toml, fault 1, duration_s: found '1 s', expected a number"),
        ({"kind": "stuck-bus", "duration_s": True}, "mine.toml, fault 1, duration_s: found True, expected a number"),
        ({"kind": "clone", "who_am_i": 1.5}, "mine.toml, fault 1, who_am_i: found 1.5, expected a whole number"),
        ({"kind": "nack", "transfers": 1, "fifo": 1}, "mine.toml, fault 1: found the key fifo, expected a nack"),
        ({"kind": "bit-flip-read", "fifo": 1}, "mine.toml, fault 1, fifo: found 1, expected true or false"),
        ({"kind": "clone", "who_am_i": 300}, "mine.toml, fault 1, fault clone, who_am_i: found 300, expected a byte"),
        ({"kind": "hang", "every_s": 1}, "mine.toml, fault 1, times: found None, expected a whole number"),
        (
            {"kind": "hang", "every_s": 0, "times": 2},
            "mine.toml, fault 1: found every_s = 0.0, times = 2, expected",
        ),
    ],
)
def test_bad_entries_have_distinct_errors(entry, message):
    with pytest.raises(SetupError) as caught:
        faults_from([entry], "mine.toml")
    assert str(caught.value).startswith(message)


def test_numbers_of_entries_count_from_one():
    with pytest.raises(SetupError, match="faults, fault 2, kind"):
        faults_from([{"kind": "hang"}, {"kind": "x"}])


def test_types():
    assert check_type(1, (float,), "here", "key") == 1.0
    assert check_type(BrokenTransfer().fifo, (bool,), "here", "key") is False
    assert Clone(who_am_i=1).who_am_i == check_type(1, (int,), "here", "key")
