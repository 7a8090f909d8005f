"""The kernel's side of CUSE is played here, after fs/fuse/ioctl.c; nothing here needs the kernel's module."""

import ctypes
import errno
import os
import socket
import struct
import threading

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.front.cuse import CuseDevice, serve_cuse, serve_requests


class CuseKernel:
    """Sends requests and checks the form of every reply; memory is this process's own."""

    def __init__(self, send):
        self._send = send
        self._unique = 0
        self.rounds = 0

    def call(self, opcode, body=b""):
        self._unique += 2
        header = struct.pack("=IIQQIIIHH", 40 + len(body), opcode, self._unique, 0, 0, 0, os.getpid(), 0, 0)
        reply = self._send(header + body)
        length, error, unique = struct.unpack_from("=IiQ", reply)
        assert (length, unique) == (len(reply), self._unique)
        assert -512 < error <= 0
        if error:
            assert len(reply) == 16
            raise OSError(-error, os.strerror(-error))
        return reply[16:]

    def init(self):
        return self.call(4096, struct.pack("=IIII", 7, 38, 0, 1))

    def open(self):
        handle, flags, _ = struct.unpack("=QII", self.call(14, struct.pack("=II", os.O_RDWR, 0)))
        assert flags == 0
        return handle

    def read(self, handle, length):
        return self.call(15, struct.pack("=QQIIQII", handle, 0, length, 0, 0, 0, 0))

    def write(self, handle, data):
        body = struct.pack("=QQIIQII", handle, 0, len(data), 0, 0, 0, 0) + data
        return struct.unpack("=II", self.call(16, body))[0]

    def release(self, handle):
        return self.call(18, struct.pack("=QIIQ", handle, 0, 0, 0))

    def ioctl(self, handle, request, argument, flags=2):
        places_in, places_out = [], []
        for self.rounds in range(1, 9):
            data = b"".join(ctypes.string_at(address, length) for address, length in places_in)
            room = sum(length for _, length in places_out)
            body = struct.pack("=QIIQII", handle, flags, request, argument, len(data), room) + data
            reply = self.call(39, body)
            result, answer, count_in, count_out = struct.unpack_from("=iIII", reply)
            if not answer & 4:
                self._copy_out(reply[16:], places_out)
                return result
            assert 0 < count_in + count_out <= 256
            places = list(struct.iter_unpack("=QQ", reply[16:]))
            assert len(places) == count_in + count_out
            places_in, places_out = places[:count_in], places[count_in:]
        raise AssertionError("no end of retries")

    @staticmethod
    def _copy_out(data, places):
        assert len(data) <= sum(length for _, length in places)
        for address, length in places:
            ctypes.memmove(address, data[:length], min(length, len(data)))
            data = data[length:]


@pytest.fixture
def kernel(make_bus):
    return CuseKernel(CuseDevice(make_bus()).reply)


@pytest.fixture
def program(kernel, make_program):
    handle = kernel.open()
    return make_program(lambda request, argument: kernel.ioctl(handle, request, argument))


def test_init_names_the_device_and_asks_for_whole_ioctls(kernel):
    reply = kernel.init()
    major, minor, _, flags, max_read, max_write, dev_major, dev_minor = struct.unpack_from("=IIIIIIII", reply)
    assert (major, flags, dev_major, dev_minor) == (7, 1, 0, 0)
    assert 11 <= minor <= 38
    assert max_read >= 4096 <= max_write
    assert reply[72:] == b"DEVNAME=i2c-77\0"


def test_an_unknown_protocol_is_refused(kernel, failing):
    assert failing(kernel.call, 4096, struct.pack("=IIII", 8, 0, 0, 1)) == errno.EPROTO


def test_functions(program):
    answer = ctypes.c_ulong()
    assert program.ioctl(0x705, answer) == 0
    assert answer.value == 0x0EFF_0001


def test_rdwr_takes_four_rounds_however_many_messages(program, kernel, chip):
    messages = [(0x68, 0, bytes((0x10 + k, k))) for k in range(41)]
    returned, buffers = program.rdwr(*messages, (0x68, 1, 3))
    assert (returned, kernel.rounds) == (42, 4)
    assert buffers[-1] == b"\x28\x39\x3a"
    assert chip.cells[0x10:0x3A] == bytes((*range(41), 0x39))


def test_rdwr_does_nothing_before_all_memory_was_transferred(program, kernel, chip):
    assert program.rdwr((0x68, 0, b"\x75"), (0x68, 1, 700))[1][1][:2] == b"\x75\x76"
    assert chip.seen == [("read", 0x75, 700)]
    assert program.rdwr((0x68, 1, 2)) == (1, [b"\x75\x76"])
    assert chip.seen[1:] == [("read", 0x75, 2)]


def test_smbus_keeps_memory_that_is_not_written(program):
    program.ioctl(0x703, 0x68)
    assert program.smbus(1, 0x75, 2, b"????") == (0, b"\x75???" + bytes(30))
    assert program.smbus(0, 0x10, 8, b"\x02\xaa\xbb")[0] == 0
    assert program.smbus(1, 0x0F, 8, b"\x04") == (0, b"\x04\x0f\xaa\xbb\x12" + bytes(29))
    assert program.smbus(1, 0x75, 3, length=2) == (0, b"\x75\x76")


def test_errors_are_returned_as_errno(program, kernel, failing):
    assert failing(program.rdwr, (0x69, 0, b"\0")) == errno.EREMOTEIO
    assert failing(program.ioctl, 0x703, 0x80) == errno.EINVAL
    assert failing(program.ioctl, 0x5401, 0) == errno.ENOTTY
    assert failing(kernel.ioctl, kernel.open(), 0x703, 0x68, flags=2 | 1) == errno.EOPNOTSUPP
    assert failing(kernel.ioctl, 99, 0x703, 0x68) == errno.EBADF
    assert failing(kernel.call, 40) == errno.ENOSYS


def test_files_are_distinguished_and_released(kernel, failing):
    first, second = kernel.open(), kernel.open()
    kernel.ioctl(first, 0x703, 0x68)
    kernel.ioctl(second, 0x703, 0x1D)
    assert kernel.write(first, b"\x20\xaa") == 2
    assert (kernel.read(first, 2), kernel.read(second, 2)) == (b"\xaa\x21", b"\0\1")
    assert kernel.release(first) == b""
    assert failing(kernel.read, first, 1) == errno.EBADF
    assert kernel.read(second, 1) == b"\0"


def test_serving_ends_with_the_last_request(make_bus):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = threading.Thread(target=serve_requests, args=(CuseDevice(make_bus()), theirs.fileno()))
    server.start()

    def send(request):
        ours.send(request)
        return ours.recv(1 << 16)

    kernel = CuseKernel(send)
    assert kernel.init().endswith(b"i2c-77\0")
    kernel.ioctl(handle := kernel.open(), 0x703, 0x68)
    assert kernel.read(handle, 1) == b"\0"
    ours.close()
    server.join()
    theirs.close()


def test_without_cuse_it_says_what_to_do(tmp_path):
    with pytest.raises(SetupError, match=r"cuse: found No such file or directory.*modprobe cuse"):
        serve_cuse(VirtualI2cBus({}, VirtualClock()), path=tmp_path / "cuse")
