"""The kernel's side of USB/IP is played here, after the kernel's usbip_protocol.rst."""

import errno
import os
import socket
import struct
import threading

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator import I2C_TINY_USB
from deseptr.firmware_harness.simulator.front.tiny_usb import TinyUsb
from deseptr.firmware_harness.simulator.front.usbip import free_port, serve_device, serve_usbip

STATUS = """\
hub port sta spd dev      sockfd local_busid
hs  0000 006 002 00010002 000005 1-1
hs  0001 004 000 00000000 000000 0-0
hs  0002 004 000 00000000 000000 0-0
ss  0008 004 000 00000000 000000 0-0
"""


class UsbipKernel:
    def __init__(self, link):
        self._link = link
        self._number = 0

    def submit(self, setup, data=b"", *, endpoint=0):
        self._number += 1
        reading = setup[0] >> 7
        length = setup[4] if reading else len(data)
        packed = struct.pack("<BBHHH", *setup)
        head = struct.pack(">IIIII", 1, self._number, 0x10002, reading, endpoint)
        self._link.sendall(head + struct.pack(">IiiiI8s", 0, length, 0, -1, 0, packed) + data)
        command, number, device, direction, _ = struct.unpack(">IIIII", self._receive(20))
        status, actual, start, packets, errors, _ = struct.unpack(">iiiiI8s", self._receive(28))
        assert (command, number, device, direction) == (3, self._number, 0, 0)
        assert (start, packets, errors) == (0, -1, 0)
        assert actual <= length
        return status, self._receive(actual) if reading else actual

    def unlink(self):
        self._number += 1
        self._link.sendall(struct.pack(">IIIII", 2, self._number, 0x10002, 0, 0) + struct.pack(">I24x", 1))
        command, number, *_ = struct.unpack(">IIIII", self._receive(20))
        assert (command, number) == (4, self._number)
        return struct.unpack(">i24x", self._receive(28))[0]

    def _receive(self, length):
        data = b""
        while len(data) < length:
            data += self._link.recv(length - len(data))
        return data


@pytest.fixture
def link():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def kernel(link, make_bus):
    ours, theirs = link
    server = threading.Thread(target=serve_device, args=(TinyUsb(make_bus(I2C_TINY_USB)), theirs))
    server.start()
    yield UsbipKernel(ours)
    ours.shutdown(socket.SHUT_RDWR)
    server.join()


def test_requests_go_through_in_both_directions(kernel, chip):
    status, data = kernel.submit((0x80, 6, 0x0100, 0, 18))
    assert (status, data[8:12]) == (0, b"\x03\x04\x31\xc6")
    assert kernel.submit((0x41, 5, 0, 0x68, 2), b"\x10\xaa") == (0, 2)
    assert chip.cells[0x10] == 0xAA
    assert kernel.submit((0xC1, 6, 1, 0x68, 2)) == (0, b"\xaa\x11")
    assert kernel.submit((0xC1, 3, 0, 0, 1)) == (0, b"\x01")


def test_short_answers_are_told_as_such(kernel):
    assert kernel.submit((0x80, 6, 0x0100, 0, 8))[1][:2] == b"\x12\x01"
    assert len(kernel.submit((0x80, 6, 0x0100, 0, 255))[1]) == 18


def test_unsupported_requests_stall(kernel):
    assert kernel.submit((0x80, 6, 0x0600, 0, 10)) == (-errno.EPIPE, b"")
    assert kernel.submit((0x41, 99, 0, 0, 2), b"??") == (-errno.EPIPE, 0)
    assert kernel.submit((0x80, 6, 0x0100, 0, 18), endpoint=1) == (-errno.EPIPE, b"")


def test_unlink_is_answered_after_the_request(kernel):
    kernel.submit((0x80, 6, 0x0100, 0, 18))
    assert kernel.unlink() == 0
    assert kernel.submit((0x80, 8, 0, 0, 1)) == (0, b"\x01")


def test_plugging_in_takes_the_first_free_port(tmp_path, make_bus):
    (tmp_path / "status").write_text(STATUS)
    os.mkfifo(tmp_path / "attach")
    server = threading.Thread(target=serve_usbip, args=(make_bus(I2C_TINY_USB), tmp_path))
    server.start()
    port, _, device, speed = map(int, (tmp_path / "attach").read_text().split())
    assert (port, device, speed) == (1, 0x10002, 2)
    # Nobody took the descriptor, so that the device sees a hang-up at once.
    server.join()
    assert (tmp_path / "detach").read_text() == "1"


def test_no_hub_or_no_port_says_what_to_do(tmp_path):
    with pytest.raises(SetupError, match=r"found No such file or directory.*modprobe -a vhci-hcd i2c-tiny-usb"):
        free_port(tmp_path / "missing")
    (tmp_path / "status").write_text(STATUS.splitlines()[0] + "\n" + STATUS.splitlines()[1] + "\n")
    with pytest.raises(SetupError, match="no free port"):
        free_port(tmp_path)


@pytest.mark.parametrize("line", ["", "hs", "hs  x 004 0", "hs  0001 free 0", f"hs  {'1' * 5000} 004 0", "\udced"])
def test_lines_of_another_form_are_no_ports(tmp_path, line):
    head, *ports = STATUS.splitlines()
    text = "\n".join([head, line, *ports]) + "\n"
    (tmp_path / "status").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert free_port(tmp_path).number == 1


def test_no_permission_to_plug_in(tmp_path, make_bus):
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "attach").mkdir()
    with pytest.raises(SetupError, match=r"attach: found .*; run this as root"):
        serve_usbip(make_bus(I2C_TINY_USB), tmp_path)
