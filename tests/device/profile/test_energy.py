import math
from threading import Event

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import SensorError
from deseptr.device import Power
from deseptr.device.profile.energy import mean_and_standard_error, measure_energy


class PoweredBoard:
    """Draws more while something infers, on a clock that only sleeping moves on."""

    def __init__(self, idle_w=2.0, busy_w=3.0):
        self.idle_w, self.busy_w = idle_w, busy_w
        self.time = 0.0
        self.begun = Event()

    def read(self):
        return Power(self.busy_w if self.begun.is_set() else self.idle_w, "meter", "nothing")

    def invoke(self):
        self.begun.set()

    def sleep(self, seconds):
        self.time += seconds
        if self.time > 1.15:  # the second phase: wait until the other thread is at work
            assert self.begun.wait(10)

    def measure(self):
        return measure_energy(self.read, self.invoke, seconds=1.05, now=lambda: self.time, sleep=self.sleep)


@settings(deadline=None, max_examples=10)
@given(st.floats(0.5, 5), st.floats(0, 3))
def test_energy_is_the_difference_over_the_rate(idle_w, more_w):
    energy = PoweredBoard(idle_w, idle_w + more_w).measure()
    assert energy.idle_w == pytest.approx(idle_w)
    assert energy.busy_w == pytest.approx(idle_w + more_w)
    assert energy.mj_per_inference == pytest.approx(more_w / energy.inferences_per_s * 1000, abs=1e-9)
    assert energy.mj_error == pytest.approx(0, abs=1e-9)
    assert energy.readings >= 10
    assert energy.to_dict()["source"] == "meter"


def test_board_without_a_power_reading():
    assert measure_energy(lambda: None, lambda: None) is None


def test_a_meter_that_fails_stops_the_inferences():
    board = PoweredBoard()

    def read():
        if board.begun.is_set():
            raise SensorError("meter", found="no answer", expected="one", next_step="-")
        return Power(1.0, "meter", "nothing")

    with pytest.raises(SensorError):
        measure_energy(read, board.invoke, seconds=1.05, now=lambda: board.time, sleep=board.sleep)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30))
def test_standard_error(values):
    mean, error = mean_and_standard_error(values)
    assert mean == pytest.approx(sum(values) / len(values))
    spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert error == pytest.approx(math.sqrt(spread / len(values)), abs=1e-12)


def test_one_reading_has_an_infinite_error():
    assert mean_and_standard_error([2.0]) == (2.0, math.inf)
