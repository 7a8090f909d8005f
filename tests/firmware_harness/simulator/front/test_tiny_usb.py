import errno
import struct

import pytest

from deseptr.firmware_harness.simulator import I2C_TINY_USB, BusFault
from deseptr.firmware_harness.simulator.front.tiny_usb import Setup, TinyUsb

IN, OUT = 0xC0 | 1, 0x40 | 1  # vendor requests to the interface, as the kernel's driver sends them


@pytest.fixture
def adapter(make_bus):
    return TinyUsb(make_bus(I2C_TINY_USB))


@pytest.fixture
def transfer(adapter):
    """Messages as usb_xfer() of the kernel's driver sends them, each followed by a look at the status."""

    def transfer(*messages):
        answers = []
        for number, (address, flags, payload) in enumerate(messages):
            command = 4 | (number == 0) | 2 * (number == len(messages) - 1)
            if flags & 1:
                answers.append(adapter.control(Setup(IN, command, flags, address, payload), b""))
                assert len(answers[-1]) == payload
            else:
                adapter.control(Setup(OUT, command, flags, address, len(payload)), payload)
            (status,) = adapter.control(Setup(IN, 3, 0, 0, 1), b"")
            if status == 2:
                raise OSError(errno.ENXIO, "NAK")
            assert status == 1
        return answers

    return transfer


def test_device_descriptor_is_the_one_that_the_kernel_looks_for(adapter):
    data = adapter.control(Setup(0x80, 6, 0x0100, 0, 64), b"")
    length, kind, usb, *_ = struct.unpack_from("<BBHBBBB", data)
    vendor, product, _, *strings, configurations = struct.unpack_from("<HHHBBBB", data, 8)
    assert (len(data), length, kind, usb) == (18, 18, 1, 0x110)
    assert (vendor, product, configurations) == (0x0403, 0xC631, 1)
    for index in strings:
        text = adapter.control(Setup(0x80, 6, 0x0300 | index, 0x0409, 255), b"")
        assert text[:2] == bytes((len(text), 3))
        assert text[2:].decode("utf-16-le")


def test_configuration_has_one_interface_and_no_endpoint(adapter):
    head = adapter.control(Setup(0x80, 6, 0x0200, 0, 9), b"")
    (total,) = struct.unpack_from("<H", head, 2)
    data = adapter.control(Setup(0x80, 6, 0x0200, 0, total), b"")
    assert (len(head), len(data), data[:9]) == (9, total, head)
    interface = data[9:]
    assert (interface[0], interface[1], interface[4], interface[5]) == (len(interface), 4, 0, 0xFF)


def test_standard_requests(adapter, failing):
    for request in (5, 9, 11):
        assert adapter.control(Setup(0, request, 1, 0, 0), b"") == b""
    assert adapter.control(Setup(0x80, 8, 0, 0, 1), b"") == b"\x01"
    assert adapter.control(Setup(0x80, 0, 0, 0, 2), b"") == b"\0\0"
    # The device qualifier of a high-speed device, a request without a name, and one of a class.
    for setup in (Setup(0x80, 6, 0x0600, 0, 10), Setup(0x80, 200, 0, 0, 1), Setup(0xA1, 1, 0, 0, 1)):
        assert failing(adapter.control, setup, b"") == errno.EPIPE


def test_functions_delay_and_echo(adapter, failing):
    assert adapter.control(Setup(IN, 1, 0, 0, 4), b"") == struct.pack("<I", 0x0EFF_0001)
    assert adapter.control(Setup(OUT, 2, 10, 0, 0), b"") == b""
    assert adapter.control(Setup(IN, 0, 0x1234, 0, 2), b"") == b"\x34\x12"
    assert failing(adapter.control, Setup(IN, 8, 0, 0, 1), b"") == errno.EPIPE


def test_messages_reach_the_chip(transfer, chip):
    assert transfer((0x68, 0, b"\x75"), (0x68, 1, 2)) == [b"\x75\x76"]
    transfer((0x68, 0, b"\x10\xaa\xbb"))
    assert chip.cells[0x10:0x12] == b"\xaa\xbb"
    assert transfer((0x68, 0, b"")) == []


def test_a_missing_device_is_reported_by_the_status(transfer, failing):
    assert failing(transfer, (0x69, 0, b"\x75")) == errno.ENXIO
    assert failing(transfer, (0x69, 1, 3)) == errno.ENXIO
    assert transfer((0x68, 0, b"\x75")) == []


def test_other_errors_stall(make_bus, failing):
    adapter = TinyUsb(make_bus(I2C_TINY_USB, [BusFault(errno.ETIMEDOUT)]))
    assert failing(adapter.control, Setup(IN, 7, 1, 0x68, 1), b"") == errno.EPIPE
    # More bytes than the adapter counts.
    assert failing(adapter.control, Setup(IN, 7, 1, 0x68, 256), b"") == errno.EPIPE
    assert adapter.control(Setup(IN, 7, 1, 0x68, 1), b"") == b"\0"
