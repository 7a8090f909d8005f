import errno

import pytest

from deseptr.device import BusError
from deseptr.firmware_harness.simulator import BusFault, VirtualClock, VirtualI2cBus


class Echo:
    def __init__(self):
        self.seen = []

    def read(self, register, length):
        self.seen.append(("read", register, length))
        return bytes((register + k) % 256 for k in range(length))

    def write(self, register, data):
        self.seen.append(("write", register, data))


@pytest.fixture
def clock():
    return VirtualClock()


def test_transfers_reach_the_device_and_take_wire_time(clock):
    echo = Echo()
    bus = VirtualI2cBus({0x68: echo}, clock)
    assert bus.read(0x68, 0x3B, 3) == b"\x3b\x3c\x3d"
    # Address, register, address, and three bytes, nine bits each, with start, repeated start and stop.
    assert clock.now_ns() == bus.wire_ns == pytest.approx((6 * 9 + 4) * 2500)
    bus.write(0x68, 0x6B, b"\x01")
    assert echo.seen == [("read", 0x3B, 3), ("write", 0x6B, b"\x01")]


def test_absent_address_is_the_error_of_a_real_bus(clock):
    bus = VirtualI2cBus({0x68: Echo()}, clock)
    with pytest.raises(BusError) as caught:
        bus.read(0x69, 0x75, 1)
    assert caught.value.errno == errno.EREMOTEIO
    assert str(caught.value).startswith(
        "virtual I2C bus address 0x69: found no answer (EREMOTEIO), expected an acknowledge; check the wiring"
    )


def test_fault_begins_and_ends_as_declared(clock):
    echo = Echo()
    fault = BusFault(errno.ETIMEDOUT, register=0x74, after=1, times=2, consumed=5)
    bus = VirtualI2cBus({0x68: echo}, clock, faults=[fault])
    outcomes = []
    for register in (0x74, 0x72, 0x74, 0x72, 0x74, 0x74):
        try:
            outcomes.append(len(bus.read(0x68, register, 12)))
        except BusError as error:
            outcomes.append(error.errno)
    assert outcomes == [12, 12, errno.ETIMEDOUT, 12, errno.ETIMEDOUT, 12]
    assert echo.seen.count(("read", 0x74, 5)) == 2


def test_two_faults_are_counted_apart(clock):
    bus = VirtualI2cBus({0x68: Echo()}, clock, faults=[BusFault(register=0x10, after=1), BusFault(after=3)])
    outcomes = []
    for _ in range(5):
        try:
            bus.write(0x68, 0x10, b"\0")
            outcomes.append(True)
        except BusError:
            outcomes.append(False)
    assert outcomes.count(False) == 2
