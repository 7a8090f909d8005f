import numpy as np
import pytest

from deseptr.contract import SensorError, SetupError
from deseptr.device import SENSORS, Mpu6050, make_sensor, probe
from deseptr.firmware_harness.simulator import (
    ConstantSource,
    SimulatedIcm20948,
    SimulatedLsm6dsox,
    SimulatedMpu6050,
    SimulatedMpu6500,
    VirtualClock,
    VirtualI2cBus,
)


def bus_with(**chips):
    """Chips at addresses, as ``at68=(SimulatedMpu6050, {})``."""
    clock = VirtualClock()
    devices = {
        int(place[2:], 16): chip(ConstantSource(np.zeros(6)), clock, **options)
        for place, (chip, options) in chips.items()
    }
    clock.sleep_ns(100_000_000)
    return VirtualI2cBus(devices, clock), devices


def test_registry():
    assert isinstance(make_sensor("mpu6050", None, None), Mpu6050)
    assert all(name == make_sensor(name, None, None).name for name in SENSORS)


def test_unknown_sensor_lists_the_known():
    with pytest.raises(SetupError) as caught:
        make_sensor("bno055", None, None)
    assert str(caught.value) == (
        f"--sensor: found bno055, expected auto or one of {', '.join(SENSORS)}; choose a sensor with a driver"
    )


@pytest.mark.parametrize(
    ("chip", "who_am_i", "driver"),
    [
        (SimulatedMpu6050, 0x68, "mpu6050"),
        (SimulatedMpu6500, 0x70, "mpu6500"),
        (SimulatedMpu6500, 0x71, "mpu6500"),
        (SimulatedMpu6500, 0x73, "mpu6500"),
        (SimulatedMpu6500, 0x98, "mpu6500"),
        (SimulatedMpu6050, 0x98, "mpu6500"),
        (SimulatedIcm20948, 0xEA, "icm20948"),
        (SimulatedMpu6050, 0x19, None),
    ],
)
@pytest.mark.parametrize("address", [0x68, 0x69])
def test_driver_by_who_am_i(chip, who_am_i, driver, address):
    bus, _ = bus_with(**{f"at{address:x}": (chip, {"who_am_i": who_am_i})})
    (found,) = probe(bus)
    assert (found.address, found.who_am_i, found.driver) == (address, who_am_i, driver)


def test_several_chips_are_all_identified():
    bus, _ = bus_with(at69=(SimulatedMpu6500, {}), at68=(SimulatedIcm20948, {}), at6b=(SimulatedLsm6dsox, {}))
    assert [(found.address, found.driver) for found in probe(bus)] == [
        (0x68, "icm20948"),
        (0x69, "mpu6500"),
        (0x6B, "lsm6dsox"),
    ]


@pytest.mark.parametrize(
    ("place", "chip", "register", "bank"),
    [
        ("at68", SimulatedIcm20948, 0x7F, 0x10),
        ("at68", SimulatedIcm20948, 0x7F, 0x20),
        ("at69", SimulatedIcm20948, 0x7F, 0x30),
        ("at6a", SimulatedLsm6dsox, 0x01, 0x80),
    ],
)
def test_chip_that_a_killed_program_left_in_another_bank_is_found(place, chip, register, bank):
    bus, devices = bus_with(**{place: (chip, {})})
    address = int(place[2:], 16)
    devices[address].write(register, bytes((bank,)))
    (found,) = probe(bus)
    assert found.driver == {SimulatedIcm20948: "icm20948", SimulatedLsm6dsox: "lsm6dsox"}[chip]
    devices[address].write(register, bytes((bank,)))
    assert make_sensor(found.driver, bus, VirtualClock(), address).identify() == found.chip


def test_nothing_is_written_to_an_unknown_chip():
    bus, devices = bus_with(at68=(SimulatedMpu6050, {"who_am_i": 0x19}))
    written = []
    devices[0x68].write = lambda register, data: written.append(register)
    with pytest.raises(SensorError, match=r"found 0x68: an MPU-6886 \(WHO_AM_I 0x19\)"):
        make_sensor("auto", bus, VirtualClock())
    assert written == []
