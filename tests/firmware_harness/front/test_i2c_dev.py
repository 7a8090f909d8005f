"""The structures are built by ctypes, as a C program would."""

import ctypes
import errno

import pytest

from deseptr.firmware_harness import RP1
from deseptr.firmware_harness.front import MessageBus
from deseptr.firmware_harness.front.i2c_dev import I2cDevFile


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


class OwnMemory:
    """Blocks of this process's own memory; what is not called writable must not be stored into."""

    def __init__(self, address, length, *, writable=False):
        self._address, self._writable = address, writable
        self.data = ctypes.string_at(address, length)

    def follow(self, offset, length, *, writable=False):
        place = ctypes.c_void_p.from_buffer_copy(self.data, offset).value
        return OwnMemory(place, length, writable=writable)

    def store(self, data):
        assert self._writable
        assert len(data) <= len(self.data)
        ctypes.memmove(self._address, data, len(data))


@pytest.fixture
def file(bus):
    return I2cDevFile(bus)


def ioctl(file, request, argument):
    """As the system call: ``argument`` is a number, or a structure passed by its address."""
    value = argument if isinstance(argument, int) else ctypes.addressof(argument)
    holder = ctypes.c_size_t(value)
    return file.ioctl(request, OwnMemory(ctypes.addressof(holder), ctypes.sizeof(holder)))


def rdwr(file, *messages):
    """``messages`` are (address, flags, bytes or length); returns what the ioctl did and the buffers."""
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
    returned = ioctl(file, 0x707, Rdwr(ctypes.addressof(array), len(messages)))
    return returned, [buffer.raw[:size] for buffer, size in zip(buffers, sizes, strict=True)]


def smbus(file, read_write, command, size, data=b"", length=34):
    union = ctypes.create_string_buffer(data, length)
    returned = ioctl(file, 0x720, Smbus(read_write, command, size, ctypes.addressof(union)))
    return returned, union.raw


def test_functions_are_the_controllers(make_bus):
    # As `i2cdetect -F` of a Raspberry Pi: I2C and what the kernel emulates, without PEC; the Pi 5 has no process call.
    for profile, functions in (([], 0x0EFF_0001), ([RP1], 0x0E7F_0001)):
        answer = ctypes.c_ulong(2**32 - 1)
        assert ioctl(I2cDevFile(MessageBus(make_bus(*profile))), 0x705, answer) == 0
        assert answer.value == functions


def test_rdwr_of_a_write_and_a_read(file, chip):
    assert rdwr(file, (0x68, 0, b"\x75"), (0x68, 1, 700)) == (2, [b"\x75", bytes((k % 256) for k in range(0x75, 817))])
    assert chip.seen == [("read", 0x75, 700)]


def test_rdwr_refuses_what_i2c_dev_refuses(file, chip, failing):
    assert failing(rdwr, file, (0x68, 0, b"\0"), (0x68, 1, 8193)) == errno.EINVAL
    assert failing(rdwr, file, *[(0x68, 0, b"\0")] * 43) == errno.EINVAL
    assert failing(ioctl, file, 0x707, Rdwr(None, 1)) == errno.EINVAL
    assert failing(ioctl, file, 0x707, Rdwr(1, 0)) == errno.EINVAL
    # Ten-bit addresses, and reads whose length the chip gives.
    assert failing(rdwr, file, (0x68, 0x10, b"\0")) == errno.EOPNOTSUPP
    assert failing(rdwr, file, (0x68, 0x401, 33)) == errno.EOPNOTSUPP
    assert chip.seen == []


def test_rdwr_tells_of_nobody_there(file, failing):
    assert failing(rdwr, file, (0x69, 0, b"\x75"), (0x69, 1, 1)) == errno.EREMOTEIO


def test_empty_rdwr_only_asks(file, failing):
    assert rdwr(file, (0x68, 0, b"")) == (1, [b""])
    assert failing(rdwr, file, (0x69, 0, b"")) == errno.EREMOTEIO


def test_read_and_write_go_to_the_chosen_address(file, failing):
    for request in (0x703, 0x706):
        assert ioctl(file, request, 0x68) == 0
        assert file.write(b"\x20\xaa") == 2
        assert file.read(2) == b"\xaa\x21"
    ioctl(file, 0x703, 0x69)
    assert failing(file.read, 1) == errno.EREMOTEIO
    assert failing(file.write, b"\0") == errno.EREMOTEIO


def test_two_files_have_addresses_of_their_own(bus):
    first, second = I2cDevFile(bus), I2cDevFile(bus)
    ioctl(first, 0x703, 0x68)
    ioctl(second, 0x703, 0x1D)
    first.write(b"\x20\xaa")
    assert (first.read(1), second.read(1)) == (b"\xaa", b"\0")


def test_settings(file, failing):
    assert ioctl(file, 0x701, 3) == ioctl(file, 0x702, 10) == ioctl(file, 0x704, 0) == ioctl(file, 0x708, 0) == 0
    assert failing(ioctl, file, 0x703, 0x80) == errno.EINVAL
    assert failing(ioctl, file, 0x704, 1) == failing(ioctl, file, 0x708, 1) == errno.EOPNOTSUPP
    assert failing(ioctl, file, 0x5401, 0) == errno.ENOTTY


def test_smbus_transactions(file, chip):
    ioctl(file, 0x703, 0x68)
    assert smbus(file, 1, 0x75, 2) == (0, b"\x75" + bytes(33))
    assert smbus(file, 0, 0x10, 3, b"\x01\x02") == (0, b"\x01\x02" + bytes(32))
    assert chip.cells[0x10:0x12] == b"\x01\x02"
    assert smbus(file, 1, 0x20, 8, b"\x02") == (0, b"\x02\x20\x21" + bytes(31))


def test_smbus_takes_no_more_memory_than_a_transaction_has(file):
    ioctl(file, 0x703, 0x68)
    assert smbus(file, 1, 0x75, 2, length=1) == (0, b"\x75")
    assert smbus(file, 1, 0x75, 3, length=2) == (0, b"\x75\x76")
    # Quick and "send byte" have no data, and mostly a null pointer.
    assert ioctl(file, 0x720, Smbus(0, 0, 0, None)) == ioctl(file, 0x720, Smbus(0, 0x33, 1, None)) == 0
    assert smbus(file, 1, 0, 1, length=1) == (0, b"\x33")


def test_smbus_refuses_what_i2c_dev_refuses(file, failing):
    assert failing(smbus, file, 2, 0, 2) == errno.EINVAL
    assert failing(smbus, file, 1, 0, 9) == errno.EINVAL
    assert failing(ioctl, file, 0x720, Smbus(1, 0, 2, None)) == errno.EINVAL
    assert failing(smbus, file, 1, 0, 5) == errno.EOPNOTSUPP
