import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SensorError
from deseptr.device import Ina219
from deseptr.firmware_harness.simulator import BusFault, SimulatedIna219, VirtualClock, VirtualI2cBus


def metered(volts=5.1, amperes=0.6, shunt_ohm=0.1, faults=()):
    clock = VirtualClock()
    chip = SimulatedIna219(lambda: (volts, amperes), clock, shunt_ohm)
    bus = VirtualI2cBus({0x40: chip}, clock, faults=faults)
    return Ina219(bus, clock, shunt_ohm=shunt_ohm), chip, clock


@given(st.floats(0, 15), st.floats(0, 3.19), st.sampled_from([0.1, 0.01, 0.05]))
def test_power_is_voltage_times_current(volts, amperes, shunt_ohm):
    amperes *= 0.1 / shunt_ohm
    meter, _, _ = metered(volts, amperes, shunt_ohm)
    meter.configure()
    # One power LSB, half an LSB of either voltage, and the calibration's truncation.
    tolerance = 20 * 0.04096 / (4194 * shunt_ohm) + 0.002 * amperes + (10e-6 / shunt_ohm + 1e-4) * (volts + 1)
    assert meter.read().watts == pytest.approx(volts * amperes, abs=tolerance)


def test_a_reading_is_of_a_conversion_after_the_call():
    draws = iter([0.1, 0.5, 0.5, 0.5])
    clock = VirtualClock()
    meter = Ina219(VirtualI2cBus({0x40: SimulatedIna219(lambda: (5.0, next(draws)), clock)}, clock), clock)
    meter.configure()
    clock.sleep_ns(150_000_000)
    assert meter.read().watts == pytest.approx(2.5, rel=0.01)


def test_nothing_at_the_address():
    clock = VirtualClock()
    with pytest.raises(SensorError, match="no answer"):
        Ina219(VirtualI2cBus({}, clock), clock).configure()


def test_another_chip_does_not_keep_what_is_written():
    meter, chip, _ = metered()
    chip.write = lambda register, data: None
    with pytest.raises(SensorError, match=r"register 0x00 = 0x399F after writing it, expected 0x1FFF"):
        meter.configure()


def test_a_meter_that_lost_its_supply_is_set_up_again():
    meter, chip, _ = metered()
    meter.configure()
    chip.write(0x00, b"\x80\x00")
    assert meter.read().watts == pytest.approx(3.06, rel=0.01)


def test_a_meter_that_stops_converting():
    meter, chip, _ = metered()
    meter.configure()
    chip.write(0x00, b"\x00\x00")  # power-down
    with pytest.raises(SensorError, match="no conversion in 300 ms"):
        meter.read()


@pytest.mark.parametrize("amperes", [3.3, -3.3])
def test_a_current_beyond_the_shunt_is_no_reading(amperes):
    meter, _, _ = metered(amperes=amperes)
    meter.configure()
    with pytest.raises(SensorError, match=r"beyond its range, expected less than 3.2 A"):
        meter.read()


def test_a_fault_on_the_bus_is_passed_on():
    meter, _, _ = metered(faults=[BusFault(register=0x03)])
    meter.configure()
    with pytest.raises(SensorError, match="no answer"):
        meter.read()
