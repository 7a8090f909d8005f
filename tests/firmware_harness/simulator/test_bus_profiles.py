import errno

import pytest

from deseptr.contract import SetupError
from deseptr.device import BusError
from deseptr.firmware_harness.simulator import (
    BCM2835,
    BCM2835_SLOW,
    BUS_PROFILES,
    I2C_TINY_USB,
    ConstantSource,
    SimulatedMpu6050,
    VirtualClock,
    VirtualI2cBus,
    bus_profile,
)


def test_clock_that_is_slower_than_configured():
    assert BCM2835.wire_ns(4) == 38 * 2500
    assert BCM2835_SLOW.wire_ns(4) == 38 * 4000
    assert BCM2835.at(100_000).wire_ns(4) == 38 * 10_000


def test_too_long_a_message_is_refused_before_the_chip_sees_it():
    clock = VirtualClock()
    chip = SimulatedMpu6050(ConstantSource([0] * 6), clock)
    bus = VirtualI2cBus({0x68: chip}, clock, I2C_TINY_USB)
    assert len(bus.read(0x68, 0x00, 255)) == 255
    with pytest.raises(BusError) as caught:
        bus.read(0x68, 0x00, 256)
    assert caught.value.errno == errno.EIO
    with pytest.raises(BusError):
        bus.write(0x68, 0x00, bytes(255))


def test_usb_adapter_takes_two_frames_a_message():
    clock = VirtualClock()
    bus = VirtualI2cBus({0x68: SimulatedMpu6050(ConstantSource([0] * 6), clock)}, clock, I2C_TINY_USB)
    bus.read(0x68, 0x75, 1)
    assert clock.now_ns() == 4_000_000 + (6 - 2) * 9 * 20_000 + 2 * 2 * 20_000


def test_profiles_are_found_by_name():
    assert bus_profile("rp1").nack_errno == errno.EREMOTEIO
    assert set(BUS_PROFILES) == {"bcm2835", "bcm2835-slow", "rp1", "i2c-tiny-usb"}
    with pytest.raises(SetupError) as caught:
        bus_profile("spi")
    assert str(caught.value) == (
        "bus profile: found spi, expected one of bcm2835, bcm2835-slow, rp1, i2c-tiny-usb; choose one of these"
    )
