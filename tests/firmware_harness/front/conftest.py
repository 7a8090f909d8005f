import pytest

from deseptr.firmware_harness import VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.front import MessageBus


class Memory:
    """A chip of 256 bytes that keeps what it is given and goes on from register to register."""

    def __init__(self):
        self.cells = bytearray(range(256))
        self.seen = []

    def read(self, register, length):
        self.seen.append(("read", register, length))
        return bytes(self.cells[(register + k) % 256] for k in range(length))

    def write(self, register, data):
        self.seen.append(("write", register, data))
        for k, value in enumerate(data):
            self.cells[(register + k) % 256] = value


@pytest.fixture
def chip():
    return Memory()


@pytest.fixture
def make_bus(chip):
    def make(profile=None, faults=()):
        profiles = [] if profile is None else [profile]
        return VirtualI2cBus({0x68: chip, 0x1D: Memory()}, VirtualClock(), *profiles, faults=faults)

    return make


@pytest.fixture
def bus(make_bus):
    return MessageBus(make_bus())


@pytest.fixture
def failing():
    """The errno of the ``OSError`` that a call raises."""

    def call(function, *arguments, **named):
        with pytest.raises(OSError, match="Errno") as caught:
            function(*arguments, **named)
        return caught.value.errno

    return call
