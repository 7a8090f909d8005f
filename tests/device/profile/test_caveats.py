import pytest

from deseptr.device import BoardState, Throttled
from deseptr.device.profile.caveats import find_caveats

MACHINE = {"emulated": False, "load_average": 0.1, "processors": 4}
REAL = {"simulated": False}
COOL = BoardState(governor="performance", throttled=Throttled(0))


def caveats(machine=MACHINE, sensor=REAL, before=COOL, after=COOL, real_time=True):
    return find_caveats(machine, sensor, before, after, real_time=real_time)


def test_an_idle_cool_board_with_a_real_sensor_has_no_caveats():
    assert caveats() == []
    assert caveats(before=BoardState(), after=BoardState()) == []


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        ({"machine": MACHINE | {"emulated": True}}, "emulated processor"),
        ({"machine": MACHINE | {"load_average": 2.5}}, "the machine was busy beforehand: load 2.5 on 4 processors"),
        ({"sensor": {"simulated": True}}, "simulated bus"),
        ({"real_time": False}, "virtual time"),
        ({"after": BoardState(governor="ondemand")}, "clock governor ondemand"),
        ({"before": BoardState(throttled=Throttled(1))}, "the board was held back while this was measured: under-volt"),
        ({"after": BoardState(throttled=Throttled(0x4))}, "the board was held back while this was measured: throttled"),
        (
            {"after": BoardState(throttled=Throttled(0x80000))},
            "the board was held back for a time while this was measured: soft temperature limit",
        ),
    ],
)
def test_each_caveat_has_its_sentence(changes, beginning):
    (found,) = caveats(**changes)
    assert found.startswith(beginning)


def test_a_flag_set_before_says_nothing_about_this_run():
    marked = BoardState(throttled=Throttled(0x20000))
    (found,) = caveats(before=marked, after=marked)
    assert found == "held back before, since boot: frequency capped; whether again during the measurement is unknown"


def test_a_flag_set_now_is_reported_once():
    held = BoardState(throttled=Throttled(0x10001))
    assert caveats(before=held, after=held) == ["the board was held back while this was measured: under-voltage"]


def test_emulation_comes_first():
    both = caveats(machine=MACHINE | {"emulated": True}, sensor={"simulated": True}, real_time=False)
    assert [line.split(":")[0] for line in both] == ["emulated processor", "simulated bus", "virtual time"]
