"""The structures are built by ctypes, as a C program would."""

import ctypes
import errno

import pytest

from deseptr.firmware_harness.simulator import RP1
from deseptr.firmware_harness.simulator.front import MessageBus
from deseptr.firmware_harness.simulator.front.i2c_dev import I2cDevFile


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


@pytest.fixture
def opened(make_program):
    """A program that has opened the device."""

    def opened(file):
        def system_call(request, argument):
            holder = ctypes.c_size_t(argument)
            return file.ioctl(request, OwnMemory(ctypes.addressof(holder), ctypes.sizeof(holder)))

        return make_program(system_call)

    return opened


@pytest.fixture
def program(opened, file):
    return opened(file)


def test_functions_are_those_of_the_controller(make_bus, opened):
    # As `i2cdetect -F` of a Raspberry Pi: I2C and what the kernel emulates, without PEC; the Pi 5 has no process call.
    for profile, functions in (([], 0x0EFF_0001), ([RP1], 0x0E7F_0001)):
        answer = ctypes.c_ulong(2**32 - 1)
        assert opened(I2cDevFile(MessageBus(make_bus(*profile)))).ioctl(0x705, answer) == 0
        assert answer.value == functions


def test_rdwr_of_a_write_and_a_read(program, chip):
    assert program.rdwr((0x68, 0, b"\x75"), (0x68, 1, 700)) == (
        2,
        [b"\x75", bytes((k % 256) for k in range(0x75, 817))],
    )
    assert chip.seen == [("read", 0x75, 700)]


def test_rdwr_refuses_what_i2c_dev_refuses(program, chip, failing):
    assert failing(program.rdwr, (0x68, 0, b"\0"), (0x68, 1, 8193)) == errno.EINVAL
    assert failing(program.rdwr, *[(0x68, 0, b"\0")] * 43) == errno.EINVAL
    assert failing(program.ioctl, 0x707, program.Rdwr(None, 1)) == errno.EINVAL
    assert failing(program.ioctl, 0x707, program.Rdwr(1, 0)) == errno.EINVAL
    # Ten-bit addresses, and reads whose length the chip gives.
    assert failing(program.rdwr, (0x68, 0x10, b"\0")) == errno.EOPNOTSUPP
    assert failing(program.rdwr, (0x68, 0x401, 33)) == errno.EOPNOTSUPP
    assert chip.seen == []


def test_rdwr_reports_a_missing_device(program, failing):
    assert failing(program.rdwr, (0x69, 0, b"\x75"), (0x69, 1, 1)) == errno.EREMOTEIO


def test_empty_rdwr_only_probes_the_address(program, failing):
    assert program.rdwr((0x68, 0, b"")) == (1, [b""])
    assert failing(program.rdwr, (0x69, 0, b"")) == errno.EREMOTEIO


def test_read_and_write_go_to_the_chosen_address(program, file, failing):
    for request in (0x703, 0x706):
        assert program.ioctl(request, 0x68) == 0
        assert file.write(b"\x20\xaa") == 2
        assert file.read(2) == b"\xaa\x21"
    program.ioctl(0x703, 0x69)
    assert failing(file.read, 1) == errno.EREMOTEIO
    assert failing(file.write, b"\0") == errno.EREMOTEIO


def test_two_files_have_addresses_of_their_own(opened, bus):
    first, second = I2cDevFile(bus), I2cDevFile(bus)
    opened(first).ioctl(0x703, 0x68)
    opened(second).ioctl(0x703, 0x1D)
    first.write(b"\x20\xaa")
    assert (first.read(1), second.read(1)) == (b"\xaa", b"\0")


def test_settings(program, failing):
    assert (
        program.ioctl(0x701, 3) == program.ioctl(0x702, 10) == program.ioctl(0x704, 0) == program.ioctl(0x708, 0) == 0
    )
    assert failing(program.ioctl, 0x703, 0x80) == errno.EINVAL
    assert failing(program.ioctl, 0x704, 1) == failing(program.ioctl, 0x708, 1) == errno.EOPNOTSUPP
    assert failing(program.ioctl, 0x5401, 0) == errno.ENOTTY


def test_smbus_transactions(program, chip):
    program.ioctl(0x703, 0x68)
    assert program.smbus(1, 0x75, 2) == (0, b"\x75" + bytes(33))
    assert program.smbus(0, 0x10, 3, b"\x01\x02") == (0, b"\x01\x02" + bytes(32))
    assert chip.cells[0x10:0x12] == b"\x01\x02"
    assert program.smbus(1, 0x20, 8, b"\x02") == (0, b"\x02\x20\x21" + bytes(31))


def test_smbus_takes_no_more_memory_than_a_transaction_has(program):
    program.ioctl(0x703, 0x68)
    assert program.smbus(1, 0x75, 2, length=1) == (0, b"\x75")
    assert program.smbus(1, 0x75, 3, length=2) == (0, b"\x75\x76")
    # Quick and "send byte" have no data, and mostly a null pointer.
    assert (
        program.ioctl(0x720, program.Smbus(0, 0, 0, None)) == program.ioctl(0x720, program.Smbus(0, 0x33, 1, None)) == 0
    )
    assert program.smbus(1, 0, 1, length=1) == (0, b"\x33")


def test_smbus_refuses_what_i2c_dev_refuses(program, failing):
    assert failing(program.smbus, 2, 0, 2) == errno.EINVAL
    assert failing(program.smbus, 1, 0, 9) == errno.EINVAL
    assert failing(program.ioctl, 0x720, program.Smbus(1, 0, 2, None)) == errno.EINVAL
    assert failing(program.smbus, 1, 0, 5) == errno.EOPNOTSUPP
