"""An I2C adapter of the kernel, plugged in by USB/IP: for all programs and the kernel's own drivers.

Needs the kernel's modules vhci-hcd and i2c-tiny-usb, and root. The kernel gets one end of a socket pair and finds a USB
device at the other; the protocol is that of Documentation/usb/usbip_protocol.rst. The device itself is
:mod:`.tiny_usb`.
"""

from __future__ import annotations

import errno
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deseptr.contract import SetupError
from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

from .tiny_usb import Setup, TinyUsb

VHCI = Path("/sys/devices/platform/vhci_hcd.0")
CMD_SUBMIT, CMD_UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
DIRECTION_IN = 1
# Speed as in enum usb_device_speed; the device number is arbitrary but unique.
FULL_SPEED, DEVICE_ID = 2, 0x0001_0002
PORT_FREE = 4

# All in network order. Basic header: command, sequence number, device, direction, endpoint.
BASIC = struct.Struct(">IIIII")
SUBMIT = struct.Struct(">IiiiI8s")
SUBMITTED = struct.Struct(">iiiiI8x")
UNLINKED = struct.Struct(">i24x")
HEADER_BYTES = 48


class UsbDevice(Protocol):
    """A device with a control endpoint."""

    def control(self, setup: Setup, data: bytes) -> bytes:
        """Carry out a control request; raises ``OSError`` if the device stalls."""
        ...


def serve_device(device: UsbDevice, link: socket.socket) -> None:
    """Serve ``device`` to the kernel at the other end of ``link``, until that is closed."""
    with link.makefile("rb") as stream:
        while len(head := stream.read(HEADER_BYTES)) == HEADER_BYTES:
            command, number, _, direction, endpoint = BASIC.unpack_from(head)
            if command == CMD_UNLINK:
                # Requests are handled one by one, so that the one to unlink has already been answered.
                link.sendall(BASIC.pack(RET_UNLINK, number, 0, 0, 0) + UNLINKED.pack(0))
                continue
            _, length, _, packets, _, setup = SUBMIT.unpack_from(head, BASIC.size)
            data = stream.read(length) if direction != DIRECTION_IN else b""
            status, answer = _submit(device, endpoint, setup, data)
            actual = len(answer) if direction == DIRECTION_IN else len(data) if status == 0 else 0
            head = BASIC.pack(RET_SUBMIT, number, 0, 0, 0) + SUBMITTED.pack(status, actual, 0, packets, 0)
            link.sendall(head + answer)


def _submit(device: UsbDevice, endpoint: int, setup: bytes, data: bytes) -> tuple[int, bytes]:
    if endpoint != 0:
        return -errno.EPIPE, b""
    try:
        return 0, device.control(Setup.unpack(setup), data)
    except OSError as error:
        return -(error.errno or errno.EPIPE), b""


@dataclass(frozen=True, slots=True)
class UsbPort:
    """A port of the kernel's virtual USB hub."""

    number: int
    hub: Path

    def attach(self, link: socket.socket) -> None:
        """Plug in the device at the other end of ``link``."""
        (self.hub / "attach").write_text(f"{self.number} {link.fileno()} {DEVICE_ID} {FULL_SPEED}")

    def detach(self) -> None:
        """Unplug the device."""
        (self.hub / "detach").write_text(f"{self.number}")


def free_port(hub: Path = VHCI) -> UsbPort:
    """A free port of the virtual hub.

    Raises:
        SetupError: if there is no virtual hub, or all its ports are taken.
    """
    try:
        status = (hub / "status").read_text(errors="replace")
    except OSError as error:
        raise SetupError(
            hub,
            found=error.strerror,
            expected="the kernel's virtual USB hub",
            next_step="`sudo modprobe -a vhci-hcd i2c-tiny-usb`, and run this as root; or take --front ioctl",
        ) from error
    # One line a port: the speed of its hub, its number, its state.
    for port, state in re.findall(r"^hs\s+([0-9]{1,6})\s+([0-9]{1,3})\s", status, re.MULTILINE):
        if int(state) == PORT_FREE:
            return UsbPort(int(port), hub)
    raise SetupError(
        hub, found="no free port", expected="one", next_step="detach a device with `usbip port` and `usbip detach`"
    )


def serve_usbip(bus: VirtualI2cBus, hub: Path = VHCI, *, ready: Callable[[], None] = lambda: None) -> None:
    """Plug an adapter with ``bus`` into this machine, until Ctrl-C or until the kernel unplugs it.

    Args:
        bus: the simulated bus.
        hub: the kernel's virtual USB hub.
        ready: called when it is plugged in.

    Raises:
        SetupError: if there is no virtual hub with a free port, or no permission.
    """
    port = free_port(hub)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            try:
                port.attach(theirs)
            except OSError as error:
                raise SetupError(
                    hub / "attach", found=error.strerror, expected="permission to plug in", next_step="run this as root"
                ) from error
        try:
            ready()
            serve_device(TinyUsb(bus), ours)
        finally:
            # It may be unplugged already.
            with suppress(OSError):
                port.detach()
