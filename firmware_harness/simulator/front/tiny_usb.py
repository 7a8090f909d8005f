"""An i2c-tiny-usb adapter at USB level: its descriptors, and its control requests, which carry I2C messages.

The requests are those of drivers/i2c/busses/i2c-tiny-usb.c, and the standard ones of USB 2.0, section 9.4. Its only
endpoint is the control endpoint.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

from .messages import Message, MessageBus, failure

VENDOR, PRODUCT = 0x0403, 0xC631
STRINGS = ("deseptr", "i2c-tiny-usb", "simulated")
GET_DESCRIPTOR, GET_CONFIGURATION, GET_STATUS = 6, 8, 0
ACCEPTED = (1, 3, 5, 9, 11)  # clear and set feature, set address, set configuration, set interface
DEVICE, CONFIGURATION, STRING = 1, 2, 3

CMD_ECHO, CMD_GET_FUNC, CMD_SET_DELAY, CMD_GET_STATUS, CMD_I2C_IO = 0, 1, 2, 3, 4
IO_BEGIN, IO_END = 1, 2
STATUS_IDLE, STATUS_ADDRESS_ACK, STATUS_ADDRESS_NAK = 0, 1, 2
I2C_M_RD = 1

SETUP = struct.Struct("<BBHHH")
_TYPE, _STANDARD, _VENDOR_TYPE = 0x60, 0x00, 0x40
_NACKS = (errno.EREMOTEIO, errno.ENXIO)


@dataclass(frozen=True, slots=True)
class Setup:
    """The first eight bytes of a control request (USB 2.0, section 9.3)."""

    kind: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def unpack(cls, data: bytes) -> Setup:
        """Parse the bytes of a request."""
        return cls(*SETUP.unpack(data))


class TinyUsb:
    """The adapter.

    Args:
        bus: the simulated bus on it.
    """

    def __init__(self, bus: VirtualI2cBus) -> None:
        self._bus = MessageBus(bus)
        self._status = STATUS_IDLE

    def control(self, setup: Setup, data: bytes) -> bytes:
        """Carry out a control request; returns the data that it reads.

        Args:
            setup: the request.
            data: the data that it writes.

        Raises:
            OSError: EPIPE if a device would stall.
        """
        kind = setup.kind & _TYPE
        if kind == _STANDARD:
            return self._standard(setup)[: setup.length]
        if kind == _VENDOR_TYPE:
            return self._vendor(setup, data)[: setup.length]
        raise failure(errno.EPIPE)

    def _standard(self, setup: Setup) -> bytes:
        if setup.request == GET_DESCRIPTOR:
            return _descriptor(setup.value >> 8, setup.value & 0xFF)
        if setup.request == GET_CONFIGURATION:
            return b"\x01"
        if setup.request == GET_STATUS:
            return b"\0\0"
        if setup.request in ACCEPTED:
            return b""
        raise failure(errno.EPIPE)

    def _vendor(self, setup: Setup, data: bytes) -> bytes:
        if CMD_I2C_IO <= setup.request <= CMD_I2C_IO | IO_BEGIN | IO_END:
            return self._transfer(setup, data)
        if setup.request == CMD_GET_FUNC:
            return struct.pack("<I", self._bus.profile.functions)
        if setup.request == CMD_GET_STATUS:
            return bytes((self._status,))
        if setup.request == CMD_ECHO:
            return struct.pack("<H", setup.value)
        if setup.request == CMD_SET_DELAY:
            return b""
        raise failure(errno.EPIPE)

    def _transfer(self, setup: Setup, data: bytes) -> bytes:
        """Carry out one message, with flags in wValue and the address in wIndex.

        A repeated start or a stop makes no difference to the chips, which keep the register number.
        """
        reading = bool(setup.value & I2C_M_RD)
        message = Message(setup.index & 0x7F, length=setup.length) if reading else Message(setup.index & 0x7F, data)
        self._status = STATUS_ADDRESS_ACK
        try:
            return self._bus.transfer([message])[0]
        except OSError as error:
            if error.errno not in _NACKS:
                raise failure(errno.EPIPE) from error
            # As in the adapter's firmware, the data stage still takes place, and the status reports the NACK.
            self._status = STATUS_ADDRESS_NAK
            return bytes(setup.length if reading else 0)


def _descriptor(kind: int, index: int) -> bytes:
    """Descriptors of USB 2.0, section 9.6; full speed, one vendor-specific interface without endpoints."""
    if kind == DEVICE:
        return struct.pack("<BBHBBBBHHHBBBB", 18, DEVICE, 0x110, 0xFF, 0, 0, 64, VENDOR, PRODUCT, 0x205, 1, 2, 3, 1)
    if kind == CONFIGURATION and index == 0:
        interface = struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
        head = struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(interface), 1, 1, 0, 0x80, 50)
        return head + interface
    if kind == STRING and index <= len(STRINGS):
        text = STRINGS[index - 1].encode("utf-16-le") if index else struct.pack("<H", 0x0409)
        return struct.pack("<BB", 2 + len(text), STRING) + text
    raise failure(errno.EPIPE)
