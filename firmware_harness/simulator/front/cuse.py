"""``/dev/i2c-77``, a real character device for all programs, made with CUSE: this process handles its calls.

Needs the kernel's module cuse and permission to open ``/dev/cuse``; no libfuse. Written from linux/fuse.h, and
fs/fuse/cuse.c and ioctl.c for details. An ioctl's argument is only a pointer at first: the reply lists the memory that
is needed, and the kernel calls again with its content.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

from .i2c_dev import MAX_LENGTH, POINTER, I2cDevFile
from .messages import MessageBus

CUSE = Path("/dev/cuse")
CUSE_BUS = 77
NAME = f"i2c-{CUSE_BUS}"

OPEN, READ, WRITE, RELEASE, IOCTL, CUSE_INIT = 14, 15, 16, 18, 39, 4096
UNRESTRICTED_IOCTL = 1
IOCTL_COMPAT, IOCTL_RETRY, IOCTL_32BIT = 1, 4, 8
MAJOR, MINOR = 7, 31
# Space for the largest request: 128 KiB of an ioctl's data, unless root has raised fuse.max_pages_limit.
REQUEST_BYTES = 1 << 20

IN_HEADER = struct.Struct("=IIQQIIIHH")
OUT_HEADER = struct.Struct("=IiQ")
INIT_IN = struct.Struct("=IIII")
INIT_OUT = struct.Struct("=IIIIIIII40x")
HANDLE = struct.Struct("=Q")
OPEN_OUT = struct.Struct("=QII")
READ_IN = struct.Struct("=QQIIQII")
WRITE_OUT = struct.Struct("=II")
IOCTL_IN = struct.Struct("=QIIQII")
IOCTL_OUT = struct.Struct("=iIII")
IOVEC = struct.Struct("=QQ")


class CuseDevice:
    """The device as the kernel sees it: requests in, replies out.

    Args:
        bus: the simulated bus.
        name: name of the node in ``/dev``.
    """

    def __init__(self, bus: VirtualI2cBus, name: str = NAME) -> None:
        self._bus = MessageBus(bus)
        self._name = name
        self._files: dict[int, I2cDevFile] = {}
        self._opened = 0
        self._calls = {
            CUSE_INIT: self._init,
            OPEN: self._open,
            READ: self._read,
            WRITE: self._write,
            IOCTL: self._ioctl,
            RELEASE: self._release,
        }

    def reply(self, request: bytes) -> bytes:
        """The reply to one request, both in the format of ``/dev/cuse``."""
        _, opcode, unique, *_ = IN_HEADER.unpack_from(request)
        number, body = 0, b""
        try:
            # After ENOSYS to an interrupt or a poll, the kernel sends no more of them.
            call = self._calls.get(opcode)
            number, body = (0, call(request[IN_HEADER.size :])) if call else (errno.ENOSYS, b"")
        except OSError as error:
            number = error.errno or errno.EIO
        return OUT_HEADER.pack(OUT_HEADER.size + len(body), -number, unique) + body

    def _init(self, body: bytes) -> bytes:
        major, minor, _, _ = INIT_IN.unpack_from(body)
        if major != MAJOR:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        # Device numbers of 0: the kernel chooses them.
        head = INIT_OUT.pack(MAJOR, min(minor, MINOR), 0, UNRESTRICTED_IOCTL, MAX_LENGTH, MAX_LENGTH, 0, 0)
        return head + f"DEVNAME={self._name}\0".encode()

    def _open(self, body: bytes) -> bytes:
        self._opened += 1
        self._files[self._opened] = I2cDevFile(self._bus)
        return OPEN_OUT.pack(self._opened, 0, 0)

    def _release(self, body: bytes) -> bytes:
        self._files.pop(_handle(body), None)
        return b""

    def _read(self, body: bytes) -> bytes:
        _, _, size, *_ = READ_IN.unpack_from(body)
        return self._file(body).read(size)

    def _write(self, body: bytes) -> bytes:
        _, _, size, *_ = READ_IN.unpack_from(body)
        return WRITE_OUT.pack(self._file(body).write(body[READ_IN.size : READ_IN.size + size]), 0)

    def _ioctl(self, body: bytes) -> bytes:
        _, flags, request, argument, *_ = IOCTL_IN.unpack_from(body)
        if flags & (IOCTL_COMPAT | IOCTL_32BIT) and POINTER.size != 4:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        fetched = _Fetched(body[IOCTL_IN.size :])
        try:
            returned = self._file(body).ioctl(request, _Block(fetched, _Place(0, POINTER.size), POINTER.pack(argument)))
        except _NotFetchedError:
            return fetched.retry()
        return IOCTL_OUT.pack(returned, 0, 0, 0) + fetched.stored()

    def _file(self, body: bytes) -> I2cDevFile:
        file = self._files.get(_handle(body))
        if file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return file


def serve_cuse(
    bus: VirtualI2cBus, name: str = NAME, path: Path = CUSE, *, ready: Callable[[], None] = lambda: None
) -> None:
    """Serve ``/dev/<name>`` until the kernel or Ctrl-C ends it; ``ready`` is called when the node exists.

    Raises:
        SetupError: without CUSE, or without permission.
    """
    device = CuseDevice(bus, name)
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError as error:
        raise SetupError(
            path,
            found=error.strerror,
            expected="the kernel's CUSE",
            next_step="`sudo modprobe cuse`, and run this as root; or take --front ioctl, which needs neither",
        ) from error
    try:
        _answer(descriptor, device.reply(os.read(descriptor, REQUEST_BYTES)))
        ready()
        serve_requests(device, descriptor)
    finally:
        os.close(descriptor)


def serve_requests(device: CuseDevice, descriptor: int) -> None:
    """Answer requests until there are no more."""
    while True:
        try:
            request = os.read(descriptor, REQUEST_BYTES)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            raise
        if not request:
            return
        _answer(descriptor, device.reply(request))


def _answer(descriptor: int, reply: bytes) -> None:
    try:
        os.write(descriptor, reply)
    except OSError as error:
        # The calling program was killed while it waited.
        if error.errno != errno.ENOENT:
            raise


def _handle(body: bytes) -> int:
    """The file's number, at the beginning of every request about a file."""
    return int(HANDLE.unpack_from(body)[0])


class _NotFetchedError(Exception):
    """The kernel must call again with more of the calling program's memory."""


@dataclass(frozen=True, slots=True)
class _Place:
    address: int
    length: int
    writable: bool = False


class _Fetched:
    """The memory that came with an ioctl: the requested blocks, in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._blocks: list[_Block] = []

    def take(self, place: _Place) -> _Block:
        have, self._data = self._data[: place.length], self._data[place.length :]
        block = _Block(self, place, have if len(have) == place.length else None)
        self._blocks.append(block)
        return block

    def retry(self) -> bytes:
        """Request all blocks so far; the writable ones are transferred in both directions."""
        places = [block.place for block in self._blocks]
        back = [place for place in places if place.writable]
        iovecs = [IOVEC.pack(place.address, place.length) for place in places + back]
        return IOCTL_OUT.pack(0, IOCTL_RETRY, len(places), len(back)) + b"".join(iovecs)

    def stored(self) -> bytes:
        return b"".join(block.data for block in self._blocks if block.place.writable)


class _Block:
    """A block of the calling program's memory; one that was not transferred yet has an address but no data."""

    def __init__(self, fetched: _Fetched, place: _Place, data: bytes | None) -> None:
        self.place = place
        self._fetched = fetched
        self._data = data

    @property
    def data(self) -> bytes:
        if self._data is None:
            raise _NotFetchedError
        return self._data

    def follow(self, offset: int, length: int, *, writable: bool = False) -> _Block:
        (address,) = POINTER.unpack_from(self.data, offset)
        return self._fetched.take(_Place(address, length, writable))

    def store(self, data: bytes) -> None:
        self._data = data + self.data[len(data) :]
