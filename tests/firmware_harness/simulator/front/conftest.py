import ctypes

import pytest

from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.front import MessageBus


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


class Msg(ctypes.Structure):
    _fields_ = (
        ("addr", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("len", ctypes.c_uint16),
        ("buf", ctypes.c_void_p),
    )


class Rdwr(ctypes.Structure):
    _fields_ = (("msgs", ctypes.c_void_p), ("nmsgs", ctypes.c_uint32))


class Smbus(ctypes.Structure):
    _fields_ = (
        ("read_write", ctypes.c_uint8),
        ("command", ctypes.c_uint8),
        ("size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    )


class Program:
    """A program that calls ioctls as one in C does, with structures built by ctypes.

    ``system_call`` is given the request and the argument, a number or an address in this process.
    """

    Rdwr, Smbus = Rdwr, Smbus

    def __init__(self, system_call):
        self._system_call = system_call

    def ioctl(self, request, argument):
        return self._system_call(request, argument if isinstance(argument, int) else ctypes.addressof(argument))

    def rdwr(self, *messages):
        """``messages`` are (address, flags, bytes or length); returns what the ioctl did, and the buffers."""
        sizes = [size if isinstance(size, int) else len(size) for _, _, size in messages]
        buffers = [
            ctypes.create_string_buffer(b"" if isinstance(data, int) else data, max(1, size))
            for (_, _, data), size in zip(messages, sizes, strict=True)
        ]
        array = (Msg * len(messages))(
            *(
                Msg(address, flags, size, ctypes.addressof(buffer))
                for (address, flags, _), size, buffer in zip(messages, sizes, buffers, strict=True)
            )
        )
        returned = self.ioctl(0x707, Rdwr(ctypes.addressof(array), len(messages)))
        return returned, [buffer.raw[:size] for buffer, size in zip(buffers, sizes, strict=True)]

    def smbus(self, read_write, command, size, data=b"", length=34):
        union = ctypes.create_string_buffer(data, length)
        returned = self.ioctl(0x720, Smbus(read_write, command, size, ctypes.addressof(union)))
        return returned, union.raw


@pytest.fixture
def make_program():
    return Program
